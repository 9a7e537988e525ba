//! `dissent show` on a terminal that claims kitty graphics and answers no query: it must not wait for ever.

use crate::support::pictures::write_picture;
use crate::support::program::PROGRAM;
use portable_pty::{CommandBuilder, PtySize, native_pty_system};
use std::io::Read;

#[test]
fn a_terminal_that_answers_nothing_gets_block_characters() {
    let folder = tempfile::tempdir().unwrap();
    write_picture(folder.path(), "picture.png", [10, 200, 30]);
    let terminal = native_pty_system();
    let pair = terminal.openpty(PtySize { rows: 30, cols: 100, pixel_width: 0, pixel_height: 0 }).unwrap();
    let mut command = CommandBuilder::new(PROGRAM);
    command.args(["show", folder.path().join("picture.png").to_str().unwrap(), "--color", "truecolor"]);
    for name in ["TMUX", "STY", "ZELLIJ", "NO_COLOR", "DISSENT_IMAGES", "DISSENT_COLOR", "TERM_PROGRAM"] {
        command.env_remove(name);
    }
    command.env("TERM", "xterm-kitty");
    let mut child = pair.slave.spawn_command(command).unwrap();
    drop(pair.slave);
    let mut reader = pair.master.try_clone_reader().unwrap();
    let screen = std::thread::spawn(move || {
        let mut bytes = Vec::new();
        let mut buffer = [0; 4096];
        // Linux reports the end of a pseudo-terminal as an error.
        while let Ok(count) = reader.read(&mut buffer) {
            if count == 0 {
                break;
            }
            bytes.extend_from_slice(&buffer[..count]);
        }
        String::from_utf8_lossy(&bytes).into_owned()
    });
    assert!(child.wait().unwrap().success());
    drop(pair.master);
    let screen = screen.join().unwrap();
    assert!(screen.contains("48;2;10;200;30m") && screen.contains("picture.png"), "{screen:?}");
    // The query of the picker is all that may look like graphics: no picture was sent.
    assert!(!screen.contains("a=T"), "{screen:?}");
}

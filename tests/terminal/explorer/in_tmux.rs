//! The explorer inside tmux, in a terminal that says that it is kitty.

use super::Setup;
use crate::support::program::PROGRAM;
use crate::support::pty::Pty;
use std::path::Path;
use std::process::Command;

/// A tmux server of its own, which ends with this value.
struct Server {
    socket: String,
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(Command::new("tmux").args(["-L", &self.socket, "kill-server"]).output());
    }
}

/// Starts the explorer in a tmux with this configuration, once the terminal has told tmux its name; `None` where there is no
/// tmux.
fn in_tmux(setup: &Setup, name: &str, configuration: &str, terminal: &str) -> Option<(Server, Pty)> {
    if Command::new("tmux").arg("-V").output().is_err() {
        eprintln!("skipped: no tmux here");
        return None;
    }
    let socket = format!("dissent-test-{name}-{}", std::process::id());
    let server = Server { socket: socket.clone() };
    let file = setup.folder.path().join("tmux.conf");
    std::fs::write(&file, configuration).unwrap();
    let (dataset, home) = (setup.dataset(), setup.folder.path().join("home"));
    let command = format!(
        "until tmux list-clients -F '#{{client_termtype}}' | grep -q .; do sleep 0.05; done; \
         HOME='{}' COLORTERM=truecolor USER=ada exec '{PROGRAM}' explore '{}' --theme dark",
        home.display(),
        dataset.display()
    );
    let path = std::env::var("PATH").unwrap_or_default();
    let environment = [("TERM", "xterm-256color"), ("LANG", "C.UTF-8"), ("PATH", path.as_str()), ("SHELL", "/bin/sh")];
    let arguments = ["-L", &socket, "-f", file.to_str().unwrap(), "new-session", &command];
    let mut pty = Pty::start(Path::new("/usr/bin/env"), &[&["tmux"][..], &arguments].concat(), &environment, (100, 30));
    pty.wait_until("tmux's question", |pty| contains(pty, "\x1b[>q"));
    pty.type_keys(&format!("\x1bP>|{terminal}\x1b\\"));
    pty.wait_for("us-test-0001 · test");
    Some((server, pty))
}

fn contains(pty: &Pty, what: &str) -> bool {
    String::from_utf8_lossy(&pty.bytes()).contains(what)
}

const PASSES: &str = "set -g allow-passthrough on\nset -as terminal-features ',xterm-256color:RGB'\n";

#[test]
fn images_come_through_a_tmux_that_passes_them_to_kitty() {
    let setup = Setup::new();
    let Some((_server, mut pty)) = in_tmux(&setup, "kitty", PASSES, "kitty(0.40.1)") else { return };
    pty.wait_until("an image", |pty| contains(pty, "a=T,U=1,f=32"));
    pty.wait_until("its places", |pty| contains(pty, "\u{10eeee}\u{305}\u{305}"));
    // Ctrl-L sends the image again: tmux drops what comes while its window is hidden.
    let count = |pty: &Pty| String::from_utf8_lossy(&pty.bytes()).matches("a=T,U=1").count();
    let before = count(&pty);
    pty.type_keys("\x0c");
    pty.wait_until("the image again", |pty| count(pty) > before);
    pty.type_keys("q");
}

#[test]
fn a_tmux_that_passes_nothing_gets_block_characters() {
    let without_rgb = "set -g allow-passthrough on\n";
    let cases = [
        ("off", "set -as terminal-features ',xterm-256color:RGB'\n", "kitty(0.40.1)"),
        ("colours", without_rgb, "kitty(0.40.1)"),
        ("other", PASSES, "foot(1.20.2)"),
    ];
    for (name, configuration, terminal) in cases {
        let setup = Setup::new();
        let Some((_server, mut pty)) = in_tmux(&setup, name, configuration, terminal) else { return };
        pty.wait_until("block characters", |pty| pty.screen().contains(['▀', '▄', '▌', '▐', '▛', '▜', '▙', '▟']));
        assert!(!contains(&pty, "\x1b_G"), "{name}");
        pty.type_keys("q");
    }
}

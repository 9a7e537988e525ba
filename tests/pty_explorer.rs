//! The real binary in a pseudo-terminal: however it ends, the terminal is restored and what was marked is on disk.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

#[path = "support/preload.rs"]
mod preload;
mod support;
#[path = "support/pty.rs"]
mod terminal;

use nix::sys::signal::Signal;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;
use terminal::Pty;

/// A dataset on disk and a home folder.
struct Setup {
    folder: tempfile::TempDir,
}

impl Setup {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("home")).unwrap();
        support::write_dataset(&folder.path().join("dataset"), 6);
        Self { folder }
    }

    fn dataset(&self) -> PathBuf {
        self.folder.path().join("dataset")
    }

    fn journal(&self) -> String {
        let folder = self.dataset().join(".dissent/annotations");
        let mut text = String::new();
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|extension| extension == "jsonl") {
                text.push_str(&fs::read_to_string(path).unwrap());
            }
        }
        text
    }

    fn explore_with(&self, more: &[(&str, &str)], size: (u16, u16)) -> Pty {
        let (dataset, home) = (self.dataset(), self.folder.path().join("home"));
        let mut environment = vec![
            ("HOME", home.to_str().unwrap()),
            ("TERM", "xterm-256color"),
            ("USER", "ada"),
            ("RUST_BACKTRACE", "0"),
        ];
        environment.extend_from_slice(more);
        let pty = Pty::start(Path::new(binary()), &["explore", dataset.to_str().unwrap()], &environment, size);
        pty.wait_for("us-test-0001 · test");
        pty
    }

    fn explore(&self) -> Pty {
        self.explore_with(&[], (80, 24))
    }
}

fn binary() -> &'static str {
    env!("CARGO_BIN_EXE_dissent")
}

#[test]
fn q_leaves_with_0() {
    let setup = Setup::new();
    let mut pty = setup.explore();
    pty.type_keys("q");
    assert_eq!(pty.exit_code(), 0);
    pty.assert_restored();
}

/// Opening the corpus waits while the file HOLD is there: only then is the reading slow enough to be watched.
const HELD_CORPUS: &str = r#"
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
typedef int (*opener)(const char *, int, ...);
int open64(const char *path, int flags, ...) {
    va_list more;
    va_start(more, flags);
    mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(more, mode_t) : 0;
    va_end(more);
    size_t length = strlen(path), ending = strlen("corpus.jsonl");
    const char *hold = getenv("HOLD");
    if (hold && length > ending && !strcmp(path + length - ending, "corpus.jsonl"))
        while (!access(hold, F_OK)) usleep(5000);
    return ((opener)dlsym(RTLD_NEXT, "open64"))(path, flags, mode);
}
"#;

/// A dataset whose corpus is read once the hold is taken away.
struct HeldSetup {
    setup: Setup,
    preloaded: PathBuf,
    hold: PathBuf,
}

impl HeldSetup {
    fn new() -> Self {
        let setup = Setup::new();
        let (preloaded, hold) =
            (preload::library(setup.folder.path(), "held", HELD_CORPUS), setup.folder.path().join("hold"));
        fs::write(&hold, "").unwrap();
        Self { setup, preloaded, hold }
    }

    fn explore(&self) -> Pty {
        let held = [("LD_PRELOAD", self.preloaded.to_str().unwrap()), ("HOLD", self.hold.to_str().unwrap())];
        self.setup.explore_with(&held, (80, 24))
    }

    fn let_go(&self) {
        fs::remove_file(&self.hold).unwrap();
    }
}

#[test]
#[cfg(target_os = "linux")]
fn the_cases_are_shown_while_documents_are_read_and_keys_count_afterwards() {
    let held = HeldSetup::new();
    let setup = &held.setup;
    let mut pty = held.explore();
    pty.wait_for("loading documents …");
    pty.wait_until("the query image", |pty| pty.screen().contains('▄') || pty.screen().contains('▀'));
    pty.type_keys("3");
    pty.resize(100, 30);
    pty.wait_for("loading documents …");
    assert!(pty.screen().contains("us-test-0001 · test") && !pty.screen().contains("annotated"), "{}", pty.screen());
    held.let_go();
    pty.wait_for("Right evidence ignored (u takes it back)");
    pty.wait_for("us-test-0002 · test");
    pty.type_keys("q");
    assert_eq!(pty.exit_code(), 0);
    pty.assert_restored();
    assert!(setup.journal().contains("evidence-ignored"));
}

#[test]
#[cfg(target_os = "linux")]
fn while_documents_are_read_one_can_leave_at_once() {
    let held = HeldSetup::new();
    for key in ["\x03", ""] {
        let mut pty = held.explore();
        pty.wait_for("loading documents …");
        if key.is_empty() {
            pty.signal(Signal::SIGTERM);
        } else {
            pty.type_keys(key);
        }
        assert_eq!(pty.exit_code(), if key.is_empty() { 143 } else { 130 });
        pty.assert_restored();
    }
}

#[test]
#[cfg(target_os = "linux")]
fn what_cannot_be_opened_after_all_restores_the_terminal_and_is_said() {
    let held = HeldSetup::new();
    let setup = &held.setup;
    let mut pty = held.explore();
    pty.wait_for("loading documents …");
    let taxonomy = setup.dataset().join(".dissent/annotations");
    fs::create_dir_all(&taxonomy).unwrap();
    fs::write(taxonomy.join("taxonomy.toml"), "nothing = 1\n").unwrap();
    held.let_go();
    assert_eq!(pty.exit_code(), 1);
    pty.assert_restored();
    pty.wait_for("taxonomy.toml");
}

#[test]
fn the_terminal_comes_back_when_the_program_cannot_say_so() {
    let setup = Setup::new();
    for signal in [Signal::SIGABRT, Signal::SIGKILL] {
        let pty = setup.explore();
        pty.wait_until("the explorer's screen", Pty::is_on_alternate_screen);
        pty.signal(signal);
        pty.wait_past_the_end("a word", |pty| pty.screen().contains("dissent ended unexpectedly"));
        pty.wait_past_the_end("the line modes", Pty::has_its_modes);
        pty.assert_restored();
    }
}

#[test]
fn ctrl_c_leaves_with_130() {
    let setup = Setup::new();
    let mut pty = setup.explore();
    pty.type_keys("\x03");
    assert_eq!(pty.exit_code(), 130);
    pty.assert_restored();
}

#[test]
fn signals_restore_the_terminal() {
    let setup = Setup::new();
    for (signal, code) in [(Signal::SIGTERM, 143), (Signal::SIGHUP, 129), (Signal::SIGINT, 130)] {
        let mut pty = setup.explore();
        pty.signal(signal);
        assert_eq!(pty.exit_code(), code, "{signal}");
        pty.assert_restored();
    }
}

#[test]
fn a_lost_connection_ends_the_program() {
    let setup = Setup::new();
    let mut pty = setup.explore();
    pty.type_keys("1");
    pty.wait_for("takes it back");
    pty.hang_up();
    assert_ne!(pty.exit_code(), 0);
    assert!(setup.journal().contains("look-alike"));
}

#[test]
fn what_is_shown_as_marked_survives_a_kill() {
    let setup = Setup::new();
    let mut pty = setup.explore();
    pty.type_keys("3");
    pty.wait_for("Right evidence ignored (u takes it back)");
    pty.wait_for("us-test-0002 · test");
    pty.type_keys("nlook at hit 2\r");
    pty.wait_for("note saved");
    pty.signal(Signal::SIGKILL);
    pty.exit_code();
    let journal = setup.journal();
    assert!(journal.contains("\"us-test-0001\"") && journal.contains("evidence-ignored"), "{journal}");
    assert!(journal.contains("look at hit 2"), "{journal}");
    let pty = setup.explore();
    pty.wait_for("2 annotated");
}

#[test]
fn a_mark_that_a_full_disk_refuses_does_not_show() {
    let setup = Setup::new();
    let mut pty = setup.explore();
    // Beyond the smallest limit that a shell can set.
    let long = "x".repeat(1200);
    pty.type_keys(&format!("n\x1b[200~{long}\x1b[201~\r"));
    pty.wait_for("note saved");
    pty.type_keys("q");
    assert_eq!(pty.exit_code(), 0);
    let before = setup.journal();
    let (dataset, home) = (setup.dataset(), setup.folder.path().join("home"));
    let script = format!("ulimit -f 1; exec {} explore {}", binary(), dataset.display());
    let environment = [("HOME", home.to_str().unwrap()), ("TERM", "xterm"), ("USER", "ada")];
    let mut pty = Pty::start(Path::new("/bin/sh"), &["-c", &script], &environment, (80, 24));
    pty.wait_for("us-test-0001 · test");
    pty.type_keys("1");
    pty.wait_for("not saved: ");
    assert!(pty.screen().contains("us-test-0001 · test") && pty.screen().contains("1 annotated"), "{}", pty.screen());
    pty.type_keys("q");
    assert_eq!(pty.exit_code(), 0);
    pty.assert_restored();
    assert_eq!(setup.journal(), before);
}

#[test]
fn an_annotator_that_is_no_file_name_can_look_and_not_mark() {
    let setup = Setup::new();
    let dataset = setup.dataset();
    let environment = [("HOME", dataset.to_str().unwrap()), ("TERM", "xterm")];
    let arguments = ["explore", dataset.to_str().unwrap(), "--annotator", "a/b"];
    let mut pty = Pty::start(Path::new(binary()), &arguments, &environment, (80, 24));
    pty.wait_for("annotations cannot be saved: annotator");
    pty.type_keys("1");
    pty.wait_for("not saved: annotator");
    pty.wait_for("0 annotated");
}

#[test]
fn an_idle_explorer_writes_nothing() {
    let setup = Setup::new();
    let pty = setup.explore();
    pty.wait_for("no answers");
    pty.wait_until("the query image", |pty| pty.screen().contains('▄') || pty.screen().contains('▀'));
    // Images of the next cases are loaded after the visible one and change nothing.
    let mut before = pty.byte_count();
    for _ in 0..100 {
        std::thread::sleep(Duration::from_millis(50));
        let now = pty.byte_count();
        if now == before {
            std::thread::sleep(Duration::from_millis(300));
            assert_eq!(pty.byte_count(), now, "bytes come although nothing happens");
            return;
        }
        before = now;
    }
    panic!("bytes keep coming");
}

#[test]
fn resizing_redraws_and_a_small_window_says_so() {
    let setup = Setup::new();
    let pty = setup.explore();
    pty.resize(59, 14);
    pty.wait_for("dissent needs 60x15 characters; this window has 59x14");
    pty.resize(120, 40);
    pty.wait_for("name the error");
    pty.wait_for("us-test-0001 · test");
}

#[test]
fn ctrl_z_stops_and_continues() {
    let setup = Setup::new();
    let mut pty = setup.explore();
    pty.type_keys("\x1a");
    pty.wait_until("a stopped process", |pty| pty.process_state() == 'T');
    pty.assert_restored();
    pty.signal(Signal::SIGCONT);
    pty.wait_until("the explorer's screen", Pty::is_on_alternate_screen);
    pty.wait_for("us-test-0001 · test");
    pty.type_keys("j");
    pty.wait_for("us-test-0002 · test");
    pty.type_keys("q");
    assert_eq!(pty.exit_code(), 0);
    pty.assert_restored();
}

#[test]
fn an_answer_of_the_terminal_that_comes_late_presses_no_key() {
    let setup = Setup::new();
    let mut pty = setup.explore();
    assert!(pty.bytes().windows(5).any(|part| part == b"\x1b]11;"), "the terminal was not asked");
    pty.type_keys("\x1b]11;rgb:1e1e/1e1e/2e2e\x1b\\\x1b[?62;4c");
    pty.type_keys("j");
    pty.wait_for("us-test-0002 · test");
    assert!(pty.screen().contains("0 annotated"), "{}", pty.screen());
    pty.type_keys("q");
    assert_eq!(pty.exit_code(), 0);
    assert!(setup.journal().is_empty());
}

#[test]
fn what_is_typed_while_the_terminal_is_asked_is_not_lost() {
    let setup = Setup::new();
    let (dataset, home) = (setup.dataset(), setup.folder.path().join("home"));
    let environment = [("HOME", home.to_str().unwrap()), ("TERM", "xterm-kitty"), ("USER", "ada")];
    let arguments = ["explore", dataset.to_str().unwrap(), "--theme", "dark"];
    let mut pty = Pty::start(Path::new(binary()), &arguments, &environment, (80, 24));
    pty.wait_until("a query", |pty| pty.bytes().windows(4).any(|part| part == b"a=q,"));
    pty.type_keys(&format!("j{KITTY_SAYS}"));
    pty.wait_for("us-test-0002 · test");
    pty.type_keys("q");
    assert_eq!(pty.exit_code(), 0);
}

/// What kitty answers: graphics, cell size and "who are you".
const KITTY_SAYS: &str = "\x1b_Gi=31;OK\x1b\\\x1b[6;16;8t\x1b[?62;c";

#[test]
fn z_in_capitals_shows_the_image_in_the_terminals_own_pixels_until_a_key() {
    let setup = Setup::new();
    let (dataset, home) = (setup.dataset(), setup.folder.path().join("home"));
    let environment = [("HOME", home.to_str().unwrap()), ("TERM", "xterm-kitty"), ("USER", "ada")];
    let arguments = ["explore", dataset.to_str().unwrap(), "--theme", "dark"];
    let mut pty = Pty::start(Path::new(binary()), &arguments, &environment, (80, 24));
    let queries = |pty: &Pty| pty.bytes().windows(4).filter(|part| part == b"a=q,").count();
    let asked = |pty: &Pty, count: usize| pty.wait_until("a query", |pty| queries(pty) >= count);
    asked(&pty, 1);
    pty.type_keys(KITTY_SAYS);
    pty.wait_for("us-test-0001 · test");
    pty.type_keys("Z");
    // viuer asks once more, and then whether files can be shared, which they cannot over SSH.
    asked(&pty, 2);
    pty.type_keys(KITTY_SAYS);
    asked(&pty, 3);
    pty.type_keys("\x1b_Gi=31;EBADF\x1b\\");
    let contains = |pty: &Pty, what: &str| String::from_utf8_lossy(&pty.bytes()).contains(what);
    pty.wait_until("the image", |pty| contains(pty, "_Gf=32,a=T,t=d,s=460,v=460,c=46,r=23"));
    assert!(!pty.screen().contains("us-test-0001 · test"), "{}", pty.screen());
    pty.type_keys("j");
    pty.wait_for("us-test-0001 · test");
    assert!(contains(&pty, "_Ga=d,d=A"), "the image stays in the terminal");
    pty.type_keys("q");
    assert_eq!(pty.exit_code(), 0);
    pty.assert_restored();
}

#[test]
fn where_only_half_blocks_are_shown_full_screen_says_so() {
    let setup = Setup::new();
    let mut pty = setup.explore();
    pty.type_keys("Z");
    pty.wait_for("shows no pixel images");
}

#[test]
fn the_mouse_is_reported_when_asked_for_and_given_back() {
    let setup = Setup::new();
    let mut pty = setup.explore();
    let sent = |pty: &Pty, what: &[u8]| pty.bytes().windows(what.len()).any(|part| part == what);
    assert!(!sent(&pty, b"\x1b[?1000h"));
    pty.type_keys("M");
    pty.wait_until("mouse capture", |pty| sent(pty, b"\x1b[?1000h"));
    // The fourth case: row 6, counted from one, SGR encoding.
    pty.type_keys("\x1b[<0;5;6M\x1b[<0;5;6m");
    pty.wait_for("us-test-0004 · test");
    pty.type_keys("q");
    assert_eq!(pty.exit_code(), 0);
    assert!(sent(&pty, b"\x1b[?1000l"));
}

#[test]
fn views_in_a_file_that_cannot_be_read_are_kept() {
    let setup = Setup::new();
    let folder = setup.dataset().join(".dissent/explorer");
    fs::create_dir_all(&folder).unwrap();
    let views = "[[view]]\nname = \"gap\"\nfilter = \"fused:wrong\n";
    fs::write(folder.join("ada.toml"), views).unwrap();
    let mut pty = setup.explore();
    pty.wait_for("left out: ");
    pty.type_keys("q");
    assert_eq!(pty.exit_code(), 0);
    assert_eq!(fs::read_to_string(folder.join("ada.unreadable-1.toml")).unwrap(), views);
    assert!(fs::read_to_string(folder.join("ada.toml")).unwrap().contains("us-test-0001"));
}

#[test]
fn no_color_keeps_the_selection_and_sends_no_colour() {
    let setup = Setup::new();
    let mut pty = setup.explore_with(&[("NO_COLOR", "1"), ("COLORTERM", "truecolor")], (80, 24));
    pty.wait_for("no answers");
    pty.type_keys("j");
    pty.wait_for("us-test-0002 · test");
    let bytes = String::from_utf8_lossy(&pty.bytes()).into_owned();
    for color in ["38;2;", "48;2;", "38;5;", "48;5;"] {
        assert!(!bytes.contains(color), "{color} was sent");
    }
    assert!(bytes.contains("\x1b[7m"), "the selection is not reversed");
}

#[test]
fn two_hundred_fifty_six_colours_are_enough_where_no_more_are_promised() {
    let setup = Setup::new();
    let pty = setup.explore();
    pty.wait_until("the query image", |pty| pty.screen().contains('▄') || pty.screen().contains('▀'));
    let bytes = String::from_utf8_lossy(&pty.bytes()).into_owned();
    assert!(bytes.contains("38;5;") && !bytes.contains("38;2;"));
}

#[test]
fn pasted_text_goes_into_the_note_and_keys_in_it_do_nothing() {
    let setup = Setup::new();
    let mut pty = setup.explore();
    pty.type_keys("\x1b[200~qq1\x1b[201~");
    pty.type_keys("n\x1b[200~quit\nnot\x1b[201~\r");
    pty.wait_for("note saved");
    assert!(setup.journal().contains("\"quit not\""), "{}", setup.journal());
}

#[test]
fn a_bad_line_is_named_and_the_rest_is_shown() {
    let setup = Setup::new();
    let path = setup.dataset().join("cases.jsonl");
    let cases = fs::read_to_string(&path).unwrap();
    fs::write(&path, cases + "{\"id\": \"broken\"\n").unwrap();
    let pty = setup.explore();
    pty.wait_for("skipped: cases.jsonl:7");
}

#[test]
fn without_a_terminal_it_says_what_to_use_instead() {
    let setup = Setup::new();
    let output = Command::new(binary())
        .arg("explore")
        .arg(setup.dataset())
        .env("HOME", setup.folder.path())
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let message = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(message.contains("needs a terminal") && message.contains("dissent predict"), "{message}");
    assert!(output.stdout.is_empty());
}

/// Runs in a pseudo-terminal of its own, started by the test below: takes the terminal, and other threads panic.
#[test]
#[ignore = "does something only where the test below starts it"]
fn child_that_panics() {
    if std::env::var_os("DISSENT_TEST_PANIC").is_none() {
        return;
    }
    dissent::cli::panic_hook::log_and_say_in_one_line();
    let taken = dissent::terminal::screen::Taken::take(false).unwrap();
    // The terminal emulator must have seen the other screen, or there is nothing to restore.
    println!("ready");
    let mut line = String::new();
    std::io::stdin().read_line(&mut line).unwrap();
    let reader = std::thread::spawn(|| dissent::panics::caught(|| panic!("a case could not be read")).is_err());
    assert!(reader.join().unwrap());
    let worker = std::thread::spawn(|| panic!("a worker panicked"));
    worker.join().unwrap_err();
    assert!(dissent::terminal::screen::is_taken(), "the explorer goes on");
    drop(taken);
    dissent::cli::panic_hook::say_the_unsaid();
    std::process::exit(1);
}

#[test]
fn a_panic_of_a_worker_is_one_line_after_the_terminal_is_back() {
    let program = std::env::current_exe().unwrap();
    let arguments = ["--exact", "child_that_panics", "--ignored", "--nocapture"];
    let environment = [("DISSENT_TEST_PANIC", "1"), ("TERM", "xterm"), ("RUST_BACKTRACE", "0")];
    let mut pty = Pty::start(&program, &arguments, &environment, (80, 24));
    pty.wait_for("ready");
    assert!(pty.is_on_alternate_screen());
    pty.type_keys("x\n");
    assert_eq!(pty.exit_code(), 1);
    pty.assert_restored();
    pty.wait_for("error: internal error in");
    pty.wait_for("a worker panicked");
    assert!(!pty.screen().contains("a case could not be read"), "{}", pty.screen());
}

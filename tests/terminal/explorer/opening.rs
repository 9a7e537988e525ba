//! The explorer opens: what it shows while it reads, and what it says of files that cannot be read.

use super::Setup;
use crate::support::preload;
use crate::support::program::PROGRAM;
use crate::support::pty::Pty;
use nix::sys::signal::Signal;
use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};

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
    assert!(pty.screen().contains("us-test-0001 · test") && !pty.screen().contains("labelled"), "{}", pty.screen());
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
fn a_bad_line_is_named_and_the_rest_is_shown() {
    let setup = Setup::new();
    let path = setup.dataset().join("cases.jsonl");
    let cases = fs::read_to_string(&path).unwrap();
    fs::write(&path, cases + "{\"id\": \"broken\"\n").unwrap();
    let pty = setup.explore();
    pty.wait_for("skipped: cases.jsonl:7");
}

#[test]
fn views_in_a_file_that_cannot_be_read_are_kept() {
    let setup = Setup::new();
    let folder = setup.dataset().join(".dissent/explorer");
    fs::create_dir_all(&folder).unwrap();
    let views = "[[view]]\nname = \"gap\"\nfilter = \"fused:wrong\n";
    fs::write(folder.join("ada.toml"), views).unwrap();
    let mut pty = setup.explore();
    pty.wait_for("skipped: ");
    pty.type_keys("q");
    assert_eq!(pty.exit_code(), 0);
    assert_eq!(fs::read_to_string(folder.join("ada.unreadable-1.toml")).unwrap(), views);
    assert!(fs::read_to_string(folder.join("ada.toml")).unwrap().contains("us-test-0001"));
}

#[test]
fn without_a_terminal_it_says_what_to_use_instead() {
    let setup = Setup::new();
    let output = Command::new(PROGRAM)
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

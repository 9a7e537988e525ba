//! The program under test as a command.

use std::process::{Child, Command, Output};

pub const PROGRAM: &str = env!("CARGO_BIN_EXE_dissent");

/// `dissent` without the settings that this machine may have for it.
pub fn dissent() -> Command {
    let mut command = Command::new(PROGRAM);
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("DISSENT_") {
            command.env_remove(name);
        }
    }
    command
}

/// Standard output of a program that succeeded.
#[track_caller]
pub fn stdout_of(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout.clone()).unwrap()
}

pub fn stderr_of(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// Sends a signal as a shell does: `-INT`.
#[track_caller]
pub fn send(signal: &str, program: &Child) {
    assert!(Command::new("kill").args([signal, &program.id().to_string()]).status().unwrap().success());
}

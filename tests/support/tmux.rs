//! The real program in a real tmux, as people run it on a server.
#![allow(dead_code, clippy::unwrap_used)]

use std::path::Path;
use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// Far more than anything here takes, even on a loaded machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// A tmux server of its own with one window.
pub struct Tmux {
    socket: String,
}

impl Tmux {
    /// Starts a program with this environment and no other; `None` where there is no tmux.
    pub fn start(
        program: &Path,
        arguments: &[&str],
        environment: &[(&str, &str)],
        (columns, rows): (u16, u16),
    ) -> Option<Self> {
        if Command::new("tmux").arg("-V").output().is_err() {
            return None;
        }
        let socket = format!("dissent-test-{}", std::process::id());
        let tmux = Self { socket };
        let mut line = "exec env -i TERM=screen-256color ".to_owned();
        for (name, value) in environment.iter().filter(|(name, _)| *name != "TERM") {
            line.push_str(&format!("{name}='{value}' "));
        }
        line.push_str(&format!("'{}'", program.display()));
        for argument in arguments {
            line.push_str(&format!(" '{argument}'"));
        }
        let (columns, rows) = (columns.to_string(), rows.to_string());
        tmux.run(&["-f", "/dev/null", "new-session", "-d", "-x", &columns, "-y", &rows, &line]);
        Some(tmux)
    }

    fn run(&self, arguments: &[&str]) -> String {
        let output = Command::new("tmux").args(["-L", &self.socket]).args(arguments).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    }

    /// Types these bytes.
    pub fn type_keys(&self, keys: &str) {
        let codes: Vec<String> = keys.bytes().map(|byte| format!("{byte:02x}")).collect();
        let mut arguments = vec!["send-keys", "-H"];
        arguments.extend(codes.iter().map(String::as_str));
        self.run(&arguments);
    }

    /// The text on the screen.
    pub fn screen(&self) -> String {
        self.run(&["capture-pane", "-p"])
    }

    /// Waits until the program has ended, and with it the window.
    pub fn wait_for_end(&self) {
        let deadline = Instant::now() + PATIENCE;
        while !self.run(&["list-panes", "-F", "#{pane_pid}"]).trim().is_empty() {
            assert!(Instant::now() < deadline, "the program does not end; the screen:\n{}", self.screen());
            sleep(Duration::from_millis(20));
        }
    }

    /// Waits until the screen is so.
    pub fn wait_until(&self, what: &str, is_so: &dyn Fn(&str) -> bool) {
        let deadline = Instant::now() + PATIENCE;
        while !is_so(&self.screen()) {
            assert!(Instant::now() < deadline, "waited in vain for {what}; the screen:\n{}", self.screen());
            sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for Tmux {
    fn drop(&mut self) {
        self.run(&["kill-server"]);
    }
}

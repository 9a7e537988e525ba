//! Runs the program in a pseudo-terminal, under 4 GiB of addresses and 20 seconds.

use crate::ground::Ground;
use crate::input::Input;
use crate::support::program::PROGRAM;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use portable_pty::{CommandBuilder, PtySize, native_pty_system};
use std::io::{Read, Write};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

const LONGEST: Duration = Duration::from_secs(20);
/// KiB for `ulimit -v`.
const MEMORY: &str = "4194304";
/// A program that has said nothing for so long waits for keys.
const QUIET: Duration = Duration::from_millis(400);
/// More output than any command has; what comes after is counted, not kept.
const MOST_OUTPUT: usize = 8 << 20;

/// Outcome of an input.
pub struct Outcome {
    /// `None` where a signal ended it.
    pub code: Option<u32>,
    pub signal: Option<String>,
    pub timed_out: bool,
    /// Everything that reached the terminal.
    pub output: Vec<u8>,
    pub seconds: f64,
}

impl Outcome {
    /// The output as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.output).into_owned()
    }
}

/// The output so far, and the time of its last part.
struct Received {
    output: Vec<u8>,
    at: Instant,
}

/// Runs the input in `folder`.
pub fn run(input: &Input, ground: &Ground, folder: &Path) -> Outcome {
    let size = PtySize { rows: 30, cols: 100, pixel_width: 0, pixel_height: 0 };
    let pair = native_pty_system().openpty(size).unwrap();
    let mut command = CommandBuilder::new("/bin/sh");
    command.args(["-c", &format!("ulimit -v {MEMORY}; ulimit -c 0; exec \"$0\" \"$@\""), PROGRAM]);
    command.args(&input.arguments);
    command.cwd(folder);
    command.env_clear();
    let home = ground.home();
    for (name, value) in
        [("HOME", home.to_str().unwrap()), ("TERM", "xterm-256color"), ("USER", "ada"), ("PATH", "/usr/bin:/bin")]
    {
        command.env(name, value);
    }
    for (name, value) in &input.environment {
        command.env(name, value);
    }
    let begin = Instant::now();
    let mut child = pair.slave.spawn_command(command).unwrap();
    let received = Arc::new(Mutex::new(Received { output: Vec::new(), at: Instant::now() }));
    let mut keys = pair.master.take_writer().unwrap();
    let reading = {
        let (mut from, sink) = (pair.master.try_clone_reader().unwrap(), received.clone());
        thread::spawn(move || {
            let mut buffer = [0_u8; 1 << 13];
            while let Ok(count @ 1..) = from.read(&mut buffer) {
                let mut received = sink.lock().unwrap();
                received.at = Instant::now();
                if received.output.len() < MOST_OUTPUT {
                    received.output.extend_from_slice(&buffer[..count]);
                }
            }
        })
    };
    let mut typed = input.typed.iter();
    let mut timed_out = false;
    let status = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        if begin.elapsed() > LONGEST {
            timed_out = true;
            kill(Pid::from_raw(child.process_id().unwrap() as i32), Signal::SIGKILL).unwrap();
            break child.wait().unwrap();
        }
        let quiet_for = received.lock().unwrap().at.elapsed();
        if quiet_for > QUIET
            && let Some(text) = typed.next()
        {
            received.lock().unwrap().at = Instant::now();
            // One that has just ended takes no keys.
            let _ = keys.write_all(text.as_bytes()).and_then(|()| keys.flush());
        }
        thread::sleep(Duration::from_millis(4));
    };
    let seconds = begin.elapsed().as_secs_f64();
    drop(pair.slave);
    // A process that outlives the program holds the terminal open: what it still says is no longer read.
    let deadline = Instant::now() + Duration::from_secs(1);
    while !reading.is_finished() && Instant::now() < deadline {
        thread::sleep(Duration::from_millis(2));
    }
    let output = std::mem::take(&mut received.lock().unwrap().output);
    let signal = status.signal().map(str::to_owned);
    Outcome { code: signal.is_none().then(|| status.exit_code()), signal, timed_out, output, seconds }
}

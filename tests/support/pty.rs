//! The real program in a pseudo-terminal, with a terminal emulator at the other end.
#![allow(dead_code, clippy::unwrap_used)]

use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{Id, WaitPidFlag, WaitStatus, waitid};
use nix::unistd::Pid;
use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, SlavePty, native_pty_system};
use std::cell::Cell;
use std::io::{Read, Write};
use std::num::NonZero;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// Far more than anything here takes, even on a loaded machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// The output so far: the emulator's screen and the raw bytes.
struct Received {
    emulator: vt100::Parser,
    bytes: Vec<u8>,
}

/// A running program and its terminal.
pub struct Pty {
    received: Arc<Mutex<Received>>,
    keys: Option<Box<dyn Write + Send>>,
    master: Option<Box<dyn MasterPty + Send>>,
    /// Kept open so that the terminal outlives the program and its modes can be looked at.
    _slave: Box<dyn SlavePty + Send>,
    child: Box<dyn Child + Send + Sync>,
    modes_before: String,
    /// Ends the reading thread at the next bytes.
    closing: Arc<AtomicBool>,
    reading: Option<JoinHandle<()>>,
}

impl Pty {
    /// Starts a program with this environment and no other.
    pub fn start(program: &Path, arguments: &[&str], environment: &[(&str, &str)], size: (u16, u16)) -> Self {
        let (columns, rows) = size;
        let pty_size = PtySize { rows, cols: columns, pixel_width: 0, pixel_height: 0 };
        let pair = native_pty_system().openpty(pty_size).unwrap();
        let modes_before = modes(pair.master.as_ref());
        let mut command = CommandBuilder::new(program);
        command.args(arguments);
        command.env_clear();
        for (name, value) in environment {
            command.env(name, value);
        }
        let child = pair.slave.spawn_command(command).unwrap();
        let received = Arc::new(Mutex::new(Received {
            emulator: vt100::Parser::new(cells(rows), cells(columns), 0),
            bytes: Vec::new(),
        }));
        let mut output = pair.master.try_clone_reader().unwrap();
        let sink = received.clone();
        let closing = Arc::new(AtomicBool::new(false));
        let close = closing.clone();
        let reading = thread::spawn(move || {
            let mut buffer = [0_u8; 4096];
            while let Ok(count) = output.read(&mut buffer) {
                if count == 0 || close.load(Ordering::SeqCst) {
                    return;
                }
                let mut received = sink.lock().unwrap();
                received.emulator.process(&buffer[..count]);
                received.bytes.extend_from_slice(&buffer[..count]);
            }
        });
        let keys = Some(pair.master.take_writer().unwrap());
        Self {
            received,
            keys,
            master: Some(pair.master),
            _slave: pair.slave,
            child,
            modes_before,
            closing,
            reading: Some(reading),
        }
    }

    /// Types these bytes.
    pub fn type_keys(&mut self, keys: &str) {
        let writer = self.keys.as_mut().unwrap();
        writer.write_all(keys.as_bytes()).unwrap();
        writer.flush().unwrap();
    }

    /// Sends a signal to the program.
    pub fn signal(&self, signal: Signal) {
        kill(self.pid(), signal).unwrap();
    }

    /// Process id of the program.
    pub fn pid(&self) -> Pid {
        Pid::from_raw(i32::try_from(self.child.process_id().unwrap()).unwrap())
    }

    /// Whether the program has ended. `/proc` calls a program that restarts itself from a thread a zombie for a
    /// moment.
    pub fn has_ended(&self) -> bool {
        let how = WaitPidFlag::WEXITED | WaitPidFlag::WNOHANG | WaitPidFlag::WNOWAIT;
        waitid(Id::Pid(self.pid()), how).is_ok_and(|status| status != WaitStatus::StillAlive)
    }

    /// State letter of the process: `T` is stopped.
    pub fn process_state(&self) -> char {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.pid())).unwrap_or_default();
        let after_name = stat.rsplit(") ").next().unwrap_or_default();
        after_name.chars().next().unwrap_or('?')
    }

    /// Hundredths of a second of CPU time that the program has used.
    pub fn cpu_ticks(&self) -> f64 {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.pid())).unwrap();
        let fields: Vec<&str> = stat.rsplit_once(')').unwrap().1.split_whitespace().collect();
        fields[11].parse::<f64>().unwrap() + fields[12].parse::<f64>().unwrap()
    }

    /// Largest resident memory of the program in MB.
    pub fn peak_memory(&self) -> f64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid())).unwrap();
        let line = status.lines().find(|line| line.starts_with("VmHWM")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse::<f64>().unwrap() / 1024.0
    }

    /// Changes the window's size.
    pub fn resize(&self, columns: u16, rows: u16) {
        self.received.lock().unwrap().emulator.screen_mut().set_size(cells(rows), cells(columns));
        let size = PtySize { rows, cols: columns, pixel_width: 0, pixel_height: 0 };
        self.master.as_ref().unwrap().resize(size).unwrap();
    }

    /// Closes the terminal, as a lost connection does.
    pub fn hang_up(&mut self) {
        // The reading thread holds the terminal open, too: a new size makes the program write, which wakes it.
        self.closing.store(true, Ordering::SeqCst);
        self.resize(90, 30);
        self.reading.take().unwrap().join().unwrap();
        self.keys = None;
        self.master = None;
    }

    /// The text on the screen.
    pub fn screen(&self) -> String {
        self.received.lock().unwrap().emulator.screen().contents()
    }

    /// Number of bytes so far.
    pub fn byte_count(&self) -> usize {
        self.received.lock().unwrap().bytes.len()
    }

    /// Everything that came so far.
    pub fn bytes(&self) -> Vec<u8> {
        self.received.lock().unwrap().bytes.clone()
    }

    /// Waits until the screen holds this text.
    pub fn wait_for(&self, text: &str) {
        self.wait_until(&format!("{text:?} on the screen"), |pty| pty.screen().contains(text));
    }

    /// Waits until something is so, which may be the work of another process than the program.
    pub fn wait_past_the_end(&self, what: &str, is_so: impl Fn(&Self) -> bool) {
        let deadline = Instant::now() + PATIENCE;
        while !is_so(self) {
            let over = Instant::now() > deadline;
            assert!(!over, "waited in vain for {what}; the screen:\n{}", self.screen());
            thread::sleep(Duration::from_millis(1));
        }
    }

    /// Waits until something is so; fails once the program has ended and it is not.
    pub fn wait_until(&self, what: &str, is_so: impl Fn(&Self) -> bool) {
        let deadline = Instant::now() + PATIENCE;
        while !is_so(self) {
            let over = Instant::now() > deadline;
            assert!(!over, "waited in vain for {what}; the screen:\n{}", self.screen());
            let gone = self.has_ended();
            thread::sleep(Duration::from_millis(1));
            // One more look: what it wrote last may have been on its way.
            assert!(!gone || is_so(self), "the program ended before {what}; the screen:\n{}", self.screen());
        }
    }

    /// Waits until nothing has come for a second, which is never where the program draws by itself.
    pub fn wait_for_silence(&self) {
        let (count, since) = (Cell::new(self.byte_count()), Cell::new(Instant::now()));
        self.wait_until("a second without a byte", |pty| {
            if pty.byte_count() != count.get() {
                count.set(pty.byte_count());
                since.set(Instant::now());
            }
            since.get().elapsed() > Duration::from_secs(1)
        });
    }

    /// Waits for the end and gives the exit code.
    pub fn exit_code(&mut self) -> u32 {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.exit_code();
            }
            assert!(Instant::now() < deadline, "the program does not end; the screen:\n{}", self.screen());
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// Checks that the terminal is restored: main screen, cursor shown, plain paste, line modes as before.
    pub fn assert_restored(&self) {
        // The last bytes may still be on their way.
        self.wait_until("the main screen", |pty| !pty.received.lock().unwrap().emulator.screen().alternate_screen());
        self.wait_until("the cursor", |pty| !pty.received.lock().unwrap().emulator.screen().hide_cursor());
        assert!(!self.received.lock().unwrap().emulator.screen().bracketed_paste());
        assert!(self.has_its_modes(), "the terminal's line modes differ from {}", self.modes_before);
    }

    /// Whether the line modes are as before.
    pub fn has_its_modes(&self) -> bool {
        modes(self.master.as_ref().unwrap().as_ref()) == self.modes_before
    }

    /// Whether the explorer's screen is shown.
    pub fn is_on_alternate_screen(&self) -> bool {
        self.received.lock().unwrap().emulator.screen().alternate_screen()
    }
}

impl Drop for Pty {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The terminal's line modes (echo, signals by key, …) as text.
fn modes(master: &dyn MasterPty) -> String {
    format!("{:?}", master.get_termios().unwrap())
}

fn cells(count: u16) -> NonZero<u16> {
    NonZero::new(count).unwrap()
}

//! A child process that restores the terminal if the explorer cannot: after an abort, a stack overflow or
//! `kill -9` (issue 18, B6). A signal handler cannot catch `kill -9`, and would be unsafe code in a broken process.
//!
//! The explorer writes to a pipe whether it has taken the terminal. The pipe closes when the explorer ends,
//! however it ends.

use super::restoring::write_restoring;
use anyhow::{Context, Result, ensure};
use nix::sys::signal::{SigSet, SigmaskHow, Signal};
use nix::sys::termios::{ControlFlags, InputFlags, LocalFlags, OutputFlags, SetArg, Termios, tcgetattr, tcsetattr};
use std::io::{self, Read, Write};
use std::path::Path;
use std::process::{ChildStdin, Command, Stdio};
use std::sync::Mutex;

/// Name of the subcommand that runs [`watch`].
pub const SUBCOMMAND: &str = "guard-terminal";

/// Bytes that the explorer writes: terminal taken, taken with images in kitty's memory, restored.
const TAKEN: u8 = b't';
const TAKEN_WITH_IMAGES: u8 = b'k';
const GIVEN_BACK: u8 = b'r';

/// The explorer's end; `None` without a guard.
static PIPE: Mutex<Option<ChildStdin>> = Mutex::new(None);

/// Starts the guard; `program` is this program. Call it before the terminal is taken: it restores the current line modes.
///
/// # Errors
/// Fails if standard output is not a terminal or the process cannot be started. The explorer works without the guard.
pub fn start(program: &Path) -> Result<()> {
    let modes = tcgetattr(io::stdout()).context("cannot ask for the terminal's modes")?;
    let mut guard = Command::new(program);
    guard.args([SUBCOMMAND, &written(&modes)]);
    guard.stdin(Stdio::piped()).stderr(Stdio::null());
    // The guard inherits blocked signals. If it blocked them itself, the hang-up of an explorer that is killed at
    // once could arrive earlier.
    let before = deaf_to().thread_swap_mask(SigmaskHow::SIG_BLOCK).context("cannot block signals")?;
    let guard = guard.spawn().context("cannot start the terminal's guard");
    before.thread_set_mask().context("cannot unblock signals")?;
    let guard = guard?;
    if let Ok(mut pipe) = PIPE.lock() {
        *pipe = guard.stdin;
    }
    Ok(())
}

/// Signals that the guard ignores: the terminal's keys and its hang-up concern the explorer, and SIGTTOU would stop a
/// process that sets the modes after a shell has taken the terminal.
fn deaf_to() -> SigSet {
    SigSet::from_iter([
        Signal::SIGINT,
        Signal::SIGQUIT,
        Signal::SIGTERM,
        Signal::SIGHUP,
        Signal::SIGTSTP,
        Signal::SIGTTIN,
        Signal::SIGTTOU,
    ])
}

/// Tells the guard that the terminal will be taken.
pub(super) fn taken(with_images: bool) {
    say(if with_images { TAKEN_WITH_IMAGES } else { TAKEN });
}

/// Tells the guard that the terminal was restored.
pub(super) fn given_back() {
    say(GIVEN_BACK);
}

fn say(word: u8) {
    // This also runs during a panic: it must not wait for a lock, nor for a guard that has ended.
    if let Ok(mut pipe) = PIPE.try_lock()
        && let Some(out) = pipe.as_mut()
    {
        let _ = out.write_all(&[word]);
    }
}

/// The guard itself: waits until the explorer ends, and restores the terminal if it is still taken.
///
/// # Errors
/// Fails if `modes` was not written by [`start`], or the terminal modes cannot be set.
pub fn watch(modes: &str) -> Result<()> {
    let mut last = GIVEN_BACK;
    for word in io::stdin().lock().bytes() {
        last = word.context("cannot read from the explorer")?;
    }
    if last == GIVEN_BACK {
        return Ok(());
    }
    let mut terminal = io::stdout().lock();
    write_restoring(&mut terminal, last == TAKEN_WITH_IMAGES, true)?;
    terminal.write_all(b"dissent ended unexpectedly; every annotation that it confirmed is on disk\r\n")?;
    terminal.flush()?;
    tcsetattr(io::stdout(), SetArg::TCSANOW, &read(modes)?).context("cannot set the terminal's modes")
}

/// Formats four groups of flags and the control characters in hexadecimal.
fn written(modes: &Termios) -> String {
    let flags =
        [modes.input_flags.bits(), modes.output_flags.bits(), modes.control_flags.bits(), modes.local_flags.bits()];
    let flags = flags.map(|flags| format!("{flags:x}"));
    let characters: Vec<String> = modes.control_chars.iter().map(|character| format!("{character:x}")).collect();
    [flags.as_slice(), &characters].concat().join(":")
}

fn read(modes: &str) -> Result<Termios> {
    let numbers: Vec<libc::tcflag_t> =
        modes.split(':').map(|number| libc::tcflag_t::from_str_radix(number, 16)).collect::<Result<_, _>>()?;
    let mut termios = tcgetattr(io::stdout()).context("cannot ask for the terminal's modes")?;
    ensure!(numbers.len() == 4 + termios.control_chars.len(), "expected the modes of a terminal, found {modes:?}");
    termios.input_flags = InputFlags::from_bits_retain(numbers[0]);
    termios.output_flags = OutputFlags::from_bits_retain(numbers[1]);
    termios.control_flags = ControlFlags::from_bits_retain(numbers[2]);
    termios.local_flags = LocalFlags::from_bits_retain(numbers[3]);
    for (place, number) in termios.control_chars.iter_mut().zip(&numbers[4..]) {
        *place = u8::try_from(*number).context("expected control characters of a byte")?;
    }
    Ok(termios)
}

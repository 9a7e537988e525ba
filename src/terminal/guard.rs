//! A process beside the explorer that gives the terminal back where the explorer cannot: after an abort, a stack overflow or
//! `kill -9` (issue 18, B6). A signal handler would not help against the last, and would be unsafe code in a broken process.
//!
//! The explorer holds one end of a pipe and says over it whether the terminal is taken. The pipe ends with the explorer,
//! however that ends.

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

/// What the explorer says over the pipe: the terminal is taken, taken with images in kitty's memory, given back.
const TAKEN: u8 = b't';
const TAKEN_WITH_IMAGES: u8 = b'k';
const GIVEN_BACK: u8 = b'r';

/// The explorer's end; `None` without a guard.
static PIPE: Mutex<Option<ChildStdin>> = Mutex::new(None);

/// Starts the guard; `program` is this program. Call it before the terminal is taken: its line modes are those to go back to.
///
/// # Errors
/// If standard output is no terminal or the process cannot be started. The explorer works without.
pub fn start(program: &Path) -> Result<()> {
    let modes = tcgetattr(io::stdout()).context("cannot ask for the terminal's modes")?;
    let mut guard = Command::new(program);
    guard.args([SUBCOMMAND, &written(&modes)]);
    // It computes nothing, and OpenBLAS would start a thread for each core.
    guard.env("OPENBLAS_NUM_THREADS", "1");
    guard.stdin(Stdio::piped()).stderr(Stdio::null());
    // The guard inherits which signals are blocked. Blocked in the guard itself, the hang-up of an explorer that is killed at
    // once would come before.
    let before = deaf_to().thread_swap_mask(SigmaskHow::SIG_BLOCK).context("cannot block signals")?;
    let guard = guard.spawn().context("cannot start the terminal's guard");
    before.thread_set_mask().context("cannot unblock signals")?;
    let guard = guard?;
    if let Ok(mut pipe) = PIPE.lock() {
        *pipe = guard.stdin;
    }
    Ok(())
}

/// The terminal's keys and its hang-up are for the explorer. SIGTTOU would stop a process that sets the modes when a shell has
/// the terminal again.
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

/// Says that the terminal will be taken.
pub(super) fn taken(with_images: bool) {
    say(if with_images { TAKEN_WITH_IMAGES } else { TAKEN });
}

/// Says that the terminal was given back.
pub(super) fn given_back() {
    say(GIVEN_BACK);
}

fn say(word: u8) {
    // A panic's way out passes here: it must not wait for a lock, nor for a guard that has ended.
    if let Ok(mut pipe) = PIPE.try_lock()
        && let Some(out) = pipe.as_mut()
    {
        let _ = out.write_all(&[word]);
    }
}

/// The guard itself: waits for the explorer's end, and gives the terminal back where it was still taken.
///
/// # Errors
/// If `modes` is not what [`start`] wrote, or the terminal takes no modes.
pub fn watch(modes: &str) -> Result<()> {
    let mut last = GIVEN_BACK;
    for word in io::stdin().lock().bytes() {
        last = word.context("cannot hear the explorer")?;
    }
    if last == GIVEN_BACK {
        return Ok(());
    }
    let mut terminal = io::stdout().lock();
    write_restoring(&mut terminal, last == TAKEN_WITH_IMAGES, true)?;
    terminal.write_all(b"dissent ended without a word; every annotation that it acknowledged is on disk\r\n")?;
    terminal.flush()?;
    tcsetattr(io::stdout(), SetArg::TCSANOW, &read(modes)?).context("cannot set the terminal's modes")
}

/// Four groups of flags and the control characters, in hexadecimal.
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

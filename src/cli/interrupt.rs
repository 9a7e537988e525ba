//! Ctrl-C, SIGTERM and a closed terminal in commands without a screen: the work stops after the current step (exit code 130).

use crate::model::chat::a_rendering_hangs;
use crate::output::say;
use anyhow::{Context, Result};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGXFSZ};
use signal_hook::iterator::Signals;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

/// Exit code of a command that was interrupted.
pub const INTERRUPTED_EXIT_CODE: u8 = 130;

/// Seconds that the current step may take after a signal: a training step or a case of the largest models takes
/// seconds. Work that is cut off is resumed as after `kill -9`.
const GRACE: u64 = 30;

/// Waits for the current step to end and returns the seconds waited: fewer if a checkpoint's chat template hangs,
/// which would never finish.
fn wait_for_a_good_place() -> u64 {
    for second in 1..=GRACE {
        thread::sleep(Duration::from_secs(1));
        if a_rendering_hangs() {
            return second;
        }
    }
    GRACE
}

/// Time limit for printing the last message.
const LAST_WORD: Duration = Duration::from_secs(1);

/// The command was interrupted; finished work is kept.
#[derive(Debug, thiserror::Error)]
#[error("interrupted; {kept}")]
pub struct Interrupted {
    /// Says what is kept and how to continue.
    pub kept: String,
}

/// Turns a write beyond the user's file size limit (`ulimit -f`) into an error with a message; by default the system
/// would end the program silently.
pub fn outlive_file_size_limit() {
    // Any handler will do; without one, the default of the system stays.
    let _ = signal_hook::flag::register(SIGXFSZ, Arc::new(AtomicBool::new(false)));
}

/// Lets the first signal end the program, for commands without steps to finish. The message says what is kept (`kept`);
/// without this handler the system would end the program silently, with an exit code other than 130.
///
/// # Errors
/// Fails if signals cannot be handled or no thread can be started.
pub fn end_at_once(kept: &'static str) -> Result<()> {
    let mut first = Signals::new(ending_signals()).context("cannot watch for signals")?;
    let waiting = thread::Builder::new().name("dissent-signals".into());
    waiting
        .spawn(move || {
            if first.forever().next().is_some() {
                // Standard error may be full, or locked by the work.
                let _ = thread::Builder::new().spawn(|| {
                    thread::sleep(LAST_WORD);
                    signal_hook::low_level::exit(i32::from(INTERRUPTED_EXIT_CODE));
                });
                say(&Interrupted { kept: kept.into() }.to_string());
                signal_hook::low_level::exit(i32::from(INTERRUPTED_EXIT_CODE));
            }
        })
        .context("cannot start the thread that watches for signals")?;
    Ok(())
}

/// The signals that end a program. SIGHUP (the terminal closes) is one of them unless `nohup` ignores it.
fn ending_signals() -> Vec<i32> {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let is_ended_by_hangup = ignored_signals(&status).is_some_and(|ignored| ignored & (1 << (SIGHUP - 1)) == 0);
    if is_ended_by_hangup { vec![SIGINT, SIGTERM, SIGHUP] } else { vec![SIGINT, SIGTERM] }
}

/// The mask of ignored signals in Linux's `/proc/self/status`; `None` on other systems, where only unsafe code could tell.
fn ignored_signals(status: &str) -> Option<u64> {
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"))?;
    u64::from_str_radix(mask.trim(), 16).ok()
}

/// Set once the user wants the command to end.
#[derive(Clone, Debug)]
pub struct InterruptFlag(Arc<AtomicBool>);

impl InterruptFlag {
    /// Starts watching for signals. The first one lets the work finish its step, or ends the program after
    /// 30 seconds (after one second if a chat template hangs); the second one ends it at once.
    ///
    /// # Errors
    /// Fails if signals cannot be handled or no thread can be started.
    pub fn watch() -> Result<Self> {
        let flag = Arc::new(AtomicBool::new(false));
        let signals = ending_signals();
        let mut first = Signals::new(&signals).context("cannot watch for signals")?;
        let watchdog = thread::Builder::new().name("dissent-watchdog".into());
        watchdog
            .spawn(move || {
                if first.forever().next().is_some() {
                    let seconds = wait_for_a_good_place();
                    say(&format!(
                        "interrupted; the work did not stop within {seconds} s and was ended; everything written is kept"
                    ));
                    signal_hook::low_level::exit(i32::from(INTERRUPTED_EXIT_CODE));
                }
            })
            .context("cannot start the thread that watches for signals")?;
        for signal in signals {
            signal_hook::flag::register_conditional_shutdown(signal, i32::from(INTERRUPTED_EXIT_CODE), flag.clone())
                .and_then(|_| signal_hook::flag::register(signal, flag.clone()))
                .context("cannot watch for signals")?;
        }
        Ok(Self(flag))
    }

    /// Whether a signal has arrived.
    pub fn is_set(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ignored_signals_are_read_from_the_mask() {
        let status = "Name:\tdissent\nSigBlk:\t0000000000000000\nSigIgn:\t0000000000001001\nSigCgt:\t00000001\n";
        let ignored = ignored_signals(status).unwrap();
        assert_eq!((ignored & 1 << (SIGHUP - 1), ignored & 1 << (SIGTERM - 1)), (1, 0));
        assert_eq!(ignored_signals("Name:\tdissent\n"), None);
    }
}

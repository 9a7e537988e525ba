//! Ctrl-C, SIGTERM and a closed terminal for commands without a screen: the work stops at the next good place, exit code 130.

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

/// What the work has to come to a good place after a signal: a step of training or a case of the largest readers takes
/// seconds. Whatever is cut off after that is taken up again as after `kill -9`.
const GRACE: u64 = 30;

/// Gives the seconds that were waited: fewer where a checkpoint's template hangs, which ends at no good place.
fn wait_for_a_good_place() -> u64 {
    for second in 1..=GRACE {
        thread::sleep(Duration::from_secs(1));
        if a_rendering_hangs() {
            return second;
        }
    }
    GRACE
}

/// How long the last message may take.
const LAST_WORD: Duration = Duration::from_secs(1);

/// The command was interrupted; what was done so far is kept.
#[derive(Debug, thiserror::Error)]
#[error("interrupted; {kept}")]
pub struct Interrupted {
    /// What is kept and how to go on.
    pub kept: String,
}

/// From now on a write beyond the user's file size limit (`ulimit -f`) is an error with a message, where the system
/// would end the program without a word.
pub fn outlive_file_size_limit() {
    // Any handler will do; where none can be set, the system's way stays.
    let _ = signal_hook::flag::register(SIGXFSZ, Arc::new(AtomicBool::new(false)));
}

/// From now on the first signal ends the program, for commands that have nothing to bring to a good place: `kept` says what
/// becomes of their work. Without it the system ends them without a word, and scripts see another code than 130.
///
/// # Errors
/// Where the system does not let signals be handled, or no thread can be started.
pub fn end_at_once(kept: &'static str) -> Result<()> {
    let mut first = Signals::new(ending_signals()).context("cannot watch for signals")?;
    let waiting = thread::Builder::new().name("dissent-signals".into());
    waiting
        .spawn(move || {
            if first.forever().next().is_some() {
                // Standard error may be full, or held by the work.
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

/// What asks a program to end. A terminal that closes does, too, except where the user asked with `nohup` that it does not.
fn ending_signals() -> Vec<i32> {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let is_ended_by_hangup = ignored_signals(&status).is_some_and(|ignored| ignored & (1 << (SIGHUP - 1)) == 0);
    if is_ended_by_hangup { vec![SIGINT, SIGTERM, SIGHUP] } else { vec![SIGINT, SIGTERM] }
}

/// The mask of ignored signals in Linux's `/proc/self/status`; `None` on other systems, where only unsafe code can ask.
fn ignored_signals(status: &str) -> Option<u64> {
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"))?;
    u64::from_str_radix(mask.trim(), 16).ok()
}

/// True once the user wants the command to end.
#[derive(Clone, Debug)]
pub struct InterruptFlag(Arc<AtomicBool>);

impl InterruptFlag {
    /// Watches the signals from now on. The first one lets the work end at the next good place, or ends the program after
    /// 30 seconds where there comes none (after a second where a chat template hangs); the second one ends it at once.
    ///
    /// # Errors
    /// Where the system does not let signals be handled, or no thread can be started.
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
                        "interrupted; the work did not stop within {seconds} s and is ended; what was written is kept"
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

    /// Has a signal come?
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

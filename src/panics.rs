//! What becomes of a panic, ours or a dependency's (issue 18, B4): it is written into a log, and said in one line where
//! nobody catches it. A backtrace over the explorer's screen helps nobody.

use crate::cli::output::say;
use crate::reader::panic_text;
use crate::tui::terminal;
use std::backtrace::Backtrace;
use std::cell::Cell;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::panic::{AssertUnwindSafe, PanicHookInfo, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

/// A log longer than this is begun anew: what matters is the latest.
const LONGEST_LOG: u64 = 1 << 20;

/// Was a panic said already? Others follow from the first.
static SAID: AtomicBool = AtomicBool::new(false);
/// The latest that was not said.
static UNSAID: Mutex<Option<String>> = Mutex::new(None);

thread_local! {
    static CAUGHT: Cell<usize> = const { Cell::new(0) };
}

/// While this lives, somebody up the stack of this thread turns a panic into an error or an event: it is not said.
#[must_use]
pub struct Caught(());

/// See [`Caught`].
pub fn caught_here() -> Caught {
    CAUGHT.with(|depth| depth.set(depth.get() + 1));
    Caught(())
}

impl Drop for Caught {
    fn drop(&mut self) {
        CAUGHT.with(|depth| depth.set(depth.get().saturating_sub(1)));
    }
}

/// As [`caught_here`], until the thread ends.
pub fn caught_on_this_thread() {
    std::mem::forget(caught_here());
}

/// Does the work; a panic in it is not said.
///
/// # Errors
/// What the panic carried.
pub fn caught<R>(work: impl FnOnce() -> R) -> std::thread::Result<R> {
    let _caught = caught_here();
    catch_unwind(AssertUnwindSafe(work))
}

/// From now on every panic goes into the log, and the first that nobody catches is one line on standard error. While the
/// explorer has the terminal, only its main thread speaks: what happens on others comes to it as a message, or by the
/// panic that rayon carries on.
pub fn log_and_say_in_one_line() {
    std::panic::set_hook(Box::new(|panic| {
        let line = line(panic, log(panic).as_deref());
        let is_caught = CAUGHT.try_with(Cell::get).unwrap_or(0) > 0;
        let is_elsewhere = terminal::is_taken() && std::thread::current().name() != Some("main");
        if !is_caught && !is_elsewhere {
            terminal::restore();
            say_once(&line);
        } else if let Ok(mut unsaid) = UNSAID.lock() {
            *unsaid = Some(line);
        }
    }));
}

/// Says what ended the program, where that was not said yet.
pub fn say_the_unsaid() {
    if let Some(line) = UNSAID.lock().ok().and_then(|mut unsaid| unsaid.take()) {
        say_once(&line);
    }
}

fn say_once(line: &str) {
    if !SAID.swap(true, Ordering::SeqCst) {
        say(line);
    }
}

fn line(panic: &PanicHookInfo, log: Option<&Path>) -> String {
    let place = panic.location().map_or_else(|| "an unknown place".to_owned(), ToString::to_string);
    let said = panic_text(panic.payload());
    let more = log.map(|log| format!("; more in {}", log.display())).unwrap_or_default();
    format!("error: internal error in {place} ({said}); please report{more}")
}

/// Where panics are written: `panics.log` in the user's state folder.
pub fn log_file() -> Option<PathBuf> {
    let folders = directories::ProjectDirs::from("", "", "dissent")?;
    Some(folders.state_dir().unwrap_or_else(|| folders.data_local_dir()).join("panics.log"))
}

/// Writes the panic down with its backtrace. A log that cannot be written is no second fault.
fn log(panic: &PanicHookInfo) -> Option<PathBuf> {
    let path = log_file()?;
    append(&path, &format!("dissent {}: {panic}\n{}\n", env!("CARGO_PKG_VERSION"), Backtrace::force_capture()))?;
    Some(path)
}

fn append(path: &Path, text: &str) -> Option<()> {
    fs::create_dir_all(path.parent()?).ok()?;
    let metadata = fs::metadata(path).ok();
    // A device or a FIFO there would swallow it or wait.
    if metadata.as_ref().is_some_and(|metadata| !metadata.is_file()) {
        return None;
    }
    let is_long = metadata.is_some_and(|metadata| metadata.len() > LONGEST_LOG);
    let mut file = OpenOptions::new().create(true).write(true).append(!is_long).truncate(is_long).open(path).ok()?;
    file.write_all(text.as_bytes()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_log_has_a_bound_and_is_no_device() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state/panics.log");
        let text = "x".repeat(1 << 19);
        for _ in 0..6 {
            append(&path, &text).unwrap();
            assert!(fs::metadata(&path).unwrap().len() <= LONGEST_LOG + text.len() as u64);
        }
        assert!(append(Path::new("/dev/null"), "x").is_none());
    }

    #[test]
    fn a_guard_ends_with_its_scope_also_by_a_panic() {
        let depth = || CAUGHT.with(Cell::get);
        let outcome = catch_unwind(|| {
            let _caught = caught_here();
            assert_eq!(depth(), 1);
            panic!("inside");
        });
        assert!(outcome.is_err());
        assert_eq!(depth(), 0);
    }
}

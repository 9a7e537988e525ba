//! The panic hook: each panic is written to a log, and an uncaught one is printed as one line on standard error,
//! because a backtrace over the explorer's screen helps nobody (issue 18, B4).

use crate::output::say;
use crate::panics::{is_caught, panic_text};
use crate::terminal::screen;
use std::backtrace::Backtrace;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::panic::PanicHookInfo;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

/// Size limit of the log, bytes; a longer log is replaced, because the latest panics matter.
const LONGEST_LOG: u64 = 1 << 20;

/// Whether a panic was printed already; later ones follow from the first.
static SAID: AtomicBool = AtomicBool::new(false);
/// The latest panic that was not printed.
static UNSAID: Mutex<Option<String>> = Mutex::new(None);

/// Installs the hook: every panic goes into the log, and the first uncaught one is printed as one line on standard error.
/// While the explorer has the terminal, only its main thread prints: panics on other threads reach it as a message, or
/// through the panic that rayon propagates.
pub fn log_and_say_in_one_line() {
    std::panic::set_hook(Box::new(|panic| {
        let line = line(panic, log(panic).as_deref());
        let is_caught = is_caught();
        let is_elsewhere = screen::is_taken() && std::thread::current().name() != Some("main");
        if !is_caught && !is_elsewhere {
            screen::restore();
            say_once(&line);
        } else if let Ok(mut unsaid) = UNSAID.lock() {
            *unsaid = Some(line);
        }
    }));
}

/// Prints the panic that ended the program, unless it was printed already.
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
    let more = log.map(|log| format!("; details in {}", log.display())).unwrap_or_default();
    format!("error: internal error in {place} ({said}); please report{more}")
}

/// Path of the log: `panics.log` in the user's state folder.
pub fn log_file() -> Option<PathBuf> {
    let folders = directories::ProjectDirs::from("", "", "dissent")?;
    Some(folders.state_dir().unwrap_or_else(|| folders.data_local_dir()).join("panics.log"))
}

/// Logs the panic with its backtrace; a log that cannot be written is ignored.
fn log(panic: &PanicHookInfo) -> Option<PathBuf> {
    let path = log_file()?;
    append(&path, &format!("dissent {}: {panic}\n{}\n", env!("CARGO_PKG_VERSION"), Backtrace::force_capture()))?;
    Some(path)
}

fn append(path: &Path, text: &str) -> Option<()> {
    fs::create_dir_all(path.parent()?).ok()?;
    let metadata = fs::metadata(path).ok();
    // A device or a FIFO under this name would swallow the text or block.
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
}

//! Writes a casebook while a person goes on looking: shrinking hundreds of images takes seconds.

use crate::casebook::{Casebook, Written};
use crate::panics::{caught, panic_text};
use crate::text::printable::message_of;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Pages of one dataset that are kept apart; the last is written over.
const MOST_PAGES: u32 = 10_000;

/// Writes one page at a time.
#[derive(Default)]
pub struct CasebookWriter {
    is_writing: Arc<AtomicBool>,
}

impl CasebookWriter {
    /// Writes the page into a new file of `folder` on a thread of its own, and gives path and outcome to `send`.
    ///
    /// # Errors
    /// Fails if another page is being written, or if no thread can be started.
    pub fn start(
        &self,
        folder: &Path,
        casebook: Box<Casebook>,
        send: impl FnOnce(PathBuf, Result<Written, String>) + Send + 'static,
    ) -> io::Result<()> {
        if self.is_writing.swap(true, Ordering::SeqCst) {
            return Err(io::Error::other("another page is still being written"));
        }
        let path = free_path(folder, &casebook.dataset);
        let is_writing = Arc::clone(&self.is_writing);
        let body = move || {
            let outcome = caught(|| casebook.write(&path, &mut |_| {}));
            is_writing.store(false, Ordering::SeqCst);
            let outcome = match outcome {
                Ok(written) => written.map_err(|error| message_of(&error)),
                Err(panic) => Err(format!("internal error: {}", panic_text(&*panic))),
            };
            send(path, outcome);
        };
        let started = std::thread::Builder::new().name("dissent-casebook".into()).spawn(body);
        if started.is_err() {
            self.is_writing.store(false, Ordering::SeqCst);
        }
        started.map(drop)
    }
}

fn free_path(folder: &Path, dataset: &str) -> PathBuf {
    let words: Vec<&str> =
        dataset.split(|sign: char| !sign.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
    let name = if words.is_empty() { "cases".to_owned() } else { words.join("-") };
    let numbered = |number: u32| folder.join(format!("{name}-{number}.html"));
    (1..MOST_PAGES).map(numbered).find(|path| !path.exists()).unwrap_or_else(|| numbered(MOST_PAGES))
}

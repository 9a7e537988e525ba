//! Writes a casebook while a person goes on looking: shrinking hundreds of images takes seconds, and so does looking up
//! which words and regions decided the answers.

use crate::casebook::{Casebook, Written};
use crate::data::Dataset;
use crate::files::fingerprint::Fingerprint;
use crate::panics::{caught, panic_text};
use crate::pipeline::CachedExplanations;
use crate::text::printable::message_of;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

/// Pages of one dataset that are kept apart; the last is written over.
const MOST_PAGES: u32 = 10_000;

/// Where the explanations of earlier are kept.
#[derive(Clone)]
pub struct ExplanationSource {
    pub dataset: Arc<Dataset>,
    /// Folder of the answers.
    pub cache: PathBuf,
    /// The reader whose answers are on the screen; `None` until it is known.
    pub reader: Option<Fingerprint>,
}

impl ExplanationSource {
    /// Adds to the page what is known. A page without it is better than none, so no failure is an error.
    fn explain(&self, casebook: &mut Casebook) {
        let Some(reader) = &self.reader else { return };
        let opened = CachedExplanations::open(Arc::clone(&self.dataset), &self.cache, reader);
        let Ok(Some(mut known)) = opened else { return };
        casebook.explain_hits(&mut |case, probe| known.of(case, probe).ok().flatten(), &mut |_| {});
    }
}

/// Writes one page at a time.
#[derive(Default)]
pub struct CasebookWriter {
    is_writing: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
    /// The pages of this session.
    pages: Arc<Mutex<Vec<(PathBuf, Written)>>>,
}

impl CasebookWriter {
    /// Writes the page into a new file of `folder` on a thread of its own, and gives path and outcome to `send`.
    ///
    /// # Errors
    /// Fails if another page is being written, or if no thread can be started.
    pub fn start(
        &mut self,
        folder: &Path,
        mut casebook: Box<Casebook>,
        explanations: ExplanationSource,
        send: impl FnOnce(PathBuf, Result<Written, String>) + Send + 'static,
    ) -> io::Result<()> {
        if self.is_writing.swap(true, Ordering::SeqCst) {
            return Err(io::Error::other("another page is still being written"));
        }
        let path = free_path(folder, &casebook.dataset);
        let (is_writing, pages) = (Arc::clone(&self.is_writing), Arc::clone(&self.pages));
        let body = move || {
            let outcome = caught(|| {
                explanations.explain(&mut casebook);
                casebook.write(&path, &mut |_| {})
            });
            if let Ok(Ok(written)) = &outcome {
                pages.lock().unwrap_or_else(PoisonError::into_inner).push((path.clone(), *written));
            }
            is_writing.store(false, Ordering::SeqCst);
            let outcome = match outcome {
                Ok(written) => written.map_err(|error| message_of(&error)),
                Err(panic) => Err(format!("internal error: {}", panic_text(&*panic))),
            };
            send(path, outcome);
        };
        let started = std::thread::Builder::new().name("dissent-casebook".into()).spawn(body);
        match started {
            Ok(thread) => self.thread = Some(thread),
            Err(error) => {
                self.is_writing.store(false, Ordering::SeqCst);
                return Err(error);
            }
        }
        Ok(())
    }

    /// Whether a page is being written.
    pub fn is_writing(&self) -> bool {
        self.is_writing.load(Ordering::SeqCst)
    }

    /// Waits for the page that is being written.
    pub fn wait(&mut self) {
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }

    /// The pages written in this session, with what is in them.
    pub fn pages(&self) -> Vec<(PathBuf, Written)> {
        self.pages.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

fn free_path(folder: &Path, dataset: &str) -> PathBuf {
    let words: Vec<&str> =
        dataset.split(|sign: char| !sign.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
    let name = if words.is_empty() { "cases".to_owned() } else { words.join("-") };
    let numbered = |number: u32| folder.join(format!("{name}-{number}.html"));
    (1..MOST_PAGES).map(numbered).find(|path| !path.exists()).unwrap_or_else(|| numbered(MOST_PAGES))
}

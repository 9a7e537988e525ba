//! The handle of the engine: send requests, receive events, drop to stop.

use super::loaded_pipeline::{LoadPipeline, LoadSearch};
use super::mailbox::Mailbox;
use super::{Request, threads};
use crate::pipeline::Event;
use anyhow::{Context, Result};
use crossbeam_channel::{Receiver, unbounded};
use dissent_core::run::CaseAnswer;
use std::collections::HashSet;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// How long dropping the handle waits for the threads. They check for the end between prefill batches; a thread in a
/// longer step (such as reading weights) is left to end by itself.
const FAREWELL: Duration = Duration::from_millis(1500);

const READER_THREAD: &str = "dissent-reader";
const SEARCH_THREAD: &str = "dissent-search";
const CHECK_THREAD: &str = "dissent-check";

/// Slow work that may find an error.
pub(super) type Check = Box<dyn FnOnce() -> Option<String> + Send>;

/// A running engine. Dropping it cancels the work and ends the threads.
pub struct WorkerHandle {
    /// The events of the engine, in order.
    pub events: Receiver<Event>,
    mailbox: Arc<Mailbox>,
    threads: Vec<JoinHandle<()>>,
}

impl WorkerHandle {
    /// Sends a request; never blocks.
    pub fn send(&self, request: Request) {
        self.mailbox.post(request);
    }

    /// Starts the threads. The answers of a stored run are reported first, before any model is loaded; their cases are
    /// not read again.
    ///
    /// # Errors
    /// Fails if the system cannot start a thread.
    pub fn start(stored: Vec<CaseAnswer>, load_parts: LoadPipeline, load_search: LoadSearch) -> Result<Self> {
        Self::start_with(stored, load_parts, load_search, None)
    }

    /// Like [`Self::start`]. `check` is called on a thread of its own, and the error that it returns is reported.
    pub(super) fn start_with(
        stored: Vec<CaseAnswer>,
        load_parts: LoadPipeline,
        load_search: LoadSearch,
        check: Option<Check>,
    ) -> Result<Self> {
        let (sender, events) = unbounded();
        if let Some(check) = check {
            let sender = sender.clone();
            // Nobody waits for it: at the end of the program it may be in the middle of its work.
            let check = move || {
                if let Some(message) = check() {
                    threads::report(&sender, Event::Failed { case: None, message });
                }
            };
            thread::Builder::new()
                .name(CHECK_THREAD.into())
                .spawn(check)
                .context("cannot start the checking thread")?;
        }
        let mut known = HashSet::new();
        for answer in stored {
            known.insert(answer.case);
            threads::report(&sender, Event::Stored(answer));
        }
        let mailbox = Arc::new(Mailbox::default());
        let (loaded, when_loaded) = crossbeam_channel::bounded(1);
        let reading = {
            let (mailbox, sender) = (mailbox.clone(), sender.clone());
            thread::Builder::new()
                .name(READER_THREAD.into())
                .spawn(move || threads::answer_cases(&mailbox, &sender, load_parts, &loaded, &known))
                .context("cannot start the reader thread")?
        };
        let searching = {
            let mailbox = mailbox.clone();
            thread::Builder::new()
                .name(SEARCH_THREAD.into())
                .spawn(move || threads::answer_searches(&mailbox, &sender, &when_loaded, load_search))
                .context("cannot start the search thread")?
        };
        Ok(Self { events, mailbox, threads: vec![reading, searching] })
    }
}

impl Drop for WorkerHandle {
    fn drop(&mut self) {
        self.mailbox.close();
        let deadline = Instant::now() + FAREWELL;
        while Instant::now() < deadline && self.threads.iter().any(|handle| !handle.is_finished()) {
            thread::sleep(Duration::from_millis(2));
        }
    }
}

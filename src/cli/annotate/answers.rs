//! The answers to a case, from the stored run or else from the models. Callers wait for them.

use crate::evaluation::PartialCaseAnswer;
use crate::output::say;
use crate::pipeline::{Event, HostedReader, ServerUsage};
use crate::worker::{Request, WorkerHandle};
use std::collections::HashMap;

/// The answers that have come so far.
pub(super) struct Answers {
    worker: WorkerHandle,
    of_case: HashMap<usize, PartialCaseAnswer>,
    /// What was asked of servers so far.
    pub usage: ServerUsage,
    /// Fingerprint of the stored run, or of the models once they are loaded.
    pub run_fingerprint: Option<String>,
}

impl Answers {
    pub fn new(worker: WorkerHandle, run_fingerprint: Option<String>) -> Self {
        Self { worker, of_case: HashMap::new(), usage: ServerUsage::default(), run_fingerprint }
    }

    /// Waits for the models. Returns where they answer, if that may cost money.
    pub fn wait_for_hosted(&mut self) -> Option<HostedReader> {
        while let Ok(event) = self.worker.events.recv() {
            let hosted = match &event {
                Event::Ready(description) => Some(description.hosted.clone()),
                Event::Failed { case: None, .. } => Some(None),
                _ => None,
            };
            self.take_in(event);
            if let Some(hosted) = hosted {
                return hosted;
            }
        }
        None
    }

    /// Whether all answers to the case are here.
    pub fn has(&self, case: usize) -> bool {
        self.of_case.get(&case).is_some_and(is_complete)
    }

    /// All answers to a case; waits for the reader. The first case waits for the models as well.
    pub fn wait_for(&mut self, case: usize) -> &PartialCaseAnswer {
        while let Ok(event) = self.worker.events.try_recv() {
            self.take_in(event);
        }
        if !self.of_case.get(&case).is_some_and(is_complete) {
            self.worker.send(Request::Open { case });
        }
        while !self.of_case.get(&case).is_some_and(is_complete) {
            // If the worker has ended, no more answers will come.
            let Ok(event) = self.worker.events.recv() else { break };
            self.take_in(event);
        }
        self.of_case.entry(case).or_default()
    }

    /// Asks the reader to work on these cases while the annotator thinks.
    pub fn work_ahead(&self, cases: Vec<usize>) {
        self.worker.send(Request::Ahead { cases });
    }

    fn take_in(&mut self, event: Event) {
        match event {
            Event::Ready(description) => self.run_fingerprint = Some(description.run_fingerprint),
            Event::Progress(line) => say(&line),
            Event::Usage(usage) => self.usage = usage,
            Event::Stored(answer) => {
                self.of_case.insert(answer.case, answer.into());
            }
            Event::Hits { case, hits } => self.of_case.entry(case).or_default().set_hits(hits),
            Event::Prediction { case, slot, prediction } => {
                self.of_case.entry(case).or_default().set_prediction(slot, prediction);
            }
            Event::ClosedBook { case, prediction } => {
                self.of_case.entry(case).or_default().closed_book = Some(prediction);
            }
            Event::Failed { case: Some(case), message } => {
                self.of_case.entry(case).or_default().failed = Some(message);
            }
            Event::Failed { case: None, message } => say(&message),
            Event::SearchResults { .. }
            | Event::SearchFailed { .. }
            | Event::Probed { .. }
            | Event::Explaining { .. }
            | Event::Explained { .. } => {}
        }
    }
}

/// Whether all answers have come. The closed-book answer comes last.
fn is_complete(answers: &PartialCaseAnswer) -> bool {
    let has_closed_book = answers.closed_book.is_some() || answers.has_no_closed_book;
    answers.failed.is_some() || (answers.is_settled() && has_closed_book)
}

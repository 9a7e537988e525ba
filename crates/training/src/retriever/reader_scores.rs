//! Answers of the frozen reader to candidates, cached per case and document for the life of a workspace.

use crate::TrainingWatcher;
use anyhow::{Context, Result, bail};
use dissent_core::data::{Answer, Case, Dataset, LabelIndex, Task};
use dissent_core::run::LabelScores;
use dissent_readers::pipeline::Pipeline;
use dissent_readers::reader::ReaderError;
use std::collections::HashMap;
use std::sync::Arc;

/// Position of the gold answer among a case's scores. A task that is not answered with one label has a single score,
/// the score of the gold answer ([`Pipeline::score_pairs`]).
///
/// # Errors
/// Fails if the task has labels and the gold answer is not one of them.
pub(super) fn position_of_gold(dataset: &Dataset, case: &Case) -> Result<LabelIndex> {
    if !dataset.task(&case.task).is_some_and(Task::chooses_one_label) {
        return Ok(0);
    }
    let gold = dataset.gold_of(case).and_then(Answer::label);
    gold.with_context(|| format!("case {}: the answer {:?} is no label of task {}", case.id, case.answer, case.task))
}

/// Number of requested answers, and how many of them needed a call of the reader.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReaderCalls {
    pub wanted: usize,
    pub asked: usize,
}

/// Cached answers of the reader.
pub struct ReaderScores<'a> {
    pipeline: Pipeline,
    watcher: &'a dyn TrainingWatcher,
    known: HashMap<(usize, usize), Arc<LabelScores>>,
    wanted: usize,
}

impl<'a> ReaderScores<'a> {
    /// Uses the pipeline's reader and cache.
    pub fn new(pipeline: Pipeline, watcher: &'a dyn TrainingWatcher) -> Self {
        Self { pipeline, watcher, known: HashMap::new(), wanted: 0 }
    }

    /// The reader's answers to pairs of a case and a corpus row, in order.
    ///
    /// # Errors
    /// Fails if an image cannot be read, the reader fails, or the user interrupts.
    pub fn answers(&mut self, pairs: &[(usize, usize)]) -> Result<Vec<Arc<LabelScores>>> {
        self.wanted += pairs.len();
        let unknown: Vec<(usize, usize)> =
            pairs.iter().copied().filter(|pair| !self.known.contains_key(pair)).collect();
        match self.pipeline.score_pairs(&unknown, &|| self.watcher.interrupted()) {
            Ok(scores) => self.known.extend(unknown.into_iter().zip(scores.into_iter().map(Arc::new))),
            Err(ReaderError::Cancelled) => return Err(ReaderError::Cancelled.into()),
            Err(ReaderError::Failed(error)) => return Err(error),
        }
        // Without the cache a resumed run would ask for everything again.
        if let Some(error) = self.pipeline.take_errors().into_iter().next() {
            return Err(error);
        }
        let mut answers = Vec::with_capacity(pairs.len());
        for pair in pairs {
            let Some(scores) = self.known.get(pair) else { bail!("the reader gave no answer to the pair {pair:?}") };
            answers.push(scores.clone());
        }
        Ok(answers)
    }

    /// Requested answers so far, and how many of them needed a call of the reader.
    pub fn calls(&self) -> ReaderCalls {
        ReaderCalls { wanted: self.wanted, asked: self.pipeline.asked() }
    }
}

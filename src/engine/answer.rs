//! Everything the models say about one case.

use super::Event;
use crate::analysis::{CaseOutcome, ScoredHit, SummaryCase, fuse};
use crate::data::Dataset;
use crate::reader::Prediction;
use crate::retriever::Hit;

/// Hits, one prediction per hit, and the closed-book one.
#[derive(Clone, Debug, PartialEq)]
pub struct CaseAnswer {
    /// Position in `Dataset::cases`.
    pub case: usize,
    /// Empty where the case was read closed-book only.
    pub hits: Vec<Hit>,
    /// One per hit.
    pub predictions: Vec<Prediction>,
    /// `None` in a stored run of software that did not ask without a document.
    pub closed_book: Option<Prediction>,
    /// The fused answer of other software, as it wrote it.
    pub recorded_fusion: Option<Prediction>,
}

impl CaseAnswer {
    /// The answers as the engine reports them; closed-book comes last.
    pub fn events(self) -> Vec<Event> {
        let case = self.case;
        let mut events = vec![Event::Hits { case, hits: self.hits }];
        for (slot, prediction) in self.predictions.into_iter().enumerate() {
            events.push(Event::Prediction { case, slot, prediction });
        }
        events.push(Event::ClosedBook { case, prediction: self.closed_book });
        events
    }

    /// The answers beside the gold label. `None` if the dataset has no such case.
    pub fn to_summary_case(&self, dataset: &Dataset) -> Option<SummaryCase> {
        let case = dataset.cases.get(self.case)?;
        let gold = dataset.gold_of(case);
        let outcome = fuse(&self.found()).map(|fused| CaseOutcome {
            gold,
            answers: self.predictions.iter().map(|prediction| prediction.label).collect(),
            fused: fused.prediction.label,
        });
        Some(SummaryCase {
            task: case.task.clone(),
            gold,
            closed_book: self.closed_book.as_ref().map(|prediction| prediction.label),
            outcome,
        })
    }

    /// Hits and predictions, as fusers take them.
    pub fn found(&self) -> Vec<ScoredHit<'_>> {
        self.hits.iter().map(|hit| hit.provenances.as_slice()).zip(&self.predictions).collect()
    }
}

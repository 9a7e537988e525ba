//! Everything the models say about one case.

use super::Event;
use crate::analysis::{CaseOutcome, SummaryCase, fuse};
use crate::data::Dataset;
use crate::reader::LabelScores;
use crate::retriever::{Hit, Provenance};

/// Hits, one prediction per hit, and the closed-book one.
#[derive(Clone, Debug, PartialEq)]
pub struct CaseAnswer {
    /// Position in `Dataset::cases`.
    pub case: usize,
    /// Empty where the case was read closed-book only.
    pub hits: Vec<Hit>,
    /// One per hit.
    pub predictions: Vec<LabelScores>,
    pub closed_book: LabelScores,
}

impl CaseAnswer {
    /// The answers as the engine reports them; closed-book comes last.
    pub fn events(self) -> Vec<Event> {
        let case = self.case;
        let mut events = vec![Event::Hits { case, hits: self.hits }];
        for (slot, scores) in self.predictions.into_iter().enumerate() {
            events.push(Event::Prediction { case, slot, scores });
        }
        events.push(Event::ClosedBook { case, scores: self.closed_book });
        events
    }

    /// The answers beside the gold label. `None` if the dataset has no such case.
    pub fn to_summary_case(&self, dataset: &Dataset) -> Option<SummaryCase> {
        let case = dataset.cases.get(self.case)?;
        let gold = dataset.gold_of(case);
        let predictions: Vec<(&[Provenance], &LabelScores)> =
            self.hits.iter().map(|hit| hit.provenances.as_slice()).zip(&self.predictions).collect();
        let outcome = fuse(&predictions).map(|fused| CaseOutcome {
            gold,
            answers: self.predictions.iter().map(LabelScores::arg_max).collect(),
            fused: fused.answer,
        });
        Some(SummaryCase { task: case.task.clone(), gold, closed_book: self.closed_book.arg_max(), outcome })
    }
}

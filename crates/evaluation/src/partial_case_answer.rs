//! The answers to one case while they arrive, with the documents that the user has added.

use super::{CaseOutcome, Fused, ScoredHit, Verdict, fuse};
use dissent_core::data::{Answer, Label};
use dissent_core::run::{CaseAnswer, Hit, Prediction, Probe};
use std::borrow::Cow;

/// Id of a document, and the answer with it as annotations compare it.
pub type AnswerOfDocument<'a> = (&'a str, Option<Cow<'a, str>>);

/// Stands for an answer that has not come.
const NOT_READ: Prediction = Prediction { answer: None, scores: None, odds: None, samples: None, text: None };

/// A [`CaseAnswer`] whose parts arrive one by one, for the explorer and for `annotate`.
///
/// There are two types because a run holds whole answers only: in [`CaseAnswer`] each hit has a prediction, so that figures
/// need not ask what is missing. Here the parts may be missing or have failed, the fused answer is kept as soon as it can
/// be made, and a person may add documents, which no run holds. An answer read from a run becomes one of these by `from`.
#[derive(Clone, Debug, Default)]
pub struct PartialCaseAnswer {
    /// `None` until retrieval is done; an empty list means that nothing was found. Private, as `fused` depends on it.
    hits: Option<Vec<Hit>>,
    /// One per hit.
    predictions: Vec<Option<Prediction>>,
    pub closed_book: Option<Prediction>,
    /// No closed-book answer will come, because the stored run has none.
    pub has_no_closed_book: bool,
    /// Reason why the worker gave up on this case.
    pub failed: Option<String>,
    /// What the user has had the reader answer with beside the hits; only what-if fusions count it.
    pub user_hits: Vec<UserHit>,
    /// The fused answer, set once every hit is read.
    fused: Option<Fused>,
}

/// A document in a slot after the hits: one added by the user, or a hit with its image or caption withheld or swapped.
#[derive(Clone, Debug)]
pub struct UserHit {
    pub probe: Probe,
    pub hit: Hit,
    /// Row of the document whose caption the reader was given; `None` until it has answered, and where it was given none.
    pub caption_row: Option<usize>,
    /// `None` until the reader has answered.
    pub outcome: Option<Result<Prediction, String>>,
}

impl UserHit {
    /// Whether the document was shown whole, with its own image and caption.
    pub fn is_whole(&self) -> bool {
        self.probe.ablation.is_none()
    }

    /// Whether the reader has answered.
    pub fn is_read(&self) -> bool {
        matches!(self.outcome, Some(Ok(_)))
    }
}

impl From<CaseAnswer> for PartialCaseAnswer {
    fn from(answer: CaseAnswer) -> Self {
        let mut answers = Self { has_no_closed_book: answer.closed_book.is_none(), ..Self::default() };
        answers.set_hits(answer.hits);
        for (slot, prediction) in answer.predictions.into_iter().enumerate() {
            answers.set_prediction(slot, prediction);
        }
        answers.closed_book = answer.closed_book;
        answers
    }
}

impl PartialCaseAnswer {
    /// Sets the hits. New hits discard the earlier predictions.
    pub fn set_hits(&mut self, hits: Vec<Hit>) {
        if self.hits.as_ref() == Some(&hits) {
            return;
        }
        self.predictions = vec![None; hits.len()];
        self.user_hits.clear();
        self.fused = None;
        self.failed = None;
        self.hits = Some(hits);
    }

    /// Sets the reader's answer with the hit in this slot; a slot that does not exist is ignored.
    pub fn set_prediction(&mut self, slot: usize, prediction: Prediction) {
        let Some(place) = self.predictions.get_mut(slot) else { return };
        *place = Some(prediction);
        self.failed = None;
        self.fused = self.found().and_then(|found| fuse(&found));
    }

    /// The hits. `None` until retrieval is done; an empty list means that nothing was found.
    pub fn hits(&self) -> Option<&[Hit]> {
        self.hits.as_deref()
    }

    /// Number of hits; 0 until retrieval is done.
    pub fn hit_count(&self) -> usize {
        self.predictions.len()
    }

    /// The fused answer, once every hit is read.
    pub fn fused(&self) -> Option<&Fused> {
        self.fused.as_ref()
    }

    /// The answer that counts: the fused one, or that without a document if the run has no documents for the case.
    pub fn final_answer(&self) -> Option<&Prediction> {
        let alone = self.closed_book.as_ref().filter(|_| self.hits.as_ref().is_some_and(Vec::is_empty));
        self.fused.as_ref().map(|fused| &fused.prediction).or(alone)
    }

    /// Number of hits that are read.
    pub fn read_count(&self) -> usize {
        self.predictions.iter().flatten().count()
    }

    /// Whether nothing more will come for this case unless it is asked for again.
    pub fn is_settled(&self) -> bool {
        self.failed.is_some() || self.fused.is_some() || self.hits.as_ref().is_some_and(Vec::is_empty)
    }

    /// The outcome against the gold answer; `None` until every hit is read.
    pub fn outcome(&self, gold: Option<Answer>) -> Option<CaseOutcome> {
        Some(CaseOutcome::new(gold, self.predictions.iter().flatten(), &self.fused.as_ref()?.prediction))
    }

    /// Whether the predictions agree; `None` until every hit is read.
    pub fn verdict(&self) -> Option<Verdict> {
        self.without_gold().map(|outcome| outcome.verdict())
    }

    /// Entropy of the answers' shares, in bits; `None` until every hit is read.
    pub fn entropy(&self) -> Option<f64> {
        self.without_gold().map(|outcome| outcome.entropy())
    }

    /// Share of the pairs of answers that differ; `None` until every hit is read.
    pub fn disagreement(&self) -> Option<f64> {
        self.without_gold().map(|outcome| outcome.disagreement())
    }

    /// The outcome for figures that do not depend on gold.
    fn without_gold(&self) -> Option<CaseOutcome> {
        self.outcome(None)
    }

    /// Whether the closed-book answer is right; `None` if there is none, or not yet.
    pub fn closed_book_is_right(&self, gold: Option<Answer>) -> Option<bool> {
        self.closed_book.as_ref().map(|prediction| prediction.is_right(gold))
    }

    /// Each document with its answer in the form that annotations are compared by: the label's id, the ids of a set of
    /// labels, or the words if the task has no labels. `None` until every hit is read.
    pub fn answer_by_document<'a>(&'a self, labels: &'a [Label]) -> Option<Vec<AnswerOfDocument<'a>>> {
        let mut read = Vec::new();
        for (hit, prediction) in self.hits.as_ref()?.iter().zip(&self.predictions) {
            let prediction = prediction.as_ref()?;
            let label = prediction.answer.and_then(|answer| answer.id_in(labels));
            let words = prediction.text.as_deref().filter(|_| labels.is_empty()).map(Cow::Borrowed);
            read.push((hit.document.as_str(), label.or(words)));
        }
        Some(read)
    }

    /// Like [`Self::found`], with the user's own evidence, one entry per slot. A document that is not read has an
    /// empty prediction and must get weight 0.
    pub fn found_with_user_hits(&self) -> Option<Vec<ScoredHit<'_>>> {
        let mut found = self.found()?;
        for own in &self.user_hits {
            let prediction = match &own.outcome {
                Some(Ok(prediction)) => prediction,
                None | Some(Err(_)) => &NOT_READ,
            };
            found.push((own.hit.provenances.as_slice(), prediction));
        }
        Some(found)
    }

    /// The hit in this slot; the user's own evidence comes after the retrieved hits.
    pub fn hit_at(&self, slot: usize) -> Option<&Hit> {
        let hits = self.hits.as_deref()?;
        hits.get(slot).or_else(|| Some(&self.user_hits.get(slot - hits.len())?.hit))
    }

    /// The reader's answer with the hit in this slot.
    pub fn prediction_at(&self, slot: usize) -> Option<&Prediction> {
        match self.user_hit_at(slot) {
            Some(own) => own.outcome.as_ref()?.as_ref().ok(),
            None => self.predictions.get(slot)?.as_ref(),
        }
    }

    /// The user's own evidence in this slot.
    pub fn user_hit_at(&self, slot: usize) -> Option<&UserHit> {
        self.user_hits.get(slot.checked_sub(self.hits.as_ref()?.len())?)
    }

    /// The slots that are read, each with its prediction.
    pub fn read_slots(&self) -> Vec<(usize, &Prediction)> {
        (0..self.slots()).filter_map(|slot| Some((slot, self.prediction_at(slot)?))).collect()
    }

    /// Number of hits, including the user's own evidence.
    pub fn slots(&self) -> usize {
        self.hit_count() + self.user_hits.len()
    }

    /// Hits and predictions as input of fusers; `None` until every hit is read.
    pub fn found(&self) -> Option<Vec<ScoredHit<'_>>> {
        let hits = self.hits.as_ref()?;
        let mut read = Vec::with_capacity(hits.len());
        for (hit, prediction) in hits.iter().zip(&self.predictions) {
            read.push((hit.provenances.as_slice(), prediction.as_ref()?));
        }
        Some(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use dissent_core::run::LabelScores;
    use dissent_core::run::{Head, Provenance};

    fn hit(row: usize) -> Hit {
        Hit {
            row,
            document: format!("d{row}"),
            provenances: vec![Provenance { head: Head::Image, rank: row + 1, score: Some(0.9) }],
        }
    }

    #[test]
    fn the_fused_answer_waits_for_the_last_prediction() {
        let mut answers = PartialCaseAnswer::default();
        answers.set_hits(vec![hit(0), hit(1)]);
        answers.set_prediction(1, LabelScores::exact(vec![-0.1, -3.0]).into());
        assert!(answers.fused().is_none() && answers.verdict().is_none());
        answers.set_prediction(0, LabelScores::exact(vec![-3.0, -0.2]).into());
        assert_eq!(answers.verdict(), Some(Verdict::Inconsistent));
        assert!(answers.is_settled());
    }

    #[test]
    fn new_hits_drop_old_predictions_and_the_same_hits_do_not() {
        let mut answers = PartialCaseAnswer::default();
        answers.set_hits(vec![hit(0)]);
        answers.set_prediction(0, LabelScores::exact(vec![-0.1, -3.0]).into());
        answers.set_hits(vec![hit(0)]);
        assert_eq!(answers.read_count(), 1);
        answers.set_hits(vec![hit(1)]);
        assert_eq!(answers.read_count(), 0);
    }
}

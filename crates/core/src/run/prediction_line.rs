//! One line of `predictions.jsonl`: a superset of what the reference writes per candidate (docs/method.md, "Files of
//! the reference").

use super::{CaseAnswer, Hit, LabelOdds, LabelSamples, LabelScores, Prediction, Provenance, Shown, ShownCaptions};
use crate::data::{Answer, Case, Dataset, DocumentView, Split, Task};
use crate::files::fingerprint::Fingerprint;
use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// A prediction for a case with one document, or closed-book (`document` is null). Strings are borrowed from the
/// dataset or from the line. Fields that reading skips are for people and other software.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct PredictionLine<'a> {
    /// The question. This and the next four are fields of the reference.
    #[serde(skip_deserializing)]
    query: &'a str,
    /// Gold answer.
    #[serde(skip_deserializing)]
    answers: &'a str,
    /// The answer: the id of the best label, or the generated text; null on a closed-book line if the reader was not
    /// asked without a document.
    #[serde(borrow)]
    pub generation: Option<Text<'a>>,
    /// The retrieved document; empty if closed-book.
    #[serde(skip_deserializing)]
    passages: Vec<Passage<'a>>,
    /// The case as it stands in `cases.jsonl`.
    #[serde(skip_deserializing)]
    metadata: Option<&'a Case>,
    /// Id of the case, again under `case`.
    #[serde(skip_deserializing)]
    id: &'a str,
    #[serde(skip_deserializing)]
    task: &'a str,
    #[serde(skip_deserializing)]
    split: Option<Split>,
    #[serde(borrow)]
    pub case: Text<'a>,
    /// Id of the document; null if closed-book.
    #[serde(borrow)]
    pub document: Option<Text<'a>>,
    /// How each head found the document, the deciding one first.
    pub heads: Vec<Provenance>,
    /// Rank and score of the deciding head.
    #[serde(skip_deserializing)]
    rank: Option<usize>,
    #[serde(skip_deserializing)]
    score: Option<f32>,
    /// Label ids in the task's order.
    #[serde(borrow)]
    pub labels: Vec<Text<'a>>,
    /// log p(label | prompt), one per label; null for an open answer, or if other software wrote none.
    pub label_log_probabilities: Option<LabelScores>,
    /// Log-odds of yes, one per label; absent unless the reader answered each label with yes or no.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label_log_odds: Option<LabelOdds>,
    /// How often each label was answered; absent unless the reader has no log-probabilities.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label_samples: Option<LabelSamples>,
    /// Id of the answered label; null if the generated text names none, and for a set of labels.
    #[serde(borrow)]
    pub prediction: Option<Text<'a>>,
    /// Ids of an answered set of labels; absent for other answers.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub predicted_set: Option<Vec<Text<'a>>>,
    /// Id of the gold label, or the open answer.
    #[serde(skip_deserializing)]
    gold: &'a str,
    /// Fingerprints.
    #[serde(borrow)]
    pub reader: Text<'a>,
    #[serde(borrow)]
    pub retriever: Option<Text<'a>>,
    /// Image and caption that the reader saw; absent if they are the document's own.
    #[serde(skip_deserializing, skip_serializing_if = "Option::is_none")]
    shown: Option<Shown>,
    /// The fused answer of other software; only on the closed-book line.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub fused: Option<RecordedFusion<'a>>,
}

/// A string of a line, borrowed if it has no escapes.
#[derive(Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Text<'a>(#[serde(borrow)] pub Cow<'a, str>);

/// The fused answer of other software.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct RecordedFusion<'a> {
    /// The generated text.
    #[serde(borrow)]
    pub generation: Text<'a>,
    /// Id of the answered label; null if the text names none.
    #[serde(borrow)]
    pub prediction: Option<Text<'a>>,
}

/// A document as the reference writes it.
#[derive(Debug, Serialize)]
struct Passage<'a> {
    id: &'a str,
    img_path: Cow<'a, str>,
    /// The caption that the reader was shown.
    text: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    dataset_source: Option<&'a str>,
}

/// Values that all lines of a run share.
pub(super) struct LineWriter<'a> {
    pub dataset: &'a Dataset,
    pub reader: &'a Fingerprint,
    pub retriever: Option<&'a Fingerprint>,
    pub captions: &'a ShownCaptions,
    pub without_image: bool,
}

impl<'a> LineWriter<'a> {
    /// The lines of a case: one per hit, in order, then the closed-book line, which ends the case.
    ///
    /// # Errors
    /// Fails if the case, its task or a document is not in the dataset.
    pub fn lines_of(&self, answer: &'a CaseAnswer) -> Result<Vec<PredictionLine<'a>>> {
        let dataset = self.dataset;
        let case = dataset.cases.get(answer.case);
        let case = case.with_context(|| format!("there is no case number {}", answer.case))?;
        let task = dataset.task(&case.task);
        let task = task.with_context(|| format!("case {}: there is no task {}", case.id, case.task))?;
        let mut lines = Vec::with_capacity(answer.hits.len() + 1);
        for (hit, prediction) in answer.hits.iter().zip(&answer.predictions) {
            let document = dataset.corpus.get(hit.row);
            let document = document.with_context(|| format!("document {} is not in the corpus", hit.document))?;
            let mut line = self.line(case, task, Some(prediction));
            self.add_hit(&mut line, task, hit, document);
            lines.push(line);
        }
        let mut last = self.line(case, task, answer.closed_book.as_ref());
        last.fused = answer.recorded_fusion.as_ref().map(|fused| RecordedFusion {
            generation: text(fused.text.as_deref().unwrap_or_default()),
            prediction: label_id(task, fused.answer),
        });
        lines.push(last);
        Ok(lines)
    }

    /// A closed-book line.
    fn line(&self, case: &'a Case, task: &'a Task, prediction: Option<&'a Prediction>) -> PredictionLine<'a> {
        let label = prediction.and_then(|prediction| label_id(task, prediction.answer));
        let generation = prediction.map(|prediction| match &prediction.text {
            Some(generated) => text(generated),
            None => Text(prediction.answer.and_then(|answer| answer.id_in(&task.labels)).unwrap_or_default()),
        });
        let set = prediction.and_then(|prediction| prediction.answer?.label_set());
        let predicted_set = set.map(|set| set.labels().filter_map(|label| task.labels.get(label)));
        PredictionLine {
            query: self.dataset.question_of(case),
            answers: &case.answer,
            generation,
            passages: Vec::new(),
            metadata: Some(case),
            id: &case.id,
            task: &task.id,
            split: Some(case.split),
            case: text(&case.id),
            document: None,
            heads: Vec::new(),
            rank: None,
            score: None,
            labels: task.labels.iter().map(|label| text(&label.id)).collect(),
            label_log_probabilities: prediction.and_then(|prediction| prediction.scores.clone()),
            label_log_odds: prediction.and_then(|prediction| prediction.odds.clone()),
            label_samples: prediction.and_then(|prediction| prediction.samples.clone()),
            prediction: label,
            predicted_set: predicted_set.map(|labels| labels.map(|label| text(&label.id)).collect()),
            gold: &case.answer,
            reader: text(self.reader.as_str()),
            retriever: self.retriever.map(|print| text(print.as_str())),
            shown: None,
            fused: None,
        }
    }

    fn add_hit(&self, line: &mut PredictionLine<'a>, task: &Task, hit: &'a Hit, document: DocumentView<'a>) {
        line.passages.push(Passage {
            id: document.id,
            img_path: document.image.to_string_lossy(),
            text: self.captions.of(self.dataset, &task.id, hit.row).unwrap_or_default(),
            dataset_source: document.source,
        });
        line.document = Some(text(&hit.document));
        line.heads.clone_from(&hit.provenances);
        line.rank = Some(hit.first().rank);
        line.score = hit.first().score;
        let caption_row = self.captions.row_of(&task.id, hit.row);
        line.shown = Shown::unless_own(self.dataset, hit.row, caption_row, self.without_image);
    }
}

fn text(text: &str) -> Text<'_> {
    Text(Cow::Borrowed(text))
}

fn label_id(task: &Task, answer: Option<Answer>) -> Option<Text<'_>> {
    Some(text(&answer?.label_in(&task.labels)?.id))
}

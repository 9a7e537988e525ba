//! One line of `predictions.jsonl`: a superset of what the reference writes per candidate (docs/method.md, "Files of the
//! reference").

use super::{CaseAnswer, Shown, ShownCaptions};
use super::{Hit, Provenance};
use super::{LabelScores, Prediction};
use crate::data::{Answer, Case, Dataset, Document, Split};
use crate::files::fingerprint::Fingerprint;
use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

/// A prediction for a case with one document, or (`document` is null) closed-book.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PredictionLine {
    /// The question that was asked; a field of the reference, like the next five.
    pub query: String,
    /// Gold answer.
    pub answers: String,
    /// What the reader says: the id of its best label, or the text that it, or other software, generated; null on a
    /// closed-book line of a run whose reader was not asked without a document.
    pub generation: Option<String>,
    /// The retrieved document; empty where closed-book.
    pub passages: Vec<Passage>,
    /// The case as it stands in `cases.jsonl`.
    pub metadata: Case,
    /// Id of the case, again under `case`.
    pub id: String,
    pub task: String,
    pub split: Split,
    pub case: String,
    /// Id of the document; null where closed-book.
    pub document: Option<String>,
    /// How each head found the document, the deciding one first.
    pub heads: Vec<Provenance>,
    /// Rank and score of the deciding head.
    pub rank: Option<usize>,
    pub score: Option<f32>,
    /// Label ids in the task's order.
    pub labels: Vec<String>,
    /// log p(label | prompt), one per label; null where the answer is open or other software wrote none.
    pub label_log_probabilities: Option<LabelScores>,
    /// Id of the answered label; null where the generated text names none.
    pub prediction: Option<String>,
    /// Id of the gold label, or the open answer.
    pub gold: String,
    /// Fingerprints.
    pub reader: Fingerprint,
    pub retriever: Option<Fingerprint>,
    /// What of which document the reader was really given; absent where it was this document's own image and caption.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shown: Option<Shown>,
    /// On the closed-book line: the fused answer of other software.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fused: Option<RecordedFusion>,
}

/// The fused answer of other software.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RecordedFusion {
    /// The generated text.
    pub generation: String,
    /// Id of the answered label; null where the text names none.
    pub prediction: Option<String>,
}

/// A document as the reference writes it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Passage {
    pub id: String,
    pub img_path: String,
    pub text: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dataset_source: Option<String>,
}

impl Passage {
    /// With the caption that the reader was shown.
    fn of(document: &Document, caption: &str) -> Self {
        Self {
            id: document.id.clone(),
            img_path: document.image.to_string_lossy().into_owned(),
            text: caption.to_owned(),
            dataset_source: document.source.clone(),
        }
    }
}

/// The lines of a case: one per hit, in order, and the closed-book one, which ends the case.
///
/// # Errors
/// Where case, task or document are not in the dataset.
pub(super) fn lines_of(
    dataset: &Dataset,
    answer: &CaseAnswer,
    reader: &Fingerprint,
    retriever: Option<&Fingerprint>,
    captions: &ShownCaptions,
    without_image: bool,
) -> Result<Vec<PredictionLine>> {
    let case = dataset.cases.get(answer.case);
    let case = case.with_context(|| format!("there is no case number {}", answer.case))?;
    let task = dataset.task(&case.task).with_context(|| format!("case {}: there is no task {}", case.id, case.task))?;
    let label_id = |answer: Option<Answer>| Some(answer?.label_in(&task.labels)?.id.clone());
    let caption_of = |hit: &Hit| captions.of(dataset, &task.id, hit.row).unwrap_or_default();
    let shown = |hit: &Hit| Shown::unless_own(dataset, hit.row, captions.row_of(&task.id, hit.row), without_image);
    let line = |hit: Option<(&Hit, &Document)>, answer: Option<&Prediction>| {
        let prediction = label_id(answer.and_then(|answer| answer.answer));
        let generated = answer.map(|answer| answer.text.clone().or_else(|| prediction.clone()).unwrap_or_default());
        PredictionLine {
            query: dataset.question_of(case).to_string(),
            answers: case.answer.clone(),
            generation: generated,
            passages: hit.iter().map(|(hit, document)| Passage::of(document, caption_of(hit))).collect(),
            metadata: case.clone(),
            id: case.id.clone(),
            task: task.id.clone(),
            split: case.split,
            case: case.id.clone(),
            document: hit.map(|(hit, _)| hit.document.clone()),
            heads: hit.map(|(hit, _)| hit.provenances.clone()).unwrap_or_default(),
            rank: hit.map(|(hit, _)| hit.first().rank),
            score: hit.and_then(|(hit, _)| hit.first().score),
            labels: task.labels.iter().map(|label| label.id.clone()).collect(),
            label_log_probabilities: answer.and_then(|answer| answer.scores.clone()),
            prediction,
            gold: case.answer.clone(),
            reader: reader.clone(),
            retriever: retriever.cloned(),
            shown: hit.and_then(|(hit, _)| shown(hit)),
            fused: None,
        }
    };
    let mut lines = Vec::new();
    for (hit, prediction) in answer.hits.iter().zip(&answer.predictions) {
        let document = dataset.corpus.get(hit.row);
        let document = document.with_context(|| format!("document {} is not in the corpus", hit.document))?;
        lines.push(line(Some((hit, document)), Some(prediction)));
    }
    let mut last = line(None, answer.closed_book.as_ref());
    last.fused = answer.recorded_fusion.as_ref().map(|fused| RecordedFusion {
        generation: fused.text.clone().unwrap_or_default(),
        prediction: label_id(fused.answer),
    });
    lines.push(last);
    Ok(lines)
}

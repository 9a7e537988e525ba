//! Writes a stored run as the documented JSONL (docs/reference/formats.md, "Predictions").

use crate::data::{Answer, Dataset, Label, Task};
use crate::run::{
    Ablation, CaseAnswer, Hit, LabelOdds, LabelSamples, LabelScores, Prediction, Provenance, RunIdentity,
};
use anyhow::{Context, Result};
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use std::io::Write;

/// One line. Fields that do not apply are left out.
#[derive(Serialize)]
struct ExportLine<'a> {
    case: &'a str,
    model: &'a str,
    /// Null without a document.
    document: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    heads: Option<&'a [Provenance]>,
    #[serde(skip_serializing_if = "is_false")]
    fused: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    ablation: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    label_log_probabilities: Option<ByLabel<'a, LabelScores>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    label_log_odds: Option<ByLabel<'a, LabelOdds>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    label_counts: Option<ByLabel<'a, LabelSamples>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    no_label: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<&'a str>,
    #[serde(skip_serializing_if = "AnsweredLabel::is_absent")]
    prediction: AnsweredLabel<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    predicted_set: Option<Vec<&'a str>>,
}

/// The label of an answer.
#[derive(Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(untagged)]
enum AnsweredLabel<'a> {
    /// An open answer, or a set of labels.
    Absent,
    /// The text names no label: null.
    None,
    Id(&'a str),
}

impl AnsweredLabel<'_> {
    fn is_absent(&self) -> bool {
        *self == Self::Absent
    }
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde gives a reference")]
fn is_false(value: &bool) -> bool {
    !*value
}

/// Numbers per label as an object, in the order of the labels.
struct ByLabel<'a, T> {
    labels: &'a [Label],
    numbers: &'a T,
}

/// A number that is a bound.
#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
enum Bound {
    AtMost(f32),
    AtLeast(f32),
}

impl Serialize for ByLabel<'_, LabelScores> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.labels.len()))?;
        for (place, (label, value)) in self.labels.iter().zip(self.numbers.log_probabilities()).enumerate() {
            if self.numbers.is_bound(place) {
                map.serialize_entry(&label.id, &Bound::AtMost(*value))?;
            } else {
                map.serialize_entry(&label.id, value)?;
            }
        }
        map.end()
    }
}

impl Serialize for ByLabel<'_, LabelOdds> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.labels.len()))?;
        for (place, (label, value)) in self.labels.iter().zip(self.numbers.log_odds()).enumerate() {
            if !self.numbers.is_bound(place) {
                map.serialize_entry(&label.id, value)?;
            } else if *value < 0.0 {
                map.serialize_entry(&label.id, &Bound::AtMost(*value))?;
            } else {
                map.serialize_entry(&label.id, &Bound::AtLeast(*value))?;
            }
        }
        map.end()
    }
}

impl Serialize for ByLabel<'_, LabelSamples> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.labels.iter().map(|label| &label.id).zip(self.numbers.counts()))
    }
}

/// Writes one line per prediction, the cases in the given order: the hits of a case, its answer without a document, and the
/// fused answer of other software. A model that stands as a candidate gives a line without a document. Importing the lines
/// gives the same answers again. Returns the number of lines.
///
/// # Errors
/// Fails if an answer does not belong to the dataset, or the output cannot be written.
pub fn export_predictions(
    dataset: &Dataset,
    identity: &RunIdentity,
    answers: &[CaseAnswer],
    out: &mut dyn Write,
) -> Result<usize> {
    let ablation: Ablation = identity.ablation.parse().context("run.toml, field ablation")?;
    let ablation = (!ablation.is_none()).then_some(identity.ablation.as_str());
    let stands_for_models = !identity.candidates.is_empty();
    let mut count = 0;
    for answer in answers {
        let case =
            dataset.cases.get(answer.case).with_context(|| format!("there is no case number {}", answer.case))?;
        let task =
            dataset.task(&case.task).with_context(|| format!("case {}: there is no task {}", case.id, case.task))?;
        let line = |hit: Option<&'_ Hit>, prediction: &'_ Prediction| -> Result<String> {
            let model = hit.filter(|_| stands_for_models).map_or(identity.reader_name.as_str(), |hit| &hit.document);
            let hit = hit.filter(|_| !stands_for_models);
            let document = hit.map(|hit| (hit.document.as_str(), hit.provenances.as_slice())).unzip();
            let line = ExportLine { model, ablation, ..line_of(&case.id, document, task, prediction) };
            serde_json::to_string(&line).context("cannot write a prediction as JSON")
        };
        let mut lines = Vec::with_capacity(answer.hits.len() + 2);
        for (hit, prediction) in answer.hits.iter().zip(&answer.predictions) {
            lines.push(line(Some(hit), prediction)?);
        }
        if let Some(prediction) = &answer.closed_book {
            lines.push(line(None, prediction)?);
        }
        if let Some(prediction) = &answer.recorded_fusion {
            let fused = ExportLine {
                model: &identity.reader_name,
                ablation,
                fused: true,
                ..line_of(&case.id, (None, None), task, prediction)
            };
            lines.push(serde_json::to_string(&fused).context("cannot write a prediction as JSON")?);
        }
        count += lines.len();
        for line in lines {
            writeln!(out, "{line}").context("cannot write the predictions")?;
        }
    }
    Ok(count)
}

fn line_of<'a>(
    case: &'a str,
    (document, heads): (Option<&'a str>, Option<&'a [Provenance]>),
    task: &'a Task,
    prediction: &'a Prediction,
) -> ExportLine<'a> {
    let labels = task.labels.as_slice();
    let id_of = |label: usize| labels.get(label).map(|label| label.id.as_str());
    let (label, set) = match prediction.answer {
        // The words of an open answer are its text.
        Some(Answer::Text(_)) => (AnsweredLabel::Absent, None),
        Some(Answer::Set(set)) => (AnsweredLabel::Absent, Some(set.labels().filter_map(id_of).collect())),
        Some(Answer::Label(label)) => (id_of(label).map_or(AnsweredLabel::None, AnsweredLabel::Id), None),
        None => (AnsweredLabel::None, None),
    };
    ExportLine {
        case,
        model: "",
        document,
        heads,
        fused: false,
        ablation: None,
        label_log_probabilities: prediction.scores.as_ref().map(|numbers| ByLabel { labels, numbers }),
        label_log_odds: prediction.odds.as_ref().map(|numbers| ByLabel { labels, numbers }),
        label_counts: prediction.samples.as_ref().map(|numbers| ByLabel { labels, numbers }),
        no_label: prediction.samples.as_ref().map(LabelSamples::unnamed),
        text: prediction.text.as_deref(),
        prediction: label,
        predicted_set: set,
    }
}

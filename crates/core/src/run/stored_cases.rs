//! Reads `predictions.jsonl`: whole cases one by one, damaged lines, and the start of a torn tail.

use super::checksum::check;
use super::prediction_line::{PredictionLine, Text};
use super::{LabelSamples, Prediction, Provenance, RunIdentity};
use crate::data::{Answer, LabelIndex, LabelSet, MOST_LABELS_IN_SETS};
use crate::files::line_blocks::LineBlocks;
use anyhow::{Context, Result, anyhow, bail, ensure};
use rayon::prelude::*;
use std::io::ErrorKind;
use std::path::Path;
use std::sync::Arc;

/// Half types may round a log-probability to this much above 0.
const ROUNDING: f32 = 0.01;
/// Number of damaged lines that an error lists.
const NAMED: usize = 5;

/// All stored answers to one case.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredCase {
    /// Id of the case.
    pub id: String,
    /// Number of its first line in the file, from 1.
    pub line: usize,
    /// Label ids of its task when the run was made.
    pub labels: Arc<[String]>,
    /// One per document, in the order of the file.
    pub answers: Vec<StoredAnswer>,
    /// `None` if the reader was not asked without a document.
    pub closed_book: Option<Prediction>,
    /// The fused answer of other software.
    pub recorded_fusion: Option<Prediction>,
}

/// The answer with one document.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredAnswer {
    /// Id of the document.
    pub document: String,
    pub heads: Vec<Provenance>,
    pub prediction: Prediction,
}

/// Sizes of the file and of its whole cases.
pub(super) struct Extent {
    /// Bytes up to the end of the last whole case. The rest was being written when the program ended.
    pub whole: u64,
    /// Bytes in the file.
    pub length: u64,
    /// Number of the line where the torn tail begins.
    pub torn_at: Option<usize>,
}

/// Gives every whole case to `on_case`, in the order of the file; a missing file is empty.
///
/// # Errors
/// Fails if the file cannot be read. Fails if lines are not predictions, were changed after they were written or belong
/// to another run than `identity`; the error lists the first such lines.
pub(super) fn read_cases(path: &Path, identity: &RunIdentity, on_case: &mut dyn FnMut(StoredCase)) -> Result<Extent> {
    let mut extent = Extent { whole: 0, length: 0, torn_at: None };
    let mut blocks = match LineBlocks::open(path) {
        Ok(blocks) => blocks,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(extent),
        Err(error) => return Err(error).with_context(|| format!("cannot read {}", path.display())),
    };
    let mut damage = Damage { path, lines: Vec::new(), more: 0 };
    let mut open: Option<StoredCase> = None;
    let mut checksum = None;
    // After a damaged line the rest of its case does not fit either; report only the first line.
    let mut in_damaged_case = false;
    let mut labels: Arc<[String]> = Arc::new([]);
    while let Some(block) = blocks.next_block().with_context(|| format!("cannot read {}", path.display()))? {
        let lines = block.lines();
        let parsed: Vec<Option<Result<PredictionLine>>> =
            lines.par_iter().map(|(_, bytes)| is_written(bytes).then(|| parse(bytes, identity))).collect();
        for ((number, bytes), line) in lines.into_iter().zip(parsed) {
            extent.length += bytes.len() as u64;
            let line = match line {
                None => {
                    extent.torn_at = Some(open.as_ref().map_or(number, |case| case.line));
                    continue;
                }
                Some(Ok(line)) => line,
                Some(Err(error)) => {
                    damage.add(number, &error);
                    (open, checksum, in_damaged_case) = (None, None, true);
                    continue;
                }
            };
            // A case that was cut off leaves lines before those of the next one.
            if open.as_ref().is_some_and(|case| case.id != line.case.0) {
                (open, checksum) = (None, None);
            }
            let checked = check(bytes, checksum);
            if in_damaged_case && checked.is_err() {
                continue;
            }
            in_damaged_case = false;
            let outcome = checked.and_then(|sum| {
                checksum = sum;
                if !labels.iter().map(String::as_str).eq(line.labels.iter().map(|label| &*label.0)) {
                    labels = line.labels.iter().map(|label| label.0.to_string()).collect();
                }
                add(&mut open, line, number, &labels, sum.is_some())
            });
            match outcome {
                Ok(CaseEnds::No) => continue,
                Ok(CaseEnds::Yes) => {
                    if let Some(case) = open.take() {
                        on_case(case);
                    }
                    extent.whole = extent.length;
                }
                Err(error) => {
                    damage.add(number, &error);
                    (open, in_damaged_case) = (None, true);
                }
            }
            checksum = None;
        }
    }
    if let Some(case) = open {
        extent.torn_at = Some(case.line);
    }
    damage.into_error().map_or(Ok(extent), Err)
}

/// Is this a whole line? A power cut can leave zeros in place of one.
fn is_written(bytes: &[u8]) -> bool {
    bytes.ends_with(b"\n") && bytes.iter().any(|byte| !matches!(byte, 0 | b'\n'))
}

/// Damaged lines of a file.
struct Damage<'a> {
    path: &'a Path,
    lines: Vec<String>,
    /// Damaged lines that are counted but not listed.
    more: usize,
}

impl Damage<'_> {
    fn add(&mut self, line: usize, error: &anyhow::Error) {
        if self.lines.len() == NAMED {
            self.more += 1;
            return;
        }
        self.lines.push(format!("{}:{line}: {error:#}", self.path.display()));
    }

    fn into_error(mut self) -> Option<anyhow::Error> {
        if self.more > 0 {
            self.lines.push(format!("and {} more lines", self.more));
        }
        (!self.lines.is_empty()).then(|| anyhow!("{}", self.lines.join("\n")))
    }
}

/// Was this the last line of the case?
enum CaseEnds {
    Yes,
    No,
}

fn parse<'a>(bytes: &'a [u8], identity: &RunIdentity) -> Result<PredictionLine<'a>> {
    let line: PredictionLine =
        serde_json::from_slice(bytes).map_err(|error| anyhow!("expected a prediction, found: {error}"))?;
    let prints = &identity.fingerprints;
    ensure!(
        line.reader.0 == prints.reader.as_str(),
        "a prediction of another run: its reader is {}, run.toml names {}",
        line.reader.0,
        prints.reader
    );
    let retriever = line.retriever.as_ref().map_or("none", |print| &print.0);
    let expected = prints.retriever.as_ref().map_or("none", |print| print.as_str());
    ensure!(
        retriever == expected,
        "a prediction of another run: its retriever is {retriever}, run.toml names {expected}"
    );
    Ok(line)
}

/// Adds a line to its case.
fn add(
    open: &mut Option<StoredCase>,
    mut line: PredictionLine,
    number: usize,
    labels: &Arc<[String]>,
    is_sealed: bool,
) -> Result<CaseEnds> {
    let prediction = prediction_of(&mut line, is_sealed)?;
    let case = open.get_or_insert_with(|| StoredCase {
        id: line.case.0.to_string(),
        line: number,
        labels: labels.clone(),
        answers: Vec::new(),
        closed_book: None,
        recorded_fusion: None,
    });
    if case.labels != *labels {
        bail!(
            "the labels {} differ from the labels of the case's first line, {}",
            labels.join(", "),
            case.labels.join(", ")
        );
    }
    let Some(document) = &line.document else {
        case.closed_book = line.generation.as_ref().map(|_| prediction);
        if let Some(fusion) = &line.fused {
            let answer = label_of(&line, fusion.prediction.as_ref())?.map(Answer::Label);
            let text = Some(fusion.generation.0.to_string());
            case.recorded_fusion = Some(Prediction { answer, scores: None, odds: None, samples: None, text });
        }
        return Ok(CaseEnds::Yes);
    };
    ensure!(!line.heads.is_empty(), "the prediction with document {} names no head", document.0);
    let mut heads = line.heads;
    heads.shrink_to_fit();
    case.answers.push(StoredAnswer { document: document.0.to_string(), heads, prediction });
    Ok(CaseEnds::No)
}

/// The prediction of a line. Without a checksum the answer must be the label with the largest log-probability: this
/// holds in every run of dissent, but not in runs of software that generates text.
fn prediction_of(line: &mut PredictionLine, is_sealed: bool) -> Result<Prediction> {
    if let Some(ids) = line.predicted_set.take() {
        return set_prediction(line, &ids);
    }
    let label = label_of(line, line.prediction.as_ref())?;
    let answer = label.map(Answer::Label);
    if let Some(samples) = line.label_samples.take() {
        return sampled_prediction(line, samples, answer, is_sealed);
    }
    let Some(scores) = line.label_log_probabilities.take() else {
        return Ok(Prediction {
            answer,
            scores: None,
            odds: None,
            samples: None,
            text: line.generation.as_ref().map(|text| text.0.to_string()),
        });
    };
    let (found, expected) = (scores.log_probabilities().len(), line.labels.len());
    ensure!(found == expected, "expected {expected} label log-probabilities, one per label, found {found}");
    if let Some(wrong) = scores.log_probabilities().iter().find(|score| !score.is_finite() || **score > ROUNDING) {
        bail!("label_log_probabilities: expected numbers of at most 0, found {wrong}");
    }
    let text = line.generation.as_ref().filter(|text| label.is_none_or(|label| text.0 != line.labels[label].0));
    if !is_sealed && text.is_none() && label != Some(scores.arg_max()) {
        let best = line.labels.get(scores.arg_max()).map_or("none", |label| &label.0);
        bail!(
            "the prediction is {}, but the largest log-probability is that of {best}",
            name(line.prediction.as_ref())
        );
    }
    Ok(Prediction {
        answer,
        scores: Some(scores),
        odds: None,
        samples: None,
        text: text.map(|text| text.0.to_string()),
    })
}

/// The prediction of a line with counted answers. As for log-probabilities, the answer must be the most frequent one if the
/// line has no checksum.
fn sampled_prediction(
    line: &PredictionLine,
    samples: LabelSamples,
    answer: Option<Answer>,
    is_sealed: bool,
) -> Result<Prediction> {
    let (found, expected) = (samples.labels(), line.labels.len());
    ensure!(found == expected, "label_samples: expected {expected} counts, one per label, found {found}");
    ensure!(
        line.label_log_probabilities.is_none() && line.label_log_odds.is_none(),
        "label_samples: expected no log-probabilities beside counted answers, found some"
    );
    ensure!(
        is_sealed || answer == samples.answer(),
        "the prediction is {}, which is not the most frequent answer of label_samples",
        name(line.prediction.as_ref())
    );
    // A text that names no label is kept, so that a person can see why.
    let text = line.generation.as_ref().filter(|text| answer.is_none() && !text.0.is_empty());
    Ok(Prediction {
        answer,
        scores: None,
        odds: None,
        samples: Some(samples),
        text: text.map(|text| text.0.to_string()),
    })
}

/// The prediction of a line that names a set of labels.
fn set_prediction(line: &mut PredictionLine, ids: &[Text]) -> Result<Prediction> {
    let mut labels = Vec::with_capacity(ids.len());
    for id in ids {
        labels.extend(label_of(line, Some(id))?);
    }
    ensure!(
        line.labels.len() <= MOST_LABELS_IN_SETS,
        "a set of {} labels; expected at most {MOST_LABELS_IN_SETS}",
        line.labels.len()
    );
    let odds = line.label_log_odds.take();
    let (found, expected) = (odds.as_ref().map(|odds| odds.log_odds().len()), line.labels.len());
    ensure!(found.is_none_or(|found| found == expected), "expected {expected} label log-odds, one per label");
    let text = line.generation.as_ref().filter(|_| odds.is_none()).map(|text| text.0.to_string());
    Ok(Prediction { answer: Some(Answer::Set(LabelSet::of(labels))), scores: None, odds, samples: None, text })
}

fn label_of(line: &PredictionLine, prediction: Option<&Text>) -> Result<Option<LabelIndex>> {
    let Some(prediction) = prediction else { return Ok(None) };
    let position = line.labels.iter().position(|label| label.0 == prediction.0);
    let position = position.with_context(|| format!("the prediction {} is not one of the labels", prediction.0))?;
    Ok(Some(position))
}

fn name<'a>(text: Option<&'a Text>) -> &'a str {
    text.map_or("none", |text| &text.0)
}

//! A run on disk: all predictions of one dataset, retriever, reader, prompt and K.

mod identity;
mod line;
mod stored;
mod writer;

pub use identity::{RetrieverIdentity, RunFingerprints, RunIdentity, cases_fingerprint, prompts_fingerprint};
pub use line::{Passage, PredictionLine};
pub use writer::RunWriter;

use super::CaseAnswer;
use crate::data::Dataset;
use crate::retriever::Hit;
use anyhow::{Context, Result, bail};
use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// File name of a run's identity.
pub const RUN_FILE: &str = "run.toml";
/// File name of a run's predictions, one JSON object a line.
pub const PREDICTIONS_FILE: &str = "predictions.jsonl";

/// A stored run, read whole. A torn tail is left out; nothing is written.
#[derive(Debug)]
pub struct Run {
    /// The folder.
    pub folder: PathBuf,
    pub identity: RunIdentity,
    cases: Vec<Vec<PredictionLine>>,
}

impl Run {
    /// Reads the run in `folder`.
    ///
    /// # Errors
    /// Where there is no run, or a line that is no prediction (path and line are named).
    pub fn open(folder: &Path) -> Result<Self> {
        let identity_path = folder.join(RUN_FILE);
        if !identity_path.exists() {
            bail!("there is no run in {}: expected {RUN_FILE} and {PREDICTIONS_FILE}", folder.display());
        }
        let identity = RunIdentity::read(&identity_path)?;
        let stored = stored::read_lines(&folder.join(PREDICTIONS_FILE))?;
        Ok(Self { folder: folder.to_path_buf(), identity, cases: stored.cases })
    }

    /// Number of whole cases.
    pub fn len(&self) -> usize {
        self.cases.len()
    }

    /// Has the run no whole case yet?
    pub fn is_empty(&self) -> bool {
        self.cases.is_empty()
    }

    /// The lines of each case, the closed-book one last, in the order in which they were computed.
    pub fn lines(&self) -> &[Vec<PredictionLine>] {
        &self.cases
    }

    /// The stored answers, in the order of the dataset's cases.
    ///
    /// # Errors
    /// Where a case or document of the run is not in this dataset, or a prediction has other labels than its task.
    pub fn answers(&self, dataset: &Dataset) -> Result<Vec<CaseAnswer>> {
        let cases: HashMap<&str, usize> =
            dataset.cases.iter().enumerate().map(|(position, case)| (case.id.as_str(), position)).collect();
        let rows: HashMap<&str, usize> =
            dataset.corpus.iter().enumerate().map(|(row, document)| (document.id.as_str(), row)).collect();
        let mut answers = Vec::new();
        for lines in &self.cases {
            let answer = answer_of(dataset, &cases, &rows, lines);
            answers
                .push(answer.with_context(|| format!("the run in {} is of another dataset", self.folder.display()))?);
        }
        answers.sort_by_key(|answer| answer.case);
        Ok(answers)
    }
}

fn answer_of(
    dataset: &Dataset,
    cases: &HashMap<&str, usize>,
    rows: &HashMap<&str, usize>,
    lines: &[PredictionLine],
) -> Result<CaseAnswer> {
    let (closed_book, with_document) = lines.split_last().context("a case has no line")?;
    let id = closed_book.case.as_str();
    let case = *cases.get(id).with_context(|| format!("case {id} is not in the dataset"))?;
    let labels = dataset.task(&dataset.cases[case].task).map(|task| task.labels.as_slice()).unwrap_or_default();
    let mut hits = Vec::new();
    for line in lines {
        let same_labels = line.labels.iter().eq(labels.iter().map(|label| &label.id));
        if !same_labels || line.label_log_probabilities.0.len() != labels.len() {
            bail!("case {id} was predicted with the labels {}, which its task no longer has", line.labels.join(", "));
        }
        let Some(document) = &line.document else { continue };
        let row = *rows.get(document.as_str()).with_context(|| format!("document {document} is not in the corpus"))?;
        if line.heads.is_empty() {
            bail!("case {id}: the prediction with document {document} names no head");
        }
        hits.push(Hit { row, document: document.clone(), provenances: line.heads.clone() });
    }
    Ok(CaseAnswer {
        case,
        hits,
        predictions: with_document.iter().map(|line| line.label_log_probabilities.clone()).collect(),
        closed_book: closed_book.label_log_probabilities.clone(),
    })
}

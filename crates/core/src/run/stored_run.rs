//! A run on disk: all predictions of one dataset, retriever, reader, prompt and K.

use super::stored_cases::read_cases;
use super::{CaseAnswer, Hit, Prediction, RunIdentity, StoredAnswer, StoredCase};
use crate::data::{Answer, Dataset, TaskKind};
use anyhow::{Context, Result, anyhow, bail};
use rustc_hash::FxHashMap;
use std::path::{Path, PathBuf};

/// File name of a run's identity.
pub const RUN_FILE: &str = "run.toml";
/// File name of a run's predictions, one JSON object a line.
pub const PREDICTIONS_FILE: &str = "predictions.jsonl";

/// A stored run, read as a whole. A torn tail is left out; nothing is written.
#[derive(Debug)]
pub struct Run {
    /// The folder.
    pub folder: PathBuf,
    pub identity: RunIdentity,
    /// Number of the line where a torn tail begins: a case that was being written when the program ended.
    pub torn_at: Option<usize>,
    cases: Vec<StoredCase>,
}

impl Run {
    /// Reads the run in `folder`.
    ///
    /// ```
    /// use dissent_core::{data::Dataset, run::Run};
    /// # use dissent_core::files::fingerprint::Fingerprint;
    /// # use dissent_core::run::{CaseAnswer, LabelScores, RunIdentity, RunWriter};
    ///
    /// let dataset = Dataset::open("../../sample-data/dataset".as_ref())?;
    /// # let folder = tempfile::tempdir()?;
    /// # let folder = folder.path();
    /// # let identity = RunIdentity::new(&dataset, "small", &Fingerprint::of_bytes(b"small"), None);
    /// # let closed_book = Some(LabelScores::exact(vec![-0.1, -2.4]).into());
    /// # let (hits, predictions) = (Vec::new(), Vec::new());
    /// # let answer = CaseAnswer { case: 0, hits, predictions, closed_book, recorded_fusion: None };
    /// # RunWriter::open(folder, &identity)?.append(&dataset, &[answer])?;
    /// let run = Run::open(folder)?;
    /// assert_eq!(run.identity.reader_name, "small");
    /// for answer in run.into_answers(&dataset)? {
    ///     assert_eq!(dataset.cases[answer.case].id, "us-v0001");
    ///     assert!(answer.hits.is_empty() && answer.closed_book.is_some());
    /// }
    /// # anyhow::Ok(())
    /// ```
    ///
    /// # Errors
    /// Fails if there is no run, or if lines are not predictions of this run; the error names path and line.
    pub fn open(folder: &Path) -> Result<Self> {
        let identity_path = folder.join(RUN_FILE);
        if !identity_path.exists() {
            bail!("there is no run in {}: expected {RUN_FILE} and {PREDICTIONS_FILE}", folder.display());
        }
        let identity = RunIdentity::read(&identity_path)?;
        let mut cases = Vec::new();
        let extent = read_cases(&folder.join(PREDICTIONS_FILE), &identity, &mut |case| cases.push(case))?;
        Ok(Self { folder: folder.to_path_buf(), identity, torn_at: extent.torn_at, cases })
    }

    /// Number of whole cases.
    pub fn len(&self) -> usize {
        self.cases.len()
    }

    /// Has the run no whole case yet?
    pub fn is_empty(&self) -> bool {
        self.cases.is_empty()
    }

    /// A remark on a torn tail, if there is one: "…/predictions.jsonl:12: the last case is not whole …".
    pub fn remark(&self) -> Option<String> {
        let line = self.torn_at?;
        let path = self.folder.join(PREDICTIONS_FILE);
        Some(format!("{}:{line}: the last case is not whole and is left out; predict it again", path.display()))
    }

    /// The cases as they are stored, in the order of the file.
    pub fn stored_cases(&self) -> &[StoredCase] {
        &self.cases
    }

    /// The stored answers, in the order of the dataset's cases. A model that stands as a candidate has the row that
    /// [`Dataset::add_models`] gave it.
    ///
    /// # Errors
    /// Fails if a case or document of the run is not in this dataset, a case appears twice, or a prediction has other
    /// labels than its task; the error names the line.
    pub fn into_answers(self, dataset: &Dataset) -> Result<Vec<CaseAnswer>> {
        let cases: FxHashMap<&str, usize> =
            dataset.cases.iter().enumerate().map(|(position, case)| (case.id.as_str(), position)).collect();
        let has_candidates = !self.identity.candidates.is_empty();
        let row_of = |id: &str| {
            if has_candidates { dataset.corpus.model_row_of(id) } else { dataset.corpus.document_row_of(id) }
        };
        let path = self.folder.join(PREDICTIONS_FILE);
        let mut first_lines: FxHashMap<usize, usize> = FxHashMap::default();
        let mut answers = Vec::with_capacity(self.cases.len());
        for stored in self.cases {
            let line = stored.line;
            let at = || format!("{}:{line}", path.display());
            let answer = answer_of(dataset, &cases, &row_of, stored).with_context(at)?;
            if let Some(first) = first_lines.insert(answer.case, line) {
                let id = &dataset.cases[answer.case].id;
                return Err(anyhow!("case {id} is there twice: its predictions stand from line {first} on"))
                    .with_context(at);
            }
            answers.push(answer);
        }
        answers.sort_by_key(|answer| answer.case);
        Ok(answers)
    }
}

fn answer_of(
    dataset: &Dataset,
    cases: &FxHashMap<&str, usize>,
    row_of: &dyn Fn(&str) -> Option<usize>,
    stored: StoredCase,
) -> Result<CaseAnswer> {
    let id = &stored.id;
    let of_another = "the run belongs to another dataset";
    let case = *cases.get(id.as_str()).with_context(|| format!("case {id} is not in the dataset; {of_another}"))?;
    let task = dataset.task(&dataset.cases[case].task);
    let labels = task.map(|task| task.labels.as_slice()).unwrap_or_default();
    let is_open = task.is_some_and(|task| task.kind == TaskKind::OpenVqa);
    let takes_sets = task.is_some_and(|task| task.kind == TaskKind::MultiLabel);
    let threshold = task.map(|task| task.prompt.sets.log_odds_threshold()).unwrap_or_default();
    let is_set = |prediction: &Prediction| matches!(prediction.answer, Some(Answer::Set(_)));
    let stored_answers = || stored.answers.iter().map(|answer| &answer.prediction).chain(&stored.closed_book);
    if let Some(wrong) =
        stored_answers().find(|prediction| prediction.answer.is_some() && is_set(prediction) != takes_sets)
    {
        let found = if is_set(wrong) { "a set of labels" } else { "one label" };
        bail!("case {id} was predicted with {found}, as its task is no longer answered; {of_another}");
    }
    // The file stores only the words of an open answer, and the log-odds without the threshold.
    let read = |prediction: Prediction| match (is_open, prediction) {
        (true, Prediction { text: Some(text), .. }) => Prediction::in_words(text),
        (_, Prediction { odds: Some(odds), answer, scores, samples, text }) => {
            Prediction { odds: Some(odds.with_threshold(threshold)), answer, scores, samples, text }
        }
        (_, prediction) => prediction,
    };
    if !stored.labels.iter().eq(labels.iter().map(|label| &label.id)) {
        let then = stored.labels.join(", ");
        bail!("case {id} was predicted with the labels {then}, which its task no longer has; {of_another}");
    }
    let mut hits = Vec::with_capacity(stored.answers.len());
    let mut predictions = Vec::with_capacity(stored.answers.len());
    for StoredAnswer { document, heads, prediction } in stored.answers {
        let row = row_of(&document);
        let row = row.with_context(|| format!("document {document} is not in the corpus; {of_another}"))?;
        hits.push(Hit { row, document, provenances: heads });
        predictions.push(read(prediction));
    }
    let closed_book = stored.closed_book.map(read);
    Ok(CaseAnswer { case, hits, predictions, closed_book, recorded_fusion: stored.recorded_fusion.map(read) })
}

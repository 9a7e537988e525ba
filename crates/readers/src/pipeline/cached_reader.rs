//! A reader with a cache: each question is asked only once.

use super::KeyedLog;
use crate::reader::{InputContributions, ReadRequest, Reader, ReaderError, answer_key, prediction_key};
use anyhow::{Context, Result, bail, ensure};
use dissent_core::data::{LabelIndex, TaskKind};
use dissent_core::files::fingerprint::Fingerprint;
use dissent_core::run::{LabelScores, Prediction};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::collections::HashSet;
use std::path::Path;
use std::time::Instant;

/// The reader's answers in a cache folder.
pub(super) const PREDICTIONS_FILE: &str = "predictions.jsonl";

/// A request and the key of its answer in the cache.
#[derive(Clone, Debug)]
pub(super) struct Question {
    request: ReadRequest,
    key: Fingerprint,
    /// True if the answer is a text in the reader's own words.
    is_open: bool,
}

/// A reader and its caches.
pub(super) struct CachedReader {
    reader: Box<dyn Reader>,
    predictions: KeyedLog<LabelScores>,
    /// Cache of open answers.
    answers: KeyedLog<String>,
    asked: usize,
    /// Measured seconds per question of [`Self::variant_scores`]; `None` before the first.
    seconds_per_variant: Option<f64>,
}

impl CachedReader {
    /// Opens the reader's caches in the folder `cache`, where answers outlive the program.
    ///
    /// # Errors
    /// Fails if a cache file cannot be read.
    pub fn new(reader: Box<dyn Reader>, cache: &Path) -> Result<Self> {
        let predictions = KeyedLog::open(&cache.join(PREDICTIONS_FILE))?;
        let answers = KeyedLog::open(&cache.join("answers.jsonl"))?;
        Ok(Self { reader, predictions, answers, asked: 0, seconds_per_variant: None })
    }

    /// The reader itself.
    pub fn reader(&self) -> &dyn Reader {
        &*self.reader
    }

    /// Number of questions that the reader was asked so far; the others were answered by the cache.
    pub fn asked(&self) -> usize {
        self.asked
    }

    /// Takes the errors because of which the caches are no longer written; each is returned once.
    pub fn take_errors(&mut self) -> Vec<anyhow::Error> {
        self.predictions.take_error().into_iter().chain(self.answers.take_error()).collect()
    }

    /// The request with the key of its prediction.
    pub fn question(&self, request: ReadRequest) -> Question {
        let reader = self.reader.fingerprint();
        let is_open = request.task.kind == TaskKind::OpenVqa;
        let key = if is_open { answer_key(reader, &request) } else { prediction_key(reader, &request) };
        Question { request, key, is_open }
    }

    /// The prediction in the cache, if there is one.
    pub fn known(&self, question: &Question) -> Option<Prediction> {
        if question.is_open {
            return self.answers.get(&question.key).cloned().map(Prediction::in_words);
        }
        self.predictions.get(&question.key).cloned().map(Prediction::from)
    }

    /// Asks the reader to choose a label, or to answer in its own words if the task is open.
    ///
    /// # Errors
    /// Returns `Cancelled` if cancelled. Fails if the reader fails or its answer is invalid.
    pub fn predict(
        &mut self,
        questions: &[Question],
        cancelled: &dyn Fn() -> bool,
    ) -> Result<Vec<Prediction>, ReaderError> {
        let (open, closed): (Vec<&Question>, Vec<&Question>) = questions.iter().partition(|question| question.is_open);
        let mut scored = self.score(&closed, cancelled)?.into_iter().map(Prediction::from);
        let mut said = self.generate(&open, cancelled)?.into_iter().map(Prediction::in_words);
        let mut predictions = Vec::with_capacity(questions.len());
        for question in questions {
            let next = if question.is_open { said.next() } else { scored.next() };
            predictions.push(next.context("the reader gave fewer answers than it was asked for")?);
        }
        Ok(predictions)
    }

    /// The scores of the labels for each request, for any kind of task.
    ///
    /// # Errors
    /// Fails as [`Self::predict`] does.
    pub fn scores(
        &mut self,
        requests: Vec<ReadRequest>,
        cancelled: &dyn Fn() -> bool,
    ) -> Result<Vec<LabelScores>, ReaderError> {
        let questions: Vec<Question> = requests.into_iter().map(|request| self.scored_question(request)).collect();
        self.score(&questions.iter().collect::<Vec<_>>(), cancelled)
    }

    /// The scores of variants of one request ([`Reader::score_variants`]), kept like all others.
    ///
    /// # Errors
    /// As [`Self::predict`].
    pub fn variant_scores(
        &mut self,
        requests: Vec<ReadRequest>,
        cancelled: &dyn Fn() -> bool,
    ) -> Result<Vec<LabelScores>, ReaderError> {
        let questions: Vec<Question> = requests.into_iter().map(|request| self.scored_question(request)).collect();
        let mut seconds_per_variant = None;
        let ask = |unknown: &[ReadRequest]| {
            let begun = Instant::now();
            let answers = self.reader.score_variants(unknown, cancelled)?;
            check_scores(self.reader.name(), unknown, &answers)?;
            seconds_per_variant = Some(begun.elapsed().as_secs_f64() / unknown.len() as f64);
            Ok(answers)
        };
        let questions: Vec<&Question> = questions.iter().collect();
        let scores = through_cache(&mut self.predictions, &mut self.asked, &questions, ask);
        self.seconds_per_variant = seconds_per_variant.or(self.seconds_per_variant);
        scores
    }

    /// As [`Reader::contributions`]; they are not kept.
    ///
    /// # Errors
    /// As [`Reader::contributions`].
    pub fn contributions(
        &mut self,
        request: &ReadRequest,
        answer: LabelIndex,
        runner_up: LabelIndex,
    ) -> Result<InputContributions, ReaderError> {
        self.reader.contributions(request, answer, runner_up)
    }

    /// Does the cache know the scores of this request?
    pub fn knows_scores(&self, request: &ReadRequest) -> bool {
        self.predictions.get(&prediction_key(self.reader.fingerprint(), request)).is_some()
    }

    /// Measured seconds per variant, once some were asked.
    pub fn seconds_per_variant(&self) -> Option<f64> {
        self.seconds_per_variant
    }

    /// A question whose labels are scored, whatever the kind of its task.
    fn scored_question(&self, request: ReadRequest) -> Question {
        let key = prediction_key(self.reader.fingerprint(), &request);
        Question { request, key, is_open: false }
    }

    fn score(
        &mut self,
        questions: &[&Question],
        cancelled: &dyn Fn() -> bool,
    ) -> Result<Vec<LabelScores>, ReaderError> {
        let ask = |unknown: &[ReadRequest]| {
            let answers = self.reader.score(unknown, cancelled)?;
            check_scores(self.reader.name(), unknown, &answers)?;
            Ok(answers)
        };
        through_cache(&mut self.predictions, &mut self.asked, questions, ask)
    }

    fn generate(&mut self, questions: &[&Question], cancelled: &dyn Fn() -> bool) -> Result<Vec<String>, ReaderError> {
        let ask = |unknown: &[ReadRequest]| {
            let answers = self.reader.generate(unknown, cancelled)?;
            check_count(self.reader.name(), unknown.len(), answers.len())?;
            Ok(answers)
        };
        through_cache(&mut self.answers, &mut self.asked, questions, ask)
    }
}

/// Asks only the questions that the cache cannot answer, and stores the answers.
fn through_cache<V: Clone + Serialize + DeserializeOwned>(
    cache: &mut KeyedLog<V>,
    asked: &mut usize,
    questions: &[&Question],
    ask: impl FnOnce(&[ReadRequest]) -> Result<Vec<V>, ReaderError>,
) -> Result<Vec<V>, ReaderError> {
    let mut unknown: Vec<ReadRequest> = Vec::new();
    let mut unknown_keys: Vec<Fingerprint> = Vec::new();
    let mut seen: HashSet<&Fingerprint> = HashSet::new();
    for Question { request, key, .. } in questions {
        // Two cases may share image and document; then one question is enough.
        if cache.get(key).is_none() && seen.insert(key) {
            unknown.push(request.clone());
            unknown_keys.push(key.clone());
        }
    }
    *asked += unknown.len();
    if !unknown.is_empty() {
        for (key, value) in unknown_keys.into_iter().zip(ask(&unknown)?) {
            cache.insert(key, value);
        }
    }
    let known: Option<Vec<V>> = questions.iter().map(|question| cache.get(&question.key).cloned()).collect();
    Ok(known.context("an answer is missing from the cache")?)
}

fn check_count(reader: &str, asked: usize, given: usize) -> Result<()> {
    ensure!(given == asked, "reader {reader} was asked {asked} questions and gave {given} answers");
    Ok(())
}

/// Damaged weights give NaN or infinite scores; refuse them before they reach a file or the screen.
fn check_scores(reader: &str, requests: &[ReadRequest], answers: &[LabelScores]) -> Result<()> {
    check_count(reader, requests.len(), answers.len())?;
    for (request, answer) in requests.iter().zip(answers) {
        let labels = &request.task.labels;
        if answer.log_probabilities().len() != labels.len() {
            bail!(
                "reader {reader} scored {} labels of task {}, which has {}",
                answer.log_probabilities().len(),
                request.task.id,
                labels.len()
            );
        }
        for (label, value) in labels.iter().zip(answer.log_probabilities()) {
            if !value.is_finite() {
                bail!(
                    "reader {reader} gave {value} as log-probability of label {} for {}; its weights may be damaged",
                    label.id,
                    request.query.path.display()
                );
            }
        }
    }
    Ok(())
}

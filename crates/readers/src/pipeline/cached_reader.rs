//! A reader with a cache: each question is asked only once.

use super::KeyedLog;
use crate::reader::{InputContributions, ReadRequest, Reader, ReaderError, SampledAnswer, answer_key, prediction_key};
use anyhow::{Context, Result, bail, ensure};
use dissent_core::data::{LabelIndex, Task, TaskKind};
use dissent_core::files::fingerprint::Fingerprint;
use dissent_core::run::{LabelOdds, LabelScores, Prediction};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

/// The reader's answers in a cache folder.
pub(super) const PREDICTIONS_FILE: &str = "predictions.jsonl";

/// A question about a case with one document or without any, as requests to the reader.
#[derive(Clone, Debug)]
pub(super) struct Question {
    kind: QuestionKind,
    /// One, or one per label.
    asked: Vec<KeyedRequest>,
}

/// A request and the key of its answer in the cache.
#[derive(Clone, Debug)]
struct KeyedRequest {
    request: ReadRequest,
    key: Fingerprint,
}

/// How the reader's answers become a prediction.
#[derive(Clone, Debug)]
enum QuestionKind {
    /// The scores of all labels.
    Labels,
    /// Sampled answers that name labels.
    Samples,
    /// A text.
    Words,
    /// The scores of yes and no for each label; a label is in the set above these log-odds.
    EachLabel { threshold: f32 },
    /// A text that names the labels of a set.
    SetInWords(Arc<Task>),
}

impl Question {
    fn is_in_words(&self) -> bool {
        matches!(self.kind, QuestionKind::Words | QuestionKind::SetInWords(_))
    }

    fn is_sampled(&self) -> bool {
        matches!(self.kind, QuestionKind::Samples)
    }

    /// The prediction from a text.
    fn prediction_in_words(&self, text: String) -> Prediction {
        match &self.kind {
            QuestionKind::SetInWords(task) => Prediction::set_in_words(text, task),
            _ => Prediction::in_words(text),
        }
    }

    /// The prediction from the scores for each request.
    fn prediction_of(&self, scores: Vec<LabelScores>) -> Result<Prediction> {
        if let QuestionKind::EachLabel { threshold } = self.kind {
            return Ok(LabelOdds::of_scores(&scores, threshold)?.into());
        }
        let scores = scores.into_iter().next().context("the reader gave no answer")?;
        Ok(scores.into())
    }
}

/// A reader and its caches.
pub(super) struct CachedReader {
    reader: Box<dyn Reader>,
    predictions: KeyedLog<LabelScores>,
    /// Cache of open answers.
    answers: KeyedLog<String>,
    samples: KeyedLog<SampledAnswer>,
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
        let samples = KeyedLog::open(&cache.join("samples.jsonl"))?;
        Ok(Self { reader, predictions, answers, samples, asked: 0, seconds_per_variant: None })
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
        let errors = [self.predictions.take_error(), self.answers.take_error(), self.samples.take_error()];
        errors.into_iter().flatten().collect()
    }

    /// The question as the kind of its task asks it: one request, or one per label for a set of labels.
    pub fn question(&self, request: ReadRequest) -> Question {
        let reader = self.reader.fingerprint();
        let task = request.task.clone();
        let in_words = |request: ReadRequest| KeyedRequest { key: answer_key(reader, &request), request };
        match task.kind {
            TaskKind::OpenVqa => Question { kind: QuestionKind::Words, asked: vec![in_words(request)] },
            TaskKind::MultiLabel if task.asks_each_label() => {
                let threshold = task.prompt.sets.log_odds_threshold();
                let asked = request.about_each_label().into_iter().map(|request| self.keyed(request)).collect();
                Question { kind: QuestionKind::EachLabel { threshold }, asked }
            }
            TaskKind::MultiLabel => Question { kind: QuestionKind::SetInWords(task), asked: vec![in_words(request)] },
            TaskKind::Classification | TaskKind::ClosedVqa | TaskKind::LabelSet => {
                let kind = if self.reader.is_sampled() { QuestionKind::Samples } else { QuestionKind::Labels };
                Question { kind, asked: vec![self.keyed(request)] }
            }
        }
    }

    /// The prediction in the cache, if there is one.
    pub fn known(&self, question: &Question) -> Option<Prediction> {
        if question.is_in_words() {
            let text = self.answers.get(&question.asked.first()?.key)?;
            return Some(question.prediction_in_words(text.clone()));
        }
        if question.is_sampled() {
            return Some(self.samples.get(&question.asked.first()?.key)?.clone().into());
        }
        let scores = question.asked.iter().map(|asked| self.predictions.get(&asked.key).cloned());
        question.prediction_of(scores.collect::<Option<Vec<_>>>()?).ok()
    }

    /// Asks the reader to choose a label or a set of labels, or to answer in its own words if the task is open.
    ///
    /// # Errors
    /// Returns `Cancelled` if cancelled. Fails if the reader fails or its answer is invalid.
    pub fn predict(
        &mut self,
        questions: &[Question],
        cancelled: &dyn Fn() -> bool,
    ) -> Result<Vec<Prediction>, ReaderError> {
        let (in_words, others): (Vec<&Question>, Vec<&Question>) =
            questions.iter().partition(|question| question.is_in_words());
        let (sampled, scored): (Vec<&Question>, Vec<&Question>) =
            others.into_iter().partition(|question| question.is_sampled());
        let asked = |questions: &[&Question]| -> Vec<KeyedRequest> {
            questions.iter().flat_map(|question| question.asked.iter().cloned()).collect()
        };
        let mut scores = self.score(&asked(&scored), cancelled)?.into_iter();
        let mut samples = self.sample(&asked(&sampled), cancelled)?.into_iter();
        let mut texts = self.generate(&asked(&in_words), cancelled)?.into_iter();
        let mut predictions = Vec::with_capacity(questions.len());
        for question in questions {
            predictions.push(if question.is_in_words() {
                let text = texts.next().context("the reader gave fewer answers than it was asked for")?;
                question.prediction_in_words(text)
            } else if question.is_sampled() {
                samples.next().context("the reader gave fewer answers than it was asked for")?.into()
            } else {
                question.prediction_of(scores.by_ref().take(question.asked.len()).collect())?
            });
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
        let asked: Vec<KeyedRequest> = requests.into_iter().map(|request| self.keyed(request)).collect();
        self.score(&asked, cancelled)
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
        let asked: Vec<KeyedRequest> = requests.into_iter().map(|request| self.keyed(request)).collect();
        let mut seconds_per_variant = None;
        let ask = |unknown: &[ReadRequest]| {
            let begun = Instant::now();
            let answers = self.reader.score_variants(unknown, cancelled)?;
            check_scores(self.reader.name(), unknown, &answers)?;
            seconds_per_variant = Some(begun.elapsed().as_secs_f64() / unknown.len() as f64);
            Ok(answers)
        };
        let scores = through_cache(&mut self.predictions, &mut self.asked, &asked, ask);
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

    /// A request whose labels are scored, whatever the kind of its task.
    fn keyed(&self, request: ReadRequest) -> KeyedRequest {
        KeyedRequest { key: prediction_key(self.reader.fingerprint(), &request), request }
    }

    fn score(&mut self, asked: &[KeyedRequest], cancelled: &dyn Fn() -> bool) -> Result<Vec<LabelScores>, ReaderError> {
        let ask = |unknown: &[ReadRequest]| {
            let answers = self.reader.score(unknown, cancelled)?;
            check_scores(self.reader.name(), unknown, &answers)?;
            Ok(answers)
        };
        through_cache(&mut self.predictions, &mut self.asked, asked, ask)
    }

    fn sample(
        &mut self,
        asked: &[KeyedRequest],
        cancelled: &dyn Fn() -> bool,
    ) -> Result<Vec<SampledAnswer>, ReaderError> {
        let ask = |unknown: &[ReadRequest]| {
            let answers = self.reader.sample(unknown, cancelled)?;
            check_count(self.reader.name(), unknown.len(), answers.len())?;
            Ok(answers)
        };
        through_cache(&mut self.samples, &mut self.asked, asked, ask)
    }

    fn generate(&mut self, asked: &[KeyedRequest], cancelled: &dyn Fn() -> bool) -> Result<Vec<String>, ReaderError> {
        let ask = |unknown: &[ReadRequest]| {
            let answers = self.reader.generate(unknown, cancelled)?;
            check_count(self.reader.name(), unknown.len(), answers.len())?;
            Ok(answers)
        };
        through_cache(&mut self.answers, &mut self.asked, asked, ask)
    }
}

/// Asks only the questions that the cache cannot answer, and stores the answers.
fn through_cache<V: Clone + Serialize + DeserializeOwned>(
    cache: &mut KeyedLog<V>,
    count: &mut usize,
    asked: &[KeyedRequest],
    ask: impl FnOnce(&[ReadRequest]) -> Result<Vec<V>, ReaderError>,
) -> Result<Vec<V>, ReaderError> {
    let mut unknown: Vec<ReadRequest> = Vec::new();
    let mut unknown_keys: Vec<Fingerprint> = Vec::new();
    let mut seen: HashSet<&Fingerprint> = HashSet::new();
    for KeyedRequest { request, key } in asked {
        // Two cases may share image and document; then one question is enough.
        if cache.get(key).is_none() && seen.insert(key) {
            unknown.push(request.clone());
            unknown_keys.push(key.clone());
        }
    }
    *count += unknown.len();
    if !unknown.is_empty() {
        for (key, value) in unknown_keys.into_iter().zip(ask(&unknown)?) {
            cache.insert(key, value);
        }
    }
    let known: Option<Vec<V>> = asked.iter().map(|asked| cache.get(&asked.key).cloned()).collect();
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

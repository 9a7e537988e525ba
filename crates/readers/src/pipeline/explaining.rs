//! Explaining a prediction: from a case and a document to the weights of words and regions. Every answer of the reader is
//! kept with the predictions, so that the second time costs nothing.

use super::case_pipeline::Pipeline;
use crate::explain::{Cost, Explanation, LabelOfSet, Method, Occlusion, Target, Wanted, from_contributions};
use crate::reader::{ReadRequest, ReaderError};
use anyhow::{Context, anyhow};
use dissent_core::data::{LabelIndex, TaskKind};
use dissent_core::run::{LabelScores, Probe};
use std::cell::Cell;
use std::sync::Arc;

/// Every cell of the grid is covered alone if that takes at most this long.
const CHEAP_SECONDS: f64 = 5.0;
/// Questions that are asked to measure how long one takes.
const MEASURED_QUESTIONS: usize = 2;

/// Which prediction is explained, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExplainRequest {
    /// Position in `Dataset::cases`.
    pub case: usize,
    /// The document and what of it is withheld; `None` explains the answer without a document.
    pub probe: Option<Probe>,
    /// Which label of an answer with several labels is explained; by default the most probable one in the reader's answer, and
    /// if that is the empty set, the most probable one of all. Of no use to other answers.
    pub label: Option<LabelIndex>,
    pub wanted: Wanted,
    pub method: Method,
    /// Has no effect on gradients.
    pub grid: GridChoice,
}

/// Which regions are covered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum GridChoice {
    /// Every cell if that is cheap, else coarse to fine.
    #[default]
    Auto,
    /// Every cell of the 8 × 8 grid alone.
    Whole,
    /// The 16 blocks of a 4 × 4 grid, then the cells of the strongest blocks.
    CoarseToFine,
}

/// What came of it.
#[derive(Clone, Debug, PartialEq)]
pub enum ExplainOutcome {
    Explained(Box<Explanation>),
    /// It would take longer than it may; nothing but a first measurement was asked.
    Costly(Cost),
}

/// How far it is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ExplainProgress {
    pub done: usize,
    pub total: usize,
    /// Estimated from the time of the questions so far; `None` before the first.
    pub seconds_left: Option<f64>,
}

/// A request and the reader's answer to it.
struct Asked {
    request: ReadRequest,
    scores: LabelScores,
    /// The label of a set that the request is about.
    of_label: Option<LabelOfSet>,
    /// The generated answer of an open task, whose only label it then is.
    text: Option<String>,
}

impl Pipeline {
    /// Explains one prediction, unless that is estimated to take more than `most_seconds`.
    ///
    /// # Errors
    /// Returns `Cancelled` once cancelled; what was answered until then is kept. Fails if case or document cannot be read, if
    /// nothing is shown that could be left out, or if the reader fails.
    pub fn explain(
        &mut self,
        request: &ExplainRequest,
        most_seconds: Option<f64>,
        cancelled: &dyn Fn() -> bool,
        progress: &mut dyn FnMut(ExplainProgress),
    ) -> Result<ExplainOutcome, ReaderError> {
        if request.method == Method::Gradient {
            return self.explain_by_gradient(request, cancelled);
        }
        let Asked { request: asked, scores, of_label, text } = self.ask_to_explain(request, cancelled)?;
        let occlusion = Occlusion::new(asked, scores, text, request.wanted);
        let (whole_grid, cost) = self.cost_of(&occlusion, request.grid, cancelled)?;
        if most_seconds.is_some_and(|most| cost.seconds > most) {
            return Ok(ExplainOutcome::Costly(cost));
        }
        let reader = &mut self.reader;
        let seconds = Cell::new(reader.seconds_per_variant());
        let explanation = occlusion.explain(
            whole_grid,
            &mut |requests| {
                if cancelled() {
                    return Err(ReaderError::Cancelled);
                }
                let scores = reader.variant_scores(requests, cancelled);
                seconds.set(reader.seconds_per_variant());
                scores
            },
            &mut |done, total| {
                let seconds_left = seconds.get().map(|seconds| seconds * (total - done) as f64);
                progress(ExplainProgress { done, total, seconds_left });
            },
        )?;
        Ok(ExplainOutcome::Explained(Box::new(Explanation { of_label, ..explanation })))
    }

    fn explain_by_gradient(
        &mut self,
        request: &ExplainRequest,
        cancelled: &dyn Fn() -> bool,
    ) -> Result<ExplainOutcome, ReaderError> {
        let Asked { request: asked, scores, of_label, text } = self.ask_to_explain(request, cancelled)?;
        let Target { answer, runner_up: Some(runner_up) } = Target::of(&scores) else {
            let what = if text.is_some() { "an open answer" } else { "the only label" };
            return Err(anyhow!("{what} has no runner-up, which a gradient needs; use occlusion").into());
        };
        let contributions = self.reader.contributions(&asked, answer, runner_up)?;
        let explanation = from_contributions(&asked, &scores, &contributions, request.wanted);
        Ok(ExplainOutcome::Explained(Box::new(Explanation { of_label, ..explanation })))
    }

    /// The reader's answer with everything shown.
    fn ask_to_explain(&mut self, request: &ExplainRequest, cancelled: &dyn Fn() -> bool) -> Result<Asked, ReaderError> {
        let mut open = self.open_to_predict(request.case)?;
        let evidence = match request.probe {
            Some(probe) => Some(self.probe_evidence(&open, probe)?.0),
            None => None,
        };
        let mut text = None;
        if open.task.kind == TaskKind::MultiLabel && !open.task.asks_each_label() {
            let id = &open.task.id;
            return Err(anyhow!(
                "task {id}: the reader writes the set in words, so no label has a probability that could be explained; expected \
                 ask = \"each-label\" in [task.prompt.sets]"
            )
            .into());
        }
        if open.task.kind == TaskKind::OpenVqa {
            let question = self.reader.question(open.request(evidence.clone()));
            let prediction = self.reader.predict(&[question], cancelled)?.pop();
            let answer = prediction.and_then(|prediction| prediction.text).unwrap_or_default();
            if answer.trim().is_empty() {
                return Err(anyhow!("the reader gave no answer in words, so there is none to explain").into());
            }
            open.task = Arc::new(open.task.asking_for(&answer));
            text = Some(answer);
        }
        let has_caption = evidence.as_ref().is_some_and(|evidence| evidence.caption.is_some());
        if !request.wanted.regions && !has_caption {
            return Err(anyhow!("no caption was shown, so no words decided; ask for regions").into());
        }
        let asked = open.request(evidence);
        if open.task.asks_each_label() {
            return self.ask_about_label(asked, request.label, cancelled);
        }
        let scores = self.reader.scores(vec![asked.clone()], cancelled)?.pop().context("the reader gave no answer")?;
        Ok(Asked { request: asked, scores, of_label: None, text })
    }

    /// The reader's yes or no about one label of its answer with several labels.
    fn ask_about_label(
        &mut self,
        request: ReadRequest,
        label: Option<LabelIndex>,
        cancelled: &dyn Fn() -> bool,
    ) -> Result<Asked, ReaderError> {
        let question = self.reader.question(request.clone());
        let prediction = self.reader.predict(&[question], cancelled)?.pop();
        let odds =
            prediction.and_then(|prediction| prediction.odds).context("the reader gave no answer about the labels")?;
        let set = odds.label_set();
        let values = odds.log_odds();
        let among: Vec<LabelIndex> = if set.is_empty() { (0..values.len()).collect() } else { set.labels().collect() };
        let most_probable = among.into_iter().max_by(|a, b| values[*a].total_cmp(&values[*b]));
        let label = label.or(most_probable).context("the task has no label")?;
        let asked = request.about_each_label().into_iter().nth(label).context("the task does not have this label")?;
        let scores = self.reader.scores(vec![asked.clone()], cancelled)?.pop().context("the reader gave no answer")?;
        Ok(Asked { request: asked, scores, of_label: Some(LabelOfSet { label, set }), text: None })
    }

    /// Whether every cell is covered alone, and what that costs. Asks a few questions to measure how long one takes.
    fn cost_of(
        &mut self,
        occlusion: &Occlusion,
        grid: GridChoice,
        cancelled: &dyn Fn() -> bool,
    ) -> Result<(bool, Cost), ReaderError> {
        match grid {
            GridChoice::Whole => Ok((true, self.cost_of_grid(occlusion, true, cancelled)?)),
            GridChoice::CoarseToFine => Ok((false, self.cost_of_grid(occlusion, false, cancelled)?)),
            GridChoice::Auto => {
                // The second time gives what the first gave, without a question.
                if !self.knows_grid(occlusion, true) && self.knows_grid(occlusion, false) {
                    return Ok((false, self.cost_of_grid(occlusion, false, cancelled)?));
                }
                let whole = self.cost_of_grid(occlusion, true, cancelled)?;
                if whole.seconds <= CHEAP_SECONDS {
                    return Ok((true, whole));
                }
                Ok((false, self.cost_of_grid(occlusion, false, cancelled)?))
            }
        }
    }

    /// Does the cache know every answer of the first pass?
    fn knows_grid(&self, occlusion: &Occlusion, whole_grid: bool) -> bool {
        occlusion.requests(whole_grid).all(|request| self.reader.knows_scores(&request))
    }

    fn cost_of_grid(
        &mut self,
        occlusion: &Occlusion,
        whole_grid: bool,
        cancelled: &dyn Fn() -> bool,
    ) -> Result<Cost, ReaderError> {
        let mut unknown = 0;
        let mut first_pass = 0;
        let mut to_measure = Vec::new();
        for request in occlusion.requests(whole_grid) {
            first_pass += 1;
            if self.reader.knows_scores(&request) {
                continue;
            }
            unknown += 1;
            if to_measure.len() < MEASURED_QUESTIONS && self.reader.seconds_per_variant().is_none() {
                to_measure.push(request);
            }
        }
        if !to_measure.is_empty() {
            unknown -= to_measure.len();
            self.reader.variant_scores(to_measure, cancelled)?;
        }
        let requests = occlusion.most_requests(whole_grid);
        // The cells of a second pass depend on the answers of the first: if one of those is not known, none of these is.
        let unknown = if unknown == 0 { 0 } else { unknown + requests - first_pass };
        let seconds = unknown as f64 * self.reader.seconds_per_variant().unwrap_or_default();
        Ok(Cost { requests, known: requests - unknown, seconds })
    }
}

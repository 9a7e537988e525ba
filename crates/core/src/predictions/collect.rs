//! All answers by model and case.

use super::given_answer::{AnswerPlace, AnswerRole, GivenDocument};
use crate::run::Prediction;
use anyhow::{Result, bail};
use std::collections::HashMap;

/// All answers of one model, in the order of the files.
#[derive(Debug, Default)]
pub(super) struct ModelAnswers {
    pub model: String,
    pub cases: Vec<CaseParts>,
    /// Whether its answers are counted samples or have log-probabilities, and the first such answer.
    kind: Option<(bool, AnswerPlace)>,
    places: HashMap<usize, usize>,
}

/// The answers of one model to one case.
#[derive(Debug)]
pub(super) struct CaseParts {
    /// Position in the dataset.
    pub case: usize,
    pub with_document: Vec<(GivenDocument, Prediction)>,
    pub closed_book: Option<Prediction>,
    pub fused: Option<Prediction>,
    places: Vec<(AnswerRole, AnswerPlace)>,
}

/// The answers of all models.
#[derive(Debug, Default)]
pub(super) struct Collected {
    pub models: Vec<ModelAnswers>,
    /// Answers that stand in the files again.
    pub repeated: usize,
    /// Answers in whose place a later line stands with another answer.
    pub replaced: usize,
    positions: HashMap<String, usize>,
}

impl Collected {
    /// Adds an answer. The same answer again is counted once. Another answer to the same question replaces the first one if
    /// `later_wins`: lmms-eval appends when it runs again.
    ///
    /// # Errors
    /// Fails if a model has two answers to one question, unless `later_wins`; both lines are named.
    pub fn add(
        &mut self,
        model: &str,
        (case, id): (usize, &str),
        role: AnswerRole,
        prediction: Prediction,
        place: &AnswerPlace,
        later_wins: bool,
    ) -> Result<()> {
        let position = if let Some(position) = self.positions.get(model) {
            *position
        } else {
            self.models.push(ModelAnswers { model: model.to_owned(), ..ModelAnswers::default() });
            self.positions.insert(model.to_owned(), self.models.len() - 1);
            self.models.len() - 1
        };
        let is_sampled = prediction.samples.is_some();
        if is_sampled || prediction.scores.is_some() {
            let (known, first) = self.models[position].kind.get_or_insert_with(|| (is_sampled, place.clone()));
            if *known != is_sampled {
                bail!(
                    "{place}: expected either label_counts or log-probabilities of the model {model:?}, as in {first}, found the \
                     other: shares of samples and probabilities are not mixed in one run"
                );
            }
        }
        let parts = self.models[position].parts_of(case);
        let Some((_, first)) = parts.places.iter().find(|(known, _)| same_question(known, &role)) else {
            parts.places.push((role.clone(), place.clone()));
            match role {
                AnswerRole::Document(document) => parts.with_document.push((document, prediction)),
                AnswerRole::ClosedBook => parts.closed_book = Some(prediction),
                AnswerRole::Fused => parts.fused = Some(prediction),
            }
            return Ok(());
        };
        let known = match &role {
            AnswerRole::Document(document) => {
                parts.with_document.iter_mut().find(|(known, _)| known.id == document.id).map(|(_, known)| known)
            }
            AnswerRole::ClosedBook => parts.closed_book.as_mut(),
            AnswerRole::Fused => parts.fused.as_mut(),
        };
        match known {
            Some(known) if *known == prediction => self.repeated += 1,
            Some(known) if later_wins => {
                *known = prediction;
                self.replaced += 1;
            }
            _ => bail!(
                "{place}: the model {model:?} has answered the case {id}{} already in {first}, with another answer; expected one \
                 (a file of several models names each as `model`)",
                match &role {
                    AnswerRole::Document(document) => format!(" with the document {}", document.id),
                    AnswerRole::ClosedBook | AnswerRole::Fused => String::new(),
                }
            ),
        }
        Ok(())
    }
}

impl ModelAnswers {
    /// Whether its answers are counted samples; `None` if they are neither those nor have log-probabilities.
    pub fn is_sampled(&self) -> Option<bool> {
        self.kind.as_ref().map(|(is_sampled, _)| *is_sampled)
    }

    fn parts_of(&mut self, case: usize) -> &mut CaseParts {
        let place = *self.places.entry(case).or_insert_with(|| {
            self.cases.push(CaseParts {
                case,
                with_document: Vec::new(),
                closed_book: None,
                fused: None,
                places: Vec::new(),
            });
            self.cases.len() - 1
        });
        &mut self.cases[place]
    }
}

/// Whether both are answers to the same question: without a document, with the same one, or fused.
fn same_question(one: &AnswerRole, other: &AnswerRole) -> bool {
    match (one, other) {
        (AnswerRole::Document(one), AnswerRole::Document(other)) => one.id == other.id,
        (one, other) => one == other,
    }
}

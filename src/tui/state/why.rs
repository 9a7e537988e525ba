//! Why a prediction is what it is: what was asked, and what has come of it so far.

use crate::explain::{Cost, Explanation};
use crate::pipeline::{ExplainOutcome, ExplainProgress, ExplainRequest, Ticket};

/// The page that explains one prediction.
#[derive(Clone, Debug)]
pub struct Why {
    request: ExplainRequest,
    /// "hit 2, us-doc-003".
    with: String,
    ticket: Ticket,
    answer: WhyAnswer,
}

/// What the worker has said.
#[derive(Clone, Debug)]
pub enum WhyAnswer {
    /// `None` until the first question is answered.
    Asked(Option<ExplainProgress>),
    /// It takes long: the person decides.
    Costly(Cost),
    Known(Box<Explanation>),
    Failed(String),
}

impl Why {
    /// Waits for an answer with this ticket; others are dropped.
    pub fn awaiting(request: ExplainRequest, with: String, ticket: Ticket) -> Self {
        Self { request, with, ticket, answer: WhyAnswer::Asked(None) }
    }

    pub fn request(&self) -> &ExplainRequest {
        &self.request
    }

    /// What was shown with the case, in words.
    pub fn with(&self) -> &str {
        &self.with
    }

    pub fn answer(&self) -> &WhyAnswer {
        &self.answer
    }

    /// It is asked once more, whatever it costs.
    pub fn await_again(&mut self, ticket: Ticket) {
        self.ticket = ticket;
        self.answer = WhyAnswer::Asked(None);
    }

    /// Takes in how far it is.
    pub fn take_progress(&mut self, ticket: Ticket, progress: ExplainProgress) {
        if ticket == self.ticket && matches!(self.answer, WhyAnswer::Asked(_)) {
            self.answer = WhyAnswer::Asked(Some(progress));
        }
    }

    /// Takes in the answer.
    pub fn take_outcome(&mut self, ticket: Ticket, outcome: Result<ExplainOutcome, String>) {
        if ticket != self.ticket {
            return;
        }
        self.answer = match outcome {
            Ok(ExplainOutcome::Explained(explanation)) => WhyAnswer::Known(explanation),
            Ok(ExplainOutcome::Costly(cost)) => WhyAnswer::Costly(cost),
            Err(message) => WhyAnswer::Failed(message),
        };
    }
}

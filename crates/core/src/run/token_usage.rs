//! What a run cost at its server.

use serde::{Deserialize, Serialize};

/// Requests for answers, and the tokens that the server counted for them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenUsage {
    pub requests: u64,
    /// Tokens of the prompts (`usage.prompt_tokens`).
    pub prompt_tokens: u64,
    /// Tokens of the answers, with what a model thinks before it answers (`usage.completion_tokens`).
    pub answer_tokens: u64,
    /// Requests of which the server did not say how many tokens they took.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub not_counted: u64,
}

impl TokenUsage {
    /// Tokens of prompts and answers.
    pub fn tokens(&self) -> u64 {
        self.prompt_tokens.saturating_add(self.answer_tokens)
    }

    /// The sum of both.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            requests: self.requests.saturating_add(other.requests),
            prompt_tokens: self.prompt_tokens.saturating_add(other.prompt_tokens),
            answer_tokens: self.answer_tokens.saturating_add(other.answer_tokens),
            not_counted: self.not_counted.saturating_add(other.not_counted),
        }
    }

    /// What came after `earlier`.
    #[must_use]
    pub fn since(self, earlier: Self) -> Self {
        Self {
            requests: self.requests.saturating_sub(earlier.requests),
            prompt_tokens: self.prompt_tokens.saturating_sub(earlier.prompt_tokens),
            answer_tokens: self.answer_tokens.saturating_sub(earlier.answer_tokens),
            not_counted: self.not_counted.saturating_sub(earlier.not_counted),
        }
    }

    /// For people: "12 requests, 3400 tokens read, 60 written".
    pub fn short(&self) -> String {
        let Self { requests, prompt_tokens, answer_tokens, not_counted } = self;
        let counted = format!("{requests} requests, {prompt_tokens} tokens read, {answer_tokens} written");
        match not_counted {
            0 => counted,
            missing => format!("{counted} (the server did not count those of {missing} requests)"),
        }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
fn is_zero(count: &u64) -> bool {
    *count == 0
}

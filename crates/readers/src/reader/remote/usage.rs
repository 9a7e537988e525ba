//! Counts requests and tokens.

use super::answer::Usage;
use dissent_core::run::TokenUsage;
use std::sync::{Mutex, PoisonError};

/// A count that requests on several threads add to.
#[derive(Debug, Default)]
pub(super) struct UsageCounter(Mutex<TokenUsage>);

impl UsageCounter {
    /// Adds an answered request.
    pub fn add(&self, usage: Option<&Usage>) {
        let prompt = usage.and_then(|usage| usage.prompt_tokens);
        let answer = usage.and_then(|usage| usage.completion_tokens);
        let one = TokenUsage {
            requests: 1,
            prompt_tokens: prompt.unwrap_or_default(),
            answer_tokens: answer.unwrap_or_default(),
            not_counted: u64::from(prompt.is_none()),
        };
        let mut sum = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *sum = sum.and(one);
    }

    /// The count so far.
    pub fn sum(&self) -> TokenUsage {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

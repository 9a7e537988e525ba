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
        let total = usage.and_then(|usage| usage.total_tokens);
        let beyond_prompt = total.zip(prompt).map(|(total, prompt)| total.saturating_sub(prompt));
        let answer = usage.and_then(|usage| usage.completion_tokens).max(beyond_prompt);
        let one = TokenUsage {
            requests: 1,
            prompt_tokens: prompt.unwrap_or_default(),
            answer_tokens: answer.unwrap_or_default(),
            not_counted: u64::from(prompt.is_none() || answer.is_none()),
        };
        let mut sum = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *sum = sum.and(one);
    }

    /// The count so far.
    pub fn sum(&self) -> TokenUsage {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thoughts_are_counted_and_what_is_missing_is_said() {
        let counted = |prompt_tokens, completion_tokens, total_tokens| {
            let counter = UsageCounter::default();
            counter.add(Some(&Usage { prompt_tokens, completion_tokens, total_tokens }));
            let TokenUsage { prompt_tokens, answer_tokens, not_counted, .. } = counter.sum();
            (prompt_tokens, answer_tokens, not_counted)
        };
        assert_eq!(counted(Some(900), Some(2), Some(902)), (900, 2, 0));
        assert_eq!(counted(Some(900), Some(2), Some(1400)), (900, 500, 0), "thoughts stand in the total alone");
        assert_eq!(counted(Some(900), None, Some(901)), (900, 1, 0));
        assert_eq!(counted(Some(900), None, None), (900, 0, 1));
        assert_eq!(counted(None, Some(2), None), (0, 2, 1));
    }
}

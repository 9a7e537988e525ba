//! The answer that is explained: the label against the runner-up, or the words of an open answer.

use dissent_core::data::LabelIndex;
use dissent_core::run::LabelScores;

/// What is measured in each answer of the reader.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Target {
    /// The answer of the prediction.
    pub answer: LabelIndex,
    /// The label with the second largest log-probability; `None` where the answer is the only label, which is how an open
    /// answer is scored.
    pub runner_up: Option<LabelIndex>,
}

impl Target {
    /// The answer and the runner-up in these scores.
    pub fn of(scores: &LabelScores) -> Self {
        let answer = scores.arg_max();
        let values = scores.log_probabilities();
        let mut runner_up: Option<LabelIndex> = None;
        for (label, value) in values.iter().enumerate() {
            if label != answer && runner_up.is_none_or(|best| *value > values[best]) {
                runner_up = Some(label);
            }
        }
        Self { answer, runner_up }
    }

    /// Log-odds between answer and runner-up, or the log-probability of the answer if it is the only label.
    pub fn log_odds(&self, scores: &LabelScores) -> f32 {
        let values = scores.log_probabilities();
        values[self.answer] - self.runner_up.map_or(0.0, |label| values[label])
    }

    /// Is the log-odds in these scores known only approximately, because one of the two labels has a bound?
    pub fn is_bound(&self, scores: &LabelScores) -> bool {
        scores.is_bound(self.answer) || self.runner_up.is_some_and(|label| scores.is_bound(label))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_runner_up_is_the_second_best_label() {
        let scores = LabelScores::exact(vec![-3.0, -0.5, -1.5, -9.0]);
        let target = Target::of(&scores);
        assert_eq!(target, Target { answer: 1, runner_up: Some(2) });
        assert!((target.log_odds(&scores) - 1.0).abs() < 1e-6);
        let changed = LabelScores::bounded(vec![-0.1, -4.0, -2.0, -9.0], vec![2]);
        assert!((target.log_odds(&changed) + 2.0).abs() < 1e-6);
        assert!(target.is_bound(&changed) && !target.is_bound(&scores));
    }

    #[test]
    fn an_only_label_is_measured_by_its_log_probability() {
        let scores = LabelScores::exact(vec![-2.5]);
        assert_eq!(Target::of(&scores), Target { answer: 0, runner_up: None });
        assert_eq!(Target::of(&scores).log_odds(&scores), -2.5);
    }
}

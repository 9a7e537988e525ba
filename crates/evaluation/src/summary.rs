//! Summary of a run: accuracy of the fused, the closed-book and the best single answer, and how it differs between
//! consistent and inconsistent cases (docs/method.md, "Inconsistent cases").

use super::{CaseOutcome, Estimate, Verdict};
use dissent_core::data::{Answer, Dataset};
use dissent_core::run::CaseAnswer;
use serde::Serialize;

/// One case of the summary.
#[derive(Clone, Debug, PartialEq)]
pub struct SummaryCase {
    /// Task id.
    pub task: String,
    pub gold: Option<Answer>,
    /// Answer without a document; `None` if the reader was not asked without one.
    pub closed_book: Option<Option<Answer>>,
    /// `None` if the case was read closed-book only.
    pub outcome: Option<CaseOutcome>,
}

impl SummaryCase {
    /// The case of these answers; `None` if the dataset does not have it.
    pub fn of(answer: &CaseAnswer, dataset: &Dataset) -> Option<Self> {
        let case = dataset.cases.get(answer.case)?;
        let gold = dataset.gold_of(case);
        let outcome = CaseOutcome::of(gold, answer).map(|(_, outcome)| outcome);
        let closed_book = answer.closed_book.as_ref().map(|prediction| prediction.answer);
        Some(Self { task: case.task.clone(), gold, closed_book, outcome })
    }

    /// Whether the closed-book answer is right; `None` if the reader was not asked without a document.
    fn closed_book_is_right(&self) -> Option<bool> {
        self.closed_book.map(|answer| answer.is_some() && answer == self.gold)
    }
}

/// Figures of one task, or of all together.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TaskSummary {
    /// Task id; `None` for all tasks together.
    pub task: Option<String>,
    /// Number of cases.
    pub n: usize,
    /// Number of cases whose gold answer is not wholly known; the accuracies leave them out.
    #[serde(skip_serializing_if = "is_zero")]
    pub n_unknown: usize,
    pub closed_book_accuracy: Estimate,
    pub fused_accuracy: Estimate,
    /// Share of cases in which any of the K predictions is right.
    pub oracle_accuracy: Estimate,
    /// Share of cases whose K predictions are not all the same label.
    pub inconsistent: Estimate,
    pub accuracy_on_consistent: Estimate,
    pub accuracy_on_inconsistent: Estimate,
}

/// Summary of a set of cases, all from one split.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Summary {
    pub split: String,
    /// One per task, in order of appearance; all together come last if there is more than one task.
    pub tasks: Vec<TaskSummary>,
}

impl Summary {
    /// Counts cases of one split.
    pub fn of(split: &str, cases: &[SummaryCase]) -> Self {
        let mut names: Vec<&str> = Vec::new();
        for case in cases {
            if !names.contains(&case.task.as_str()) {
                names.push(&case.task);
            }
        }
        let mut tasks = Vec::new();
        for name in &names {
            let own: Vec<&SummaryCase> = cases.iter().filter(|case| case.task == *name).collect();
            tasks.push(TaskSummary::of(Some((*name).to_string()), &own));
        }
        if names.len() != 1 {
            tasks.push(TaskSummary::of(None, &cases.iter().collect::<Vec<_>>()));
        }
        Self { split: split.to_string(), tasks }
    }

    /// A table for the terminal, one figure per line.
    pub fn text(&self) -> String {
        let mut text = String::new();
        for task in &self.tasks {
            let name = task.task.as_deref().unwrap_or("all tasks");
            text.push_str(&format!(
                "{name}, split {}, {} cases; intervals: bootstrap over cases, 95 %\n",
                self.split, task.n
            ));
            if task.n_unknown > 0 {
                text.push_str(&format!(
                    "  left out of the accuracies, because a label is unknown: {}\n",
                    task.n_unknown
                ));
            }
            for (label, figure) in task.lines() {
                text.push_str(&format!("  {label:<26} {}\n", figure.text()));
            }
        }
        text
    }
}

impl TaskSummary {
    fn of(task: Option<String>, cases: &[&SummaryCase]) -> Self {
        let answered: Vec<&CaseOutcome> = cases.iter().filter_map(|case| case.outcome.as_ref()).collect();
        let known: Vec<&SummaryCase> = cases.iter().copied().filter(|case| case.gold.is_some()).collect();
        let outcomes: Vec<&CaseOutcome> = known.iter().filter_map(|case| case.outcome.as_ref()).collect();
        let right_where = |verdict: Verdict| {
            let kept = outcomes.iter().filter(|outcome| outcome.verdict() == verdict);
            Estimate::of(&kept.map(|outcome| outcome.is_right()).collect::<Vec<_>>())
        };
        let share = |test: fn(&CaseOutcome) -> bool| {
            Estimate::of(&outcomes.iter().map(|outcome| test(outcome)).collect::<Vec<_>>())
        };
        let is_inconsistent = |outcome: &&CaseOutcome| outcome.verdict() == Verdict::Inconsistent;
        let closed_book: Vec<bool> = known.iter().filter_map(|case| case.closed_book_is_right()).collect();
        Self {
            task,
            n: cases.len(),
            n_unknown: cases.len() - known.len(),
            closed_book_accuracy: Estimate::of(&closed_book),
            fused_accuracy: share(CaseOutcome::is_right),
            oracle_accuracy: share(CaseOutcome::oracle_is_right),
            inconsistent: Estimate::of(&answered.iter().map(is_inconsistent).collect::<Vec<_>>()),
            accuracy_on_consistent: right_where(Verdict::Consistent),
            accuracy_on_inconsistent: right_where(Verdict::Inconsistent),
        }
    }

    fn lines(&self) -> [(&'static str, &Estimate); 6] {
        [
            ("closed-book accuracy", &self.closed_book_accuracy),
            ("fused accuracy", &self.fused_accuracy),
            ("oracle accuracy", &self.oracle_accuracy),
            ("inconsistent cases", &self.inconsistent),
            ("accuracy on consistent", &self.accuracy_on_consistent),
            ("accuracy on inconsistent", &self.accuracy_on_inconsistent),
        ]
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_zero(count: &usize) -> bool {
    *count == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn case(task: &str, closed_book: usize, outcome: Option<(&[usize], usize)>) -> SummaryCase {
        let label = |label: usize| Some(Answer::Label(label));
        let outcome = outcome.map(|(answers, fused)| CaseOutcome {
            gold: label(1),
            answers: answers.iter().copied().map(label).collect(),
            fused: label(fused),
        });
        SummaryCase { task: task.into(), gold: label(1), closed_book: Some(label(closed_book)), outcome }
    }

    #[test]
    fn figures_are_counted_over_the_right_cases() {
        let summary = Summary::of(
            "test",
            &[
                case("a", 1, Some((&[1, 1], 1))),
                case("a", 0, Some((&[0, 0], 0))),
                case("a", 0, Some((&[0, 1], 0))),
                case("a", 0, Some((&[0, 1], 1))),
                case("b", 1, None),
            ],
        );
        let [a, b, all] = &summary.tasks[..] else { panic!("{summary:?}") };
        let values = |task: &TaskSummary| task.lines().map(|(_, figure)| (figure.value, figure.n));
        assert_eq!(
            values(a),
            [(Some(0.25), 4), (Some(0.5), 4), (Some(0.75), 4), (Some(0.5), 4), (Some(0.5), 2), (Some(0.5), 2)]
        );
        assert_eq!(values(b), [(Some(1.0), 1), (None, 0), (None, 0), (None, 0), (None, 0), (None, 0)]);
        assert_eq!((all.task.as_ref(), all.n), (None, 5));
        let text = summary.text();
        assert!(text.contains("a, split test, 4 cases") && text.contains("all tasks, split test, 5 cases"), "{text}");
    }
}

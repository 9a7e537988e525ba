//! Compares two retrievers on the same cases: accuracy, disagreement, and whether the difference exceeds chance. The
//! first one's predictions decide which cases count as inconsistent, so that both are scored on the same cases
//! (docs/method.md, "Inconsistent cases").

use super::{Bootstrap, CaseOutcome, Difference, Estimate, Verdict, mcnemar_exact};
use serde::Serialize;

/// One case with the outcomes of both.
#[derive(Clone, Debug, PartialEq)]
pub struct PairedOutcome {
    /// Task id.
    pub task: String,
    pub first: CaseOutcome,
    pub second: CaseOutcome,
    /// Whether both retrieved the same set of documents.
    pub same_documents: bool,
}

/// Fused accuracy of both on a set of cases.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PairedAccuracy {
    pub first: Estimate,
    pub second: Estimate,
    /// Second minus first, with its paired bootstrap 95 % interval; `None` if all cases changed alike, or none did.
    pub difference: Option<Difference>,
    /// Number of cases wrong with the first and right with the second.
    pub gained: usize,
    /// Number of cases right with the first and wrong with the second.
    pub lost: usize,
    /// McNemar's exact two-sided p.
    pub p: f64,
}

/// Comparison of both on one task, or on all.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TaskComparison {
    /// Task id; `None` for all tasks together.
    pub task: Option<String>,
    pub n: usize,
    pub accuracy: PairedAccuracy,
    /// Accuracy on the cases that are inconsistent with the first.
    pub on_inconsistent: PairedAccuracy,
    /// Accuracy on the cases that are consistent with the first.
    pub on_consistent: PairedAccuracy,
    pub inconsistent_first: Estimate,
    pub inconsistent_second: Estimate,
    /// Number of cases whose sets of documents differ.
    pub changed_documents: usize,
}

/// Comparison of two systems by task; all tasks together come last if there are several.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Comparison {
    pub split: String,
    pub first: String,
    pub second: String,
    pub tasks: Vec<TaskComparison>,
}

impl Comparison {
    /// Compares both on the given cases, all from one split.
    pub fn of(split: &str, first: &str, second: &str, cases: &[PairedOutcome]) -> Self {
        let mut names: Vec<&str> = Vec::new();
        for case in cases {
            if !names.contains(&case.task.as_str()) {
                names.push(&case.task);
            }
        }
        let mut tasks = Vec::new();
        for name in &names {
            let own: Vec<&PairedOutcome> = cases.iter().filter(|case| case.task == *name).collect();
            tasks.push(TaskComparison::of(Some((*name).to_string()), &own));
        }
        if names.len() != 1 {
            tasks.push(TaskComparison::of(None, &cases.iter().collect::<Vec<_>>()));
        }
        Self { split: split.into(), first: first.into(), second: second.into(), tasks }
    }

    /// A table for the terminal.
    pub fn text(&self) -> String {
        let mut text = String::new();
        for task in &self.tasks {
            let name = task.task.as_deref().unwrap_or("all tasks");
            text.push_str(&format!(
                "{name}, split {}, {} cases: {} → {}; intervals: bootstrap over cases, 95 %\n",
                self.split, task.n, self.first, self.second
            ));
            for (label, accuracy) in [
                ("fused accuracy", &task.accuracy),
                ("accuracy on inconsistent", &task.on_inconsistent),
                ("accuracy on consistent", &task.on_consistent),
            ] {
                text.push_str(&format!("  {label:<25} {}\n", accuracy.text()));
            }
            let (first, second) = (task.inconsistent_first.text(), task.inconsistent_second.text());
            text.push_str(&format!("  {:<25} {first} → {second}\n", "inconsistent cases"));
            text.push_str(&format!("  {:<25} {} of {}\n", "other documents", task.changed_documents, task.n));
        }
        text.push_str(&format!("inconsistent and consistent cases are those of {}\n", self.first));
        text
    }
}

impl TaskComparison {
    fn of(task: Option<String>, cases: &[&PairedOutcome]) -> Self {
        let with_verdict = |verdict: Verdict| -> Vec<&PairedOutcome> {
            cases.iter().copied().filter(|case| case.first.verdict() == verdict).collect()
        };
        let inconsistent = |pick: fn(&PairedOutcome) -> &CaseOutcome| {
            Estimate::of(&cases.iter().map(|case| pick(case).verdict() == Verdict::Inconsistent).collect::<Vec<_>>())
        };
        Self {
            task,
            n: cases.len(),
            accuracy: PairedAccuracy::of(cases),
            on_inconsistent: PairedAccuracy::of(&with_verdict(Verdict::Inconsistent)),
            on_consistent: PairedAccuracy::of(&with_verdict(Verdict::Consistent)),
            inconsistent_first: inconsistent(|case| &case.first),
            inconsistent_second: inconsistent(|case| &case.second),
            changed_documents: cases.iter().filter(|case| !case.same_documents).count(),
        }
    }
}

impl PairedAccuracy {
    fn of(cases: &[&PairedOutcome]) -> Self {
        let first: Vec<bool> = cases.iter().map(|case| case.first.is_right()).collect();
        let second: Vec<bool> = cases.iter().map(|case| case.second.is_right()).collect();
        let gained = first.iter().zip(&second).filter(|(first, second)| !**first && **second).count();
        let lost = first.iter().zip(&second).filter(|(first, second)| **first && !**second).count();
        Self {
            first: Estimate::of(&first),
            second: Estimate::of(&second),
            difference: Difference::of_share(&first, &second, Bootstrap::BY_CASE),
            gained,
            lost,
            p: mcnemar_exact(gained, lost),
        }
    }

    /// "0.668 [..] → 0.761 [..]" and a second line "+0.093 [0.021, 0.141], 49 gained, 26 lost, p 0.011".
    fn text(&self) -> String {
        let both = format!("{} → {}", self.first.text(), self.second.text());
        let interval = self.difference.map_or_else(String::new, |difference| format!("{}, ", difference.text()));
        let p = if self.p < 0.0001 { "p < 0.0001".into() } else { format!("p {:.4}", self.p) };
        format!("{both}\n  {:<25} {interval}{} gained, {} lost, {p}", "", self.gained, self.lost)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use dissent_core::data::Answer;

    fn outcome(answers: &[usize], fused: usize) -> CaseOutcome {
        let label = |label: usize| Some(Answer::Label(label));
        CaseOutcome { gold: label(1), answers: answers.iter().copied().map(label).collect(), fused: label(fused) }
    }

    fn pair(first: CaseOutcome, second: CaseOutcome) -> PairedOutcome {
        PairedOutcome { task: "t".into(), first, second, same_documents: false }
    }

    #[test]
    fn the_first_systems_split_is_kept_for_both() {
        let cases = [
            pair(outcome(&[0, 1], 0), outcome(&[1, 1], 1)),
            pair(outcome(&[0, 1], 1), outcome(&[0, 0], 0)),
            pair(outcome(&[0, 1], 0), outcome(&[1, 1], 1)),
            pair(outcome(&[1, 1], 1), outcome(&[0, 1], 1)),
        ];
        // Four cases are too few for an interval.
        let cases = [cases.clone(), cases].concat();
        let comparison = Comparison::of("validation", "standard", "trained", &cases);
        let [task] = &comparison.tasks[..] else { panic!("{comparison:?}") };
        assert_eq!((task.on_inconsistent.gained, task.on_inconsistent.lost), (4, 2));
        assert_eq!((task.on_inconsistent.first.n, task.on_consistent.first.n), (6, 2));
        assert_eq!(task.accuracy.difference.unwrap().value, 0.25);
        assert_eq!((task.inconsistent_first.value, task.inconsistent_second.value), (Some(0.75), Some(0.25)));
        assert_eq!(task.changed_documents, 8);
        assert!((task.on_inconsistent.p - 0.6875).abs() < 1e-9);
        assert!(comparison.text().contains("4 gained, 2 lost, p 0.6875"), "{}", comparison.text());
    }
}

//! Thresholds above which a label belongs to an answer with several labels, chosen on the validation split (docs/method.md, "Sets
//! of labels").

use crate::fusion::{fuse, scored_hits};
use dissent_core::data::{Dataset, Task};
use dissent_core::run::{CaseAnswer, Prediction};
use std::sync::Arc;

/// Fewest validation cases that have the label, and fewest that have not: with fewer, one case would decide.
const FEWEST: usize = 5;

/// The thresholds of a task.
#[derive(Clone, Debug, PartialEq)]
pub struct TaskThresholds {
    /// Id of the task.
    pub task: String,
    /// In the order of the task's labels.
    pub labels: Vec<LabelThreshold>,
}

/// The threshold of a label.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LabelThreshold {
    /// Log-odds of yes above which the label is in the set.
    pub log_odds: f32,
    /// Validation cases in which it is known whether they have the label, and those that have it.
    pub cases: usize,
    pub with: usize,
    /// F1 on these cases, and what it is with the threshold of the dataset; `None` without a case that has the label.
    pub f1: Option<f64>,
    pub f1_before: Option<f64>,
    /// Whether it was chosen; otherwise it is that of the dataset, because there are too few cases.
    pub is_chosen: bool,
}

impl LabelThreshold {
    /// The probability of yes at the threshold.
    pub fn probability(&self) -> f32 {
        1.0 / (1.0 + (-self.log_odds).exp())
    }
}

impl TaskThresholds {
    /// Chooses a threshold for each label of each task that asks about labels one by one: the one with the largest F1 of the
    /// fused answers on these cases, or of the closed-book ones where nothing was retrieved. Of equal ones it is the nearest to
    /// the dataset's.
    pub fn choose(dataset: &Dataset, validation: &[CaseAnswer]) -> Vec<Self> {
        let asked = dataset.tasks.iter().filter(|task| task.asks_each_label());
        asked.filter_map(|task| Self::of_task(dataset, task, validation)).collect()
    }

    fn of_task(dataset: &Dataset, task: &Task, validation: &[CaseAnswer]) -> Option<Self> {
        let mut cases: Vec<Vec<(f32, bool)>> = vec![Vec::new(); task.labels.len()];
        for answer in validation {
            let Some(case) = dataset.cases.get(answer.case).filter(|case| case.task == task.id) else { continue };
            let (Some(odds), Ok(gold)) = (odds_of(answer), task.set_of(&case.answer)) else { continue };
            for (label, value) in odds.iter().enumerate().take(task.labels.len()) {
                if !case.unknown.contains(&task.labels[label].id) {
                    cases[label].push((*value, gold.contains(label)));
                }
            }
        }
        if cases.iter().all(Vec::is_empty) {
            return None;
        }
        let before = task.prompt.sets.log_odds_threshold();
        let labels = cases.into_iter().map(|cases| LabelThreshold::of(cases, before)).collect();
        Some(Self { task: task.id.clone(), labels })
    }

    /// The answers with these thresholds.
    pub fn apply(all: &[Self], dataset: &Dataset, answers: Vec<CaseAnswer>) -> Vec<CaseAnswer> {
        let values: Vec<(&str, Arc<[f32]>)> = all
            .iter()
            .map(|own| (own.task.as_str(), own.labels.iter().map(|label| label.log_odds).collect()))
            .collect();
        let with = |answer: CaseAnswer| {
            let task = dataset.cases.get(answer.case).map(|case| case.task.as_str());
            let Some((_, own)) = values.iter().find(|(id, _)| Some(*id) == task) else { return answer };
            let changed = |prediction: Prediction| prediction.with_threshold_of_each(own);
            CaseAnswer {
                predictions: answer.predictions.into_iter().map(changed).collect(),
                closed_book: answer.closed_book.map(changed),
                ..answer
            }
        };
        answers.into_iter().map(with).collect()
    }
}

/// The log-odds of the fused answer, or of the closed-book one where nothing was retrieved.
fn odds_of(answer: &CaseAnswer) -> Option<Vec<f32>> {
    let fused = fuse(&scored_hits(answer)).map(|fused| fused.prediction);
    let prediction = fused.or_else(|| answer.closed_book.clone())?;
    Some(prediction.odds?.log_odds().to_vec())
}

impl LabelThreshold {
    /// Chooses among the middles between neighbouring log-odds; `cases` have their log-odds and whether they have the label.
    fn of(mut cases: Vec<(f32, bool)>, before: f32) -> Self {
        let with = cases.iter().filter(|(_, has)| *has).count();
        let f1_before = f1(&cases, with, before);
        let kept = Self { log_odds: before, cases: cases.len(), with, f1: f1_before, f1_before, is_chosen: false };
        if with < FEWEST || cases.len() - with < FEWEST {
            return kept;
        }
        cases.sort_by(|(a, _), (b, _)| b.total_cmp(a));
        let mut best = Self { is_chosen: true, ..kept };
        let (mut answered, mut right) = (0, 0);
        for (place, (value, has)) in cases.iter().enumerate() {
            answered += 1;
            right += usize::from(*has);
            let next = cases.get(place + 1).map(|(next, _)| *next);
            if next == Some(*value) {
                // No threshold parts equal log-odds.
                continue;
            }
            let found = Some(2.0 * right as f64 / (answered + with) as f64);
            let log_odds = next.map_or(value - 1.0, |next| between(*value, next));
            let is_nearer = (log_odds - before).abs() < (best.log_odds - before).abs();
            if found > best.f1 || (found == best.f1 && is_nearer) {
                best = Self { log_odds, f1: found, ..best };
            }
        }
        best
    }
}

/// A threshold below `value` and not below `next`; the middle of neighbouring floats is rounded to one of them.
fn between(value: f32, next: f32) -> f32 {
    let middle = f32::midpoint(value, next);
    if middle < value { middle } else { next }
}

/// F1 of a label that is answered above this threshold; `None` if no case has it.
fn f1(cases: &[(f32, bool)], with: usize, threshold: f32) -> Option<f64> {
    let answered = || cases.iter().filter(|(value, _)| *value > threshold);
    let right = answered().filter(|(_, has)| *has).count();
    (with > 0).then(|| 2.0 * right as f64 / (answered().count() + with) as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(positive: &[f32], negative: &[f32]) -> LabelThreshold {
        let cases = positive.iter().map(|value| (*value, true)).chain(negative.iter().map(|value| (*value, false)));
        LabelThreshold::of(cases.collect(), 0.0)
    }

    #[test]
    fn the_threshold_has_the_largest_f1_on_these_cases() {
        // A reader that says no too often: at equal odds it finds one of five.
        let shy = chosen(&[0.5, -1.0, -1.2, -1.4, -1.6], &[-1.5, -3.0, -3.2, -3.4, -3.6, -3.8]);
        assert!(shy.is_chosen && (shy.cases, shy.with) == (11, 5));
        assert!((shy.f1_before.unwrap() - 2.0 / 6.0).abs() < 1e-12);
        // Below -1.6, one wrong case comes along: 2 * 5 / (6 + 5).
        assert!((shy.f1.unwrap() - 10.0 / 11.0).abs() < 1e-12, "{shy:?}");
        assert!(shy.log_odds > -3.0 && shy.log_odds < -1.6);
        assert!((shy.probability() - 1.0 / (1.0 + 2.3_f32.exp())).abs() < 1e-6);
    }

    #[test]
    fn a_threshold_that_is_as_good_stays() {
        let good = chosen(&[1.0, 1.1, 1.2, 1.3, 1.4], &[-1.0, -1.1, -1.2, -1.3, -1.4]);
        assert!(good.log_odds == 0.0 && good.f1 == Some(1.0) && good.is_chosen);
        // Neighbouring floats are parted, whichever of them their middle is rounded to.
        for low in [0.5_f32, 0.5_f32.next_up()] {
            let near = chosen(&[low.next_up(); 5], &[low; 5]);
            assert_eq!((near.log_odds, near.f1), (low, Some(1.0)));
        }
        // Equal log-odds are never parted.
        let tied = chosen(&[2.0; 6], &[2.0; 6]);
        assert_eq!((tied.log_odds, tied.f1), (0.0, tied.f1_before));
    }

    #[test]
    fn few_cases_choose_nothing() {
        for (positive, negative) in [(&[-1.0; 4][..], &[-2.0; 9][..]), (&[-1.0; 9], &[-2.0; 4]), (&[], &[])] {
            let kept = chosen(positive, negative);
            assert!(!kept.is_chosen && kept.log_odds == 0.0 && kept.f1 == kept.f1_before, "{kept:?}");
        }
        assert_eq!(chosen(&[], &[-1.0]).f1, None);
    }
}

//! Tables for tasks whose answers are sets of labels: exact sets, and F1 and AUC of each label (docs/method.md, "Sets of
//! labels").

use super::Evaluation;
use super::system::{Row, Subset, TaskRows};
use super::table::{Cell, Table};
use crate::metrics::{LabelSets, OneAgainstRest};
use crate::{Bootstrap, Estimate};
use dissent_core::data::{Answer, Case, Dataset, Label, LabelSet, Task, TaskKind};
use dissent_core::run::Prediction;
use std::collections::HashMap;

/// Picks the answer of a row that is evaluated.
type Pick = fn(&Row) -> Option<Prediction>;

pub(super) fn tables(evaluation: &Evaluation) -> Vec<Table> {
    let mut tables = Vec::new();
    for reference in evaluation.reference_tasks() {
        let mut rows = Vec::new();
        let is_asked =
            |own: &TaskRows, pick: Pick| own.rows.iter().chain(&own.partly_known).any(|row| pick(row).is_some());
        let closed_book: Pick = |row| row.answer.closed_book.clone();
        if reference.task.kind == TaskKind::MultiLabel && is_asked(reference, closed_book) {
            let name = format!("closed-book ({})", evaluation.reference().name);
            rows.extend(rows_of(evaluation, &name, reference, closed_book));
        }
        for (system, own) in evaluation.of_task(&reference.task.id) {
            let fused: Pick = |row| row.fused.clone();
            if is_asked(own, fused) {
                rows.extend(rows_of(evaluation, &system.name, own, fused));
            }
        }
        let mut columns = vec!["system", "label", "n", "with", "F1"];
        columns.extend(reference.task.asks_each_label().then_some("AUC"));
        tables.push(Table {
            key: "labels",
            title: format!("Labels, {}", reference.task.id),
            note: "Answers are sets of labels: accuracy elsewhere is subset accuracy (the whole set is right). n: cases in which it \
                   is known whether the label belongs to the gold set. with: those whose gold set has it. F1 of the fused answer, 0 \
                   where a label is neither given nor answered. AUC: of the probability of yes."
                .to_owned()
                + &threshold_note(evaluation, reference.task),
            columns,
            rows,
        });
    }
    tables
}

/// Says above which probability a label is answered; nothing where the reader writes the set in words.
fn threshold_note(evaluation: &Evaluation, task: &Task) -> String {
    if !task.asks_each_label() {
        return String::new();
    }
    let is_chosen = evaluation.of_task(&task.id).any(|(system, _)| !system.thresholds.is_empty());
    let thresholds = if is_chosen {
        "a threshold of its own (table thresholds)".to_owned()
    } else {
        format!("{}", task.prompt.sets.threshold)
    };
    format!(" A label is answered if its probability of yes is above {thresholds}.")
}

/// A row per label, then one for all labels together.
fn rows_of(evaluation: &Evaluation, name: &str, own: &TaskRows, pick: Pick) -> Vec<Vec<Cell>> {
    let rows: Vec<&Row> = own.rows.iter().chain(&own.partly_known).collect();
    let Some(sets) = AnsweredSets::of(evaluation.dataset, own.task, &rows, pick) else { return Vec::new() };
    let subset = Subset::new("all", rows, evaluation.sampling);
    let mut cells = Vec::new();
    for (position, label) in sets.names.iter().enumerate() {
        let f1 = move |sets: &LabelSets| sets.label_f1().get(position).copied();
        let known = (0..subset.rows.len()).filter(|row| !sets.unknown[*row].contains(position));
        let with = known.clone().filter(|row| sets.pair(*row).0.contains(&position)).count();
        let mut row = vec![
            Cell::from(name),
            Cell::Text(format!("label {label}")),
            Cell::Count(known.count()),
            Cell::Count(with),
            sets.figure(subset.bootstrap(), &f1),
        ];
        row.extend(own.task.asks_each_label().then(|| sets.area(position, subset.bootstrap())));
        cells.push(row);
    }
    let decisions: usize = sets.unknown.iter().map(|unknown| sets.names.len() - unknown.len()).sum();
    let with = (0..subset.rows.len()).map(|row| sets.pair(row).0.len()).sum();
    let mut row = vec![
        Cell::from(name),
        Cell::from("all labels (micro)"),
        Cell::Count(decisions),
        Cell::Count(with),
        sets.figure(subset.bootstrap(), &LabelSets::micro_f1),
    ];
    row.extend(own.task.asks_each_label().then(|| Cell::from("-")));
    cells.push(row);
    cells
}

/// Gold and answered sets of some cases; equal pairs are stored once. Unknown labels are in neither set.
pub(super) struct AnsweredSets<'a> {
    pub names: Vec<&'a str>,
    pairs: Vec<(Vec<usize>, Vec<usize>)>,
    /// Position of each case's pair.
    cells: Vec<usize>,
    /// Unknown labels of each case.
    unknown: Vec<LabelSet>,
    /// Log-odds of yes of each case and label; `None` unless all cases have them.
    odds: Option<Vec<Vec<f32>>>,
}

impl<'a> AnsweredSets<'a> {
    /// The picked answers of these rows. Returns `None` if the task's answers are not sets, or a gold answer is none of
    /// them.
    pub fn of(dataset: &Dataset, task: &'a Task, rows: &[&Row], pick: Pick) -> Option<Self> {
        let enumerated = task.label_sets();
        if enumerated.is_none() && task.kind != TaskKind::MultiLabel {
            return None;
        }
        let names = match &enumerated {
            Some((names, _)) => names.clone(),
            None => task.labels.iter().map(|label| label.name.as_str()).collect(),
        };
        let labels_of = |answer: Answer| match (answer, &enumerated) {
            (Answer::Label(answer), Some((_, sets))) => sets.get(answer).cloned().unwrap_or_default(),
            (Answer::Set(set), _) => set.labels().collect(),
            _ => Vec::new(),
        };
        let mut sets = Self { names, pairs: Vec::new(), cells: Vec::new(), unknown: Vec::new(), odds: None };
        let mut positions = HashMap::new();
        let mut odds = Vec::with_capacity(rows.len());
        for row in rows {
            let case = &dataset.cases[row.case];
            let unknown = unknown_labels(case, &task.labels);
            let answer = pick(row);
            // The gold set without its unknown labels; a row with some has no gold answer.
            let mut gold = labels_of(task.answer_of(&case.answer)?);
            let mut answered = answer.as_ref().and_then(|answer| answer.answer).map(labels_of).unwrap_or_default();
            for labels in [&mut gold, &mut answered] {
                labels.retain(|label| !unknown.contains(*label));
            }
            odds.push(answer.and_then(|answer| Some(answer.odds?.log_odds().to_vec())));
            sets.unknown.push(unknown);
            sets.cells.push(*positions.entry((gold, answered)).or_insert_with_key(|pair| {
                sets.pairs.push(pair.clone());
                sets.pairs.len() - 1
            }));
        }
        sets.odds = odds.into_iter().collect();
        Some(sets)
    }

    /// Gold and answered set of a case.
    fn pair(&self, row: usize) -> &(Vec<usize>, Vec<usize>) {
        &self.pairs[self.cells[row]]
    }

    /// A statistic of the sets with its interval.
    pub fn figure(&self, bootstrap: Bootstrap, statistic: &dyn Fn(&LabelSets) -> Option<f64>) -> Cell {
        let of_counts = |counts: &[usize]| {
            let counted = self.pairs.iter().zip(counts);
            let counted = counted.map(|((gold, answer), count)| (gold.as_slice(), answer.as_slice(), *count));
            statistic(&LabelSets::of(self.names.len(), counted))
        };
        Cell::Estimate(Estimate::of_counts(&self.cells, self.pairs.len(), bootstrap, &of_counts))
    }

    /// AUC of one label over the cases in which it is known; "-" if some answers have no log-odds.
    fn area(&self, label: usize, bootstrap: Bootstrap) -> Cell {
        let Some(ranking) = self.ranking(label) else { return Cell::from("-") };
        Cell::Estimate(Estimate::of_weights(self.cells.len(), bootstrap, &|weights: &[u32]| ranking.area(weights)))
    }

    /// Mean AUC over the labels that some cases have and some have not; "-" if some answers have no log-odds.
    pub fn mean_area(&self, bootstrap: Bootstrap) -> Cell {
        let rankings: Option<Vec<KnownRanking>> = (0..self.names.len()).map(|label| self.ranking(label)).collect();
        let Some(rankings) = rankings else { return Cell::from("-") };
        let statistic = |weights: &[u32]| {
            let areas: Vec<f64> = rankings.iter().filter_map(|ranking| ranking.area(weights)).collect();
            (!areas.is_empty()).then(|| areas.iter().sum::<f64>() / areas.len() as f64)
        };
        Cell::Estimate(Estimate::of_weights(self.cells.len(), bootstrap, &statistic))
    }

    fn ranking(&self, label: usize) -> Option<KnownRanking> {
        let odds = self.odds.as_ref()?;
        let rows: Vec<usize> = (0..self.cells.len()).filter(|row| !self.unknown[*row].contains(label)).collect();
        // Log-odds rank as probabilities do, without the ties of rounding near 0 and 1.
        let scores: Option<Vec<Vec<f32>>> =
            rows.iter().map(|row| odds[*row].get(label).map(|odds| vec![-odds, *odds])).collect();
        let gold: Vec<usize> = rows.iter().map(|row| usize::from(self.pair(*row).0.contains(&label))).collect();
        Some(KnownRanking { ranking: OneAgainstRest::of(2, &scores?, &gold), rows })
    }
}

/// Cases in which a label is known, ranked by its log-odds.
struct KnownRanking {
    rows: Vec<usize>,
    ranking: OneAgainstRest,
}

impl KnownRanking {
    fn area(&self, weights: &[u32]) -> Option<f64> {
        let weights: Vec<u32> = self.rows.iter().map(|row| weights[*row]).collect();
        self.ranking.mean_area(&weights)
    }
}

/// The unknown labels of a case.
fn unknown_labels(case: &Case, labels: &[Label]) -> LabelSet {
    let position = |id: &String| labels.iter().position(|label| label.id == *id);
    LabelSet::of(case.unknown.iter().filter_map(position))
}

//! Table for tasks whose answers are sets of labels: F1 of each label (docs/method.md, "Parsing", multi-label).

use super::Evaluation;
use super::system::{Row, Subset};
use super::table::{Cell, Table};
use crate::metrics::LabelSets;
use crate::{Bootstrap, Estimate};
use dissent_core::data::{LabelIndex, Task};
use dissent_core::run::Prediction;
use std::collections::HashMap;

pub(super) fn tables(evaluation: &Evaluation) -> Vec<Table> {
    let mut tables = Vec::new();
    for reference in evaluation.reference_tasks() {
        let mut rows = Vec::new();
        for (system, own) in evaluation.of_task(&reference.task.id) {
            let answers = own
                .rows
                .iter()
                .filter_map(|row| Some((row.gold_label()?, row.fused.as_ref().and_then(Prediction::label))));
            let Some(sets) = AnsweredSets::of(own.task, answers) else { continue };
            let subset = Subset::new("all", own.rows.iter().collect(), evaluation.sampling);
            for (position, name) in sets.names.iter().enumerate() {
                let f1 = move |sets: &LabelSets| sets.label_f1().get(position).copied();
                let with = own
                    .rows
                    .iter()
                    .filter_map(Row::gold_label)
                    .filter(|gold| sets.sets[*gold].contains(&position))
                    .count();
                let name = format!("label {name}");
                rows.push(vec![
                    Cell::from(system.name.as_str()),
                    Cell::Text(name),
                    Cell::Count(with),
                    sets.figure(subset.bootstrap(), &f1),
                ]);
            }
            rows.push(vec![
                Cell::from(system.name.as_str()),
                Cell::from("all labels (micro)"),
                Cell::Count(own.rows.len()),
                sets.figure(subset.bootstrap(), &LabelSets::micro_f1),
            ]);
        }
        tables.push(Table {
            key: "labels",
            title: format!("Labels, {}", reference.task.id),
            note: "Answers are sets of labels: accuracy elsewhere is subset accuracy (the whole set is right). n: cases whose \
                   gold set has the label. F1 of the fused answer, 0 where a label is neither given nor answered."
                .into(),
            columns: vec!["system", "label", "n", "F1"],
            rows,
        });
    }
    tables
}

/// Gold and answered sets of some cases; equal pairs are stored once.
pub(super) struct AnsweredSets<'a> {
    pub names: Vec<&'a str>,
    /// Labels of each answer of the task.
    sets: Vec<Vec<usize>>,
    /// Gold answer, and given answer if it is one of the task's.
    pairs: Vec<(LabelIndex, Option<LabelIndex>)>,
    /// Position of each case's pair.
    cells: Vec<usize>,
}

impl<'a> AnsweredSets<'a> {
    /// Takes pairs of gold answer and given answer, one per case. Returns `None` if the task's answers are not sets.
    pub fn of(task: &'a Task, answers: impl Iterator<Item = (LabelIndex, Option<LabelIndex>)>) -> Option<Self> {
        let (names, sets) = task.label_sets()?;
        let mut positions = HashMap::new();
        let mut pairs = Vec::new();
        let mut cells = Vec::new();
        for pair in answers {
            cells.push(*positions.entry(pair).or_insert_with(|| {
                pairs.push(pair);
                pairs.len() - 1
            }));
        }
        Some(Self { names, sets, pairs, cells })
    }

    /// A statistic of the sets with its interval.
    pub fn figure(&self, bootstrap: Bootstrap, statistic: &dyn Fn(&LabelSets) -> Option<f64>) -> Cell {
        let of_counts = |counts: &[usize]| {
            let counted = self.pairs.iter().zip(counts).map(|((gold, answer), count)| {
                (self.sets[*gold].as_slice(), answer.map_or(&[][..], |answer| &self.sets[answer]), *count)
            });
            statistic(&LabelSets::of(self.names.len(), counted))
        };
        Cell::Estimate(Estimate::of_counts(&self.cells, self.pairs.len(), bootstrap, &of_counts))
    }
}

//! The evaluation of stored runs as tables: one file per table, and one per output format.

mod accuracy;
mod calibration;
mod comparisons;
mod csv;
mod disagreement;
mod evidence;
mod fusers;
mod html;
mod label_sets;
mod markdown;
mod named_errors;
mod open_answers;
mod oracle;
mod plots;
mod ranks;
mod relevance;
mod retrieval;
mod system;
mod table;
mod text;
mod thresholds;

pub use csv::{csv, tables_csv};
pub use html::html;
pub use markdown::{markdown, tables_markdown};
pub use named_errors::{Named, NamedErrors};
pub use system::{Sampling, System};
pub use table::{Cell, Table};
pub use text::{tables_text, text};

use self::system::{Subset, TaskRows};
use super::{Bootstrap, Verdict};
use dissent_core::data::{Dataset, TaskKind};
use dissent_core::run::Qrels;
use rayon::prelude::*;
use serde::Serialize;
use std::collections::{HashMap, HashSet};

/// Note of tables that split cases by verdict.
const SPLIT_NOTE: &str = "Consistent and inconsistent cases are those of the reference run.";

/// Builds the tables of one kind.
type Build = fn(&Evaluation) -> Vec<Table>;

/// The kinds of tables in printing order; the flag marks those printed by default.
const KINDS: [(&str, bool, Build); 18] = [
    ("accuracy", true, accuracy::tables),
    ("labels", true, label_sets::tables),
    ("thresholds", true, thresholds::tables),
    ("open", true, open_answers::tables),
    ("comparisons", true, comparisons::tables),
    ("oracle", true, oracle::tables),
    ("disagreement", true, disagreement::tables),
    ("ranks", true, ranks::tables),
    ("retrieval", true, retrieval::tables),
    ("fusers", true, fusers::tables),
    ("evidence", true, evidence::tables),
    ("calibration", true, calibration::tables),
    ("categories", true, named_errors::tables),
    ("slices", false, oracle::slices),
    ("flips", false, ranks::flips),
    ("confusion", false, calibration::confusion),
    ("reliability", false, calibration::reliability),
    ("flow", false, comparisons::flow),
];

/// The names of all kinds of tables.
pub fn table_keys() -> Vec<&'static str> {
    KINDS.iter().map(|(key, ..)| *key).collect()
}

/// The names of the tables that are printed by default.
pub fn usual_table_keys() -> Vec<&'static str> {
    KINDS.iter().filter(|(_, usual, _)| *usual).map(|(key, ..)| *key).collect()
}

/// The figures of some runs on the cases of one split.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    pub dataset: String,
    pub split: String,
    /// The run that decides which cases are consistent and inconsistent for all systems.
    pub reference: String,
    pub resamples: usize,
    /// Resamples for statistics that need every case; fewer if there are many cases.
    pub resamples_of_every_case: usize,
    /// "case" or "group": the unit that is resampled for intervals.
    pub drawn: &'static str,
    /// Remarks on the runs: how they differ, which cases only some of them have.
    pub remarks: Vec<String>,
    pub tables: Vec<Table>,
}

/// Systems with their rows, and the data shared by all tables.
struct Evaluation<'a> {
    dataset: &'a Dataset,
    systems: Vec<(&'a System, Vec<TaskRows<'a>>)>,
    verdicts: HashMap<usize, Verdict>,
    named: Option<&'a NamedErrors>,
    qrels: Option<&'a Qrels>,
    sampling: Sampling,
}

impl Report {
    /// Evaluates systems on the cases of one split; the first is the reference. `named` has the categories of the
    /// cases, `keys` names the wanted tables. Returns `None` without a system.
    pub fn of(
        dataset: &Dataset,
        split: &str,
        systems: &[System],
        named: Option<&NamedErrors>,
        sampling: Sampling,
        keys: &[&str],
    ) -> Option<Self> {
        Self::with_qrels(dataset, split, systems, named, None, sampling, keys)
    }

    /// Like [`Self::of`]; judgements decide which documents are relevant for the table of retrieval figures.
    pub fn with_qrels(
        dataset: &Dataset,
        split: &str,
        systems: &[System],
        named: Option<&NamedErrors>,
        qrels: Option<&Qrels>,
        sampling: Sampling,
        keys: &[&str],
    ) -> Option<Self> {
        let reference = systems.first()?;
        let evaluation = Evaluation { qrels, ..Evaluation::new(dataset, systems, named, sampling) };
        // Each table has its own random numbers, so the order of building does not matter.
        let tables: Vec<Vec<Table>> =
            KINDS.par_iter().filter(|(key, ..)| keys.contains(key)).map(|(.., build)| build(&evaluation)).collect();
        Some(Self {
            dataset: dataset.name.clone(),
            split: split.to_owned(),
            reference: reference.name.clone(),
            resamples: sampling.resamples,
            resamples_of_every_case: Bootstrap { groups: None, resamples: sampling.resamples }
                .resamples_of_weights(reference.cases.len()),
            drawn: if sampling.by_group { "group" } else { "case" },
            remarks: evaluation.remarks(),
            tables: (tables.into_iter().flatten().filter(|table| !table.rows.is_empty()))
                .map(Table::with_reasons)
                .collect(),
        })
    }

    /// The basis of the figures: dataset, split, reference run, resamples.
    pub fn basis(&self) -> String {
        let fewer = match self.resamples_of_every_case {
            fewer if fewer < self.resamples => format!(" ({fewer} for AUC and calibration)"),
            _ => String::new(),
        };
        format!(
            "{}, split {}; reference run {}; intervals: 95 %, percentile bootstrap, {} resamples by {}{fewer}",
            self.dataset, self.split, self.reference, self.resamples, self.drawn
        )
    }
}

impl<'a> Evaluation<'a> {
    fn new(dataset: &'a Dataset, systems: &'a [System], named: Option<&'a NamedErrors>, sampling: Sampling) -> Self {
        let systems: Vec<(&System, Vec<TaskRows>)> =
            systems.iter().map(|system| (system, TaskRows::of(dataset, &system.cases))).collect();
        let rows = systems.first().into_iter().flat_map(|(_, tasks)| tasks.iter().flat_map(|own| &own.rows));
        let verdicts = rows.filter_map(|row| Some((row.case, row.verdict()?))).collect();
        Self { dataset, systems, verdicts, named, qrels: None, sampling }
    }

    fn remarks(&self) -> Vec<String> {
        let mut remarks = Vec::new();
        let first = self.reference();
        for own in self.reference_tasks().iter().filter(|own| !own.partly_known.is_empty()) {
            remarks.push(format!(
                "{}: {} of {} cases have an unknown label; they are counted in the table of labels only, without that label",
                own.task.id,
                own.partly_known.len(),
                own.rows.len() + own.partly_known.len()
            ));
        }
        for (system, tasks) in self.systems.iter().filter(|(system, _)| !system.is_sampled()) {
            let of_labels = tasks.iter().filter(|own| own.task.kind != TaskKind::OpenVqa);
            let rows: Vec<&system::Row> = of_labels.flat_map(|own| &own.rows).collect();
            let has_none = |row: &&&system::Row| {
                let answer = row.fused.as_ref().or(row.answer.closed_book.as_ref());
                answer.is_some_and(|answer| answer.scores.is_none() && answer.odds.is_none())
            };
            let without = rows.iter().filter(has_none).count();
            if without > 0 {
                remarks.push(format!(
                    "{}: {without} of {} answers have no probabilities, so AUC and calibration are absent or of the others",
                    system.name,
                    rows.len()
                ));
            }
        }
        for (system, _) in self.systems.iter().filter(|(system, _)| !system.models.is_empty()) {
            remarks.push(format!(
                "{}: nothing was retrieved; its candidates are the models {}, in this order, and where a table says document, hit or \
                 rank, it is one of them",
                system.name,
                system.models.join(", ")
            ));
        }
        for (system, _) in self.systems.iter().filter(|(system, _)| system.is_sampled()) {
            remarks.push(format!(
                "{}: ≈ shares of sampled answers stand for probabilities. AUC, calibration and other figures that need \
                 log-probabilities are left out, and some answers differ from each other by chance of sampling",
                system.name
            ));
        }
        for (system, _) in self.systems.iter().filter(|(system, _)| !system.thresholds.is_empty()) {
            remarks.push(format!(
                "{}: a label is answered above a threshold that was chosen on {} validation cases (table thresholds), not above \
                 that of the dataset",
                system.name,
                system.validation.len()
            ));
        }
        let own: HashSet<usize> = first.cases.iter().map(|answer| answer.case).collect();
        for (system, _) in &self.systems {
            let without = system.cases.iter().filter(|answer| answer.hits.is_empty()).count();
            // A run that is closed-book only has no hit at all.
            if without > 0 && without < system.cases.len() {
                remarks.push(format!(
                    "{}: {without} of {} cases have no hit; they are read closed-book only and are in no figure of fused answers",
                    system.name,
                    system.cases.len()
                ));
            }
        }
        for (second, _) in self.systems.iter().skip(1) {
            if !second.differences.is_empty() {
                remarks.push(format!("{} and {} differ in {}", first.name, second.name, second.differences.join(", ")));
            }
            let others: HashSet<usize> = second.cases.iter().map(|answer| answer.case).collect();
            let alone = own.symmetric_difference(&others).count();
            if alone > 0 {
                remarks.push(format!(
                    "{alone} cases are in one of {} and {} only: no comparison has them",
                    first.name, second.name
                ));
            }
        }
        remarks
    }

    fn reference(&self) -> &'a System {
        self.systems[0].0
    }

    fn reference_tasks(&self) -> &[TaskRows<'a>] {
        &self.systems[0].1
    }

    /// Whether the system is an ablation of another one's reader. Such a system appears only in the table of
    /// evidence.
    fn is_ablation(&self, system: &System) -> bool {
        !system.ablation.is_none() && self.whole_of(system).is_some()
    }

    fn systems(&self) -> impl Iterator<Item = (&'a System, &[TaskRows<'a>])> {
        let systems = self.systems.iter().filter(|(system, _)| !self.is_ablation(system));
        systems.map(|(system, tasks)| (*system, tasks.as_slice()))
    }

    /// Systems with their rows of one task, without ablations.
    fn of_task<'t>(&'t self, task: &'t str) -> impl Iterator<Item = (&'a System, &'t TaskRows<'a>)> {
        self.of_task_with_ablations(task).filter(|(system, _)| !self.is_ablation(system))
    }

    /// Systems with their rows of one task.
    fn of_task_with_ablations<'t>(&'t self, task: &'t str) -> impl Iterator<Item = (&'a System, &'t TaskRows<'a>)> {
        self.systems
            .iter()
            .filter_map(move |(system, tasks)| Some((*system, tasks.iter().find(|own| own.task.id == task)?)))
    }

    fn task_of(&self, system: &System, task: &str) -> Option<&TaskRows<'a>> {
        let (_, tasks) = self.systems.iter().find(|(other, _)| other.name == system.name)?;
        tasks.iter().find(|own| own.task.id == task)
    }

    /// The run that differs from this one only in withholding nothing.
    fn whole_of(&self, system: &System) -> Option<&'a System> {
        self.systems
            .iter()
            .map(|(other, _)| *other)
            .find(|other| other.ablation.is_none() && other.family == system.family)
    }

    fn position_of(&self, system: &System) -> usize {
        self.systems.iter().position(|(other, _)| other.name == system.name).unwrap_or_default()
    }

    /// One row for all cases of a task, and one each for the consistent and inconsistent ones: names, then figures.
    fn rows_by_verdict(&self, name: &str, own: &TaskRows, figures: &dyn Fn(&Subset) -> Vec<Cell>) -> Vec<Vec<Cell>> {
        let subsets = Subset::by_verdict(&own.rows, &self.verdicts, self.sampling);
        let row = |subset: &Subset| {
            let names = [Cell::from(name), Cell::from(subset.name)];
            names.into_iter().chain(figures(subset)).collect()
        };
        subsets.iter().map(row).collect()
    }

    fn verdicts(&self) -> &HashMap<usize, Verdict> {
        &self.verdicts
    }
}

#[cfg(test)]
mod tests;

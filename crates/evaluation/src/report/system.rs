//! A system under evaluation: a run's answers to the cases of one split.

use crate::{Bootstrap, CaseOutcome, TaskThresholds, Verdict};
use dissent_core::data::{Answer, Dataset, Label, LabelIndex, Task};
use dissent_core::run::{Ablation, CaseAnswer, Prediction};
use std::collections::HashMap;

/// A system to evaluate.
#[derive(Clone, Debug)]
pub struct System {
    /// Name of the run.
    pub name: String,
    /// The models that stand in the place of documents; empty in a run with documents.
    pub models: Vec<String>,
    /// The ablation: what was withheld from the reader.
    pub ablation: Ablation,
    /// Equal for runs that differ only in the ablation.
    pub family: String,
    /// The settings in which it differs from the reference run.
    pub differences: Vec<String>,
    /// Answers in the order of the dataset's cases, all of one split.
    pub cases: Vec<CaseAnswer>,
    /// Rerankers by name, with the document that each picked for a case.
    pub rerankers: Vec<(String, HashMap<usize, String>)>,
    /// Answers on the validation split, if the run has them; weights may be learned from these only.
    pub validation: Vec<CaseAnswer>,
    /// Thresholds of labels that were chosen on these and that all answers have; empty if the answers have the dataset's.
    pub thresholds: Vec<TaskThresholds>,
}

impl System {
    /// Its answers with thresholds that are chosen on the validation split, which nothing else must be evaluated on then.
    #[must_use]
    pub fn with_chosen_thresholds(self, dataset: &Dataset) -> Self {
        let thresholds = TaskThresholds::choose(dataset, &self.validation);
        let with = |answers| TaskThresholds::apply(&thresholds, dataset, answers);
        Self { cases: with(self.cases), validation: with(self.validation), thresholds, ..self }
    }

    /// Are its answers shares of samples in place of log-probabilities?
    pub(super) fn is_sampled(&self) -> bool {
        let predictions =
            |answer: &CaseAnswer| answer.predictions.iter().chain(&answer.closed_book).any(Prediction::is_sampled);
        self.cases.iter().any(predictions)
    }
}

/// Settings of the bootstrap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sampling {
    pub resamples: usize,
    /// Draws whole groups of cases.
    pub by_group: bool,
}

/// One case of a system with its gold label.
#[derive(Clone, Debug)]
pub(super) struct Row<'a> {
    /// Position in the dataset.
    pub case: usize,
    pub gold: Option<Answer>,
    /// Number of the case's group, or a number of its own without one.
    pub group: usize,
    pub answer: &'a CaseAnswer,
    /// The paper's fusion, computed once for all tables; `None` if the case was read closed-book only.
    pub fused: Option<Prediction>,
    pub outcome: Option<CaseOutcome>,
}

/// The rows of one task.
#[derive(Clone, Debug)]
pub(super) struct TaskRows<'a> {
    pub task: &'a Task,
    pub rows: Vec<Row<'a>>,
    /// Cases with unknown labels: it is not known which set of labels is right, so only single labels can be scored.
    pub partly_known: Vec<Row<'a>>,
}

impl Row<'_> {
    /// The gold label; `None` if the task is not answered with one label.
    pub fn gold_label(&self) -> Option<LabelIndex> {
        self.gold?.label()
    }

    /// Whether this label is the gold answer or in the gold set.
    pub fn has_gold_label(&self, label: LabelIndex) -> bool {
        match self.gold {
            Some(Answer::Label(gold)) => gold == label,
            Some(Answer::Set(set)) => set.contains(label),
            Some(Answer::Text(_)) | None => false,
        }
    }

    /// Whether the predictions agree; `None` if the case was read closed-book only.
    pub fn verdict(&self) -> Option<Verdict> {
        self.outcome.as_ref().map(CaseOutcome::verdict)
    }
}

impl<'a> TaskRows<'a> {
    /// Rows by task, in the order of the dataset's tasks; tasks without a case are left out.
    pub fn of(dataset: &'a Dataset, answers: &'a [CaseAnswer]) -> Vec<Self> {
        let groups = group_numbers(dataset);
        let mut by_task: Vec<Self> =
            dataset.tasks.iter().map(|task| Self { task, rows: Vec::new(), partly_known: Vec::new() }).collect();
        for answer in answers {
            let Some(case) = dataset.cases.get(answer.case) else { continue };
            let Some(own) = by_task.iter_mut().find(|own| own.task.id == case.task) else { continue };
            let gold = own.task.gold_of(case);
            let (fused, outcome) = CaseOutcome::of(gold, answer).unzip();
            let fused = fused.map(|fused| fused.prediction);
            let rows = if case.unknown.is_empty() { &mut own.rows } else { &mut own.partly_known };
            rows.push(Row { case: answer.case, gold, group: groups[answer.case], answer, fused, outcome });
        }
        by_task.retain(|own| !own.rows.is_empty() || !own.partly_known.is_empty());
        by_task
    }

    pub fn labels(&self) -> &'a [Label] {
        &self.task.labels
    }
}

/// A number per case: its group's, or its own.
fn group_numbers(dataset: &Dataset) -> Vec<usize> {
    let mut numbers: HashMap<&str, usize> = HashMap::new();
    let mut groups = Vec::with_capacity(dataset.cases.len());
    for (position, case) in dataset.cases.iter().enumerate() {
        groups.push(match case.group.as_deref() {
            Some(group) => *numbers.entry(group).or_insert(position),
            None => position,
        });
    }
    groups
}

/// A subset of a task's rows, with the data for resampling.
pub(super) struct Subset<'r, 'a> {
    pub name: &'static str,
    pub rows: Vec<&'r Row<'a>>,
    groups: Vec<usize>,
    sampling: Sampling,
}

impl<'r, 'a> Subset<'r, 'a> {
    pub fn new(name: &'static str, rows: Vec<&'r Row<'a>>, sampling: Sampling) -> Self {
        let groups = rows.iter().map(|row| row.group).collect();
        Self { name, rows, groups, sampling }
    }

    /// All rows, and those that are consistent and inconsistent in the reference system.
    pub fn by_verdict(rows: &'r [Row<'a>], fixed: &HashMap<usize, Verdict>, sampling: Sampling) -> Vec<Self> {
        let with = |verdict: Verdict| rows.iter().filter(|row| fixed.get(&row.case) == Some(&verdict)).collect();
        vec![
            Self::new("all", rows.iter().collect(), sampling),
            Self::new("consistent", with(Verdict::Consistent), sampling),
            Self::new("inconsistent", with(Verdict::Inconsistent), sampling),
        ]
    }

    pub fn bootstrap(&self) -> Bootstrap<'_> {
        let groups = self.sampling.by_group.then_some(self.groups.as_slice());
        Bootstrap { groups, resamples: self.sampling.resamples }
    }
}

/// Resampling of values if a case has several (one per prediction): whole cases, or whole groups, are drawn.
pub(super) struct Clusters {
    groups: Vec<usize>,
    resamples: usize,
}

impl Clusters {
    pub fn new(sampling: Sampling) -> Self {
        Self { groups: Vec::new(), resamples: sampling.resamples }
    }

    /// Adds a value of this row's case.
    pub fn push(&mut self, row: &Row, sampling: Sampling) {
        self.groups.push(if sampling.by_group { row.group } else { row.case });
    }

    pub fn bootstrap(&self) -> Bootstrap<'_> {
        Bootstrap { groups: Some(&self.groups), resamples: self.resamples }
    }
}

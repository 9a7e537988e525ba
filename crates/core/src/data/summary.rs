//! What is in a dataset: the cases by task, split and gold answer, the documents by source.

use super::{Case, Dataset, DocumentView, Split, Task, TaskKind};
use crate::files::distinct_numbers::DistinctNumbers;
use crate::files::fingerprint::Fingerprint;
use serde::Serialize;
use std::collections::BTreeMap;
use std::io;

/// Counts by task, split and answer.
type CasesByAnswer = BTreeMap<String, BTreeMap<Split, BTreeMap<String, usize>>>;

/// The content of a dataset.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
pub struct Summary {
    pub name: String,
    /// Number of cases by task, then split, then gold label; if several labels are answered at once, then by how many there
    /// are.
    pub cases: CasesByAnswer,
    /// Number of cases that have each label, for tasks that are answered with several labels at once.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: CasesByAnswer,
    /// Names of labels by task and id, where the name is not the id.
    #[serde(skip)]
    pub label_names: BTreeMap<String, BTreeMap<String, String>>,
    pub documents: usize,
    /// Number of documents by source; documents without a source are under "(none)".
    pub sources: BTreeMap<String, usize>,
    /// Number of distinct groups (patients or studies) of cases and documents.
    pub groups: usize,
    /// Number of distinct image files of cases and documents.
    pub images: usize,
}

impl Summary {
    /// Summarises a dataset.
    ///
    /// # Errors
    /// Fails if a temporary file cannot be read; datasets of less than half a million images need none.
    pub fn of(dataset: &Dataset) -> io::Result<Self> {
        let mut counter = SummaryCounter::default();
        dataset.cases.iter().for_each(|case| counter.case(case));
        dataset.corpus.iter().for_each(|document| counter.document(&document));
        counter.finish(&dataset.name, &dataset.tasks)
    }
}

/// A gold answer as it is written, and whether some of its labels are unknown.
type WrittenAnswer = (String, bool);

/// Counts cases and documents as they are read or written, in memory that does not grow with their number.
#[derive(Debug, Default)]
pub(super) struct SummaryCounter {
    cases: BTreeMap<String, BTreeMap<Split, BTreeMap<WrittenAnswer, usize>>>,
    documents: usize,
    sources: BTreeMap<String, usize>,
    groups: DistinctNumbers,
    images: DistinctNumbers,
}

impl SummaryCounter {
    pub fn case(&mut self, case: &Case) {
        let splits = self.cases.entry(case.task.clone()).or_default();
        let answer = (case.answer.clone(), !case.unknown.is_empty());
        *splits.entry(case.split).or_default().entry(answer).or_default() += 1;
        self.image_and_group(&case.image.to_string_lossy(), case.group.as_deref());
    }

    pub fn document(&mut self, document: &DocumentView) {
        self.documents += 1;
        let source = document.source.unwrap_or("(none)");
        match self.sources.get_mut(source) {
            Some(count) => *count += 1,
            None => drop(self.sources.insert(source.into(), 1)),
        }
        self.image_and_group(&document.image.to_string_lossy(), document.group);
    }

    fn image_and_group(&mut self, image: &str, group: Option<&str>) {
        self.images.add(Fingerprint::number_of(image.as_bytes()));
        if let Some(group) = group {
            self.groups.add(Fingerprint::number_of(group.as_bytes()));
        }
    }

    /// Number of distinct images so far.
    ///
    /// # Errors
    /// Fails if a temporary file cannot be read.
    pub fn images(&mut self) -> io::Result<usize> {
        self.images.count()
    }

    /// Whether there is no case, and whether there is no document.
    #[cfg(feature = "import")]
    pub fn is_without(&self) -> (bool, bool) {
        (self.cases.is_empty(), self.documents == 0)
    }

    /// Every distinct gold answer as it is written, with its task.
    #[cfg(feature = "import")]
    pub fn answers(&self) -> impl Iterator<Item = (&str, &str)> {
        self.cases.iter().flat_map(|(task, splits)| {
            splits.values().flat_map(|answers| answers.keys().map(|(answer, _)| (task.as_str(), answer.as_str())))
        })
    }

    /// The summary, with the answers as the tasks spell them.
    ///
    /// # Errors
    /// Fails if a temporary file cannot be read.
    pub fn finish(mut self, name: &str, tasks: &[Task]) -> io::Result<Summary> {
        let mut summary = Summary {
            name: name.into(),
            documents: self.documents,
            sources: self.sources,
            groups: self.groups.count()?,
            images: self.images.count()?,
            ..Summary::default()
        };
        for (task_id, splits) in self.cases {
            let task = tasks.iter().find(|known| known.id == task_id);
            let labels = task.map(|task| task.labels.as_slice()).unwrap_or_default();
            let other_names = labels.iter().filter(|label| !label.name.eq_ignore_ascii_case(&label.id));
            let names = other_names.map(|label| (label.id.clone(), label.name.clone())).collect();
            summary.label_names.insert(task_id.clone(), names);
            for (split, answers) in splits {
                for ((answer, has_unknown), count) in answers {
                    if let Some((task, Ok(set))) =
                        task.filter(|task| task.kind == TaskKind::MultiLabel).map(|task| (task, task.set_of(&answer)))
                    {
                        let counts = summary.labels.entry(task_id.clone()).or_default().entry(split).or_default();
                        for label in set.labels() {
                            *counts.entry(task.labels[label].id.clone()).or_default() += count;
                        }
                    }
                    let splits = summary.cases.entry(task_id.clone()).or_default();
                    let shown = shown_answer(task, answer, has_unknown);
                    *splits.entry(split).or_default().entry(shown).or_default() += count;
                }
            }
        }
        Ok(summary)
    }
}

/// The answer under which a case counts: nearly all open answers and many sets differ, so they count together.
fn shown_answer(task: Option<&Task>, answer: String, has_unknown: bool) -> String {
    let Some(task) = task else { return answer };
    match task.kind {
        TaskKind::OpenVqa => "(free text)".into(),
        TaskKind::MultiLabel if has_unknown => "(some unknown)".into(),
        TaskKind::MultiLabel => match task.set_of(&answer) {
            Ok(set) => ["(no label)", "(one label)", "(several labels)"][set.len().min(2)].into(),
            Err(_) => answer,
        },
        _ => task.spell(&answer).unwrap_or(answer),
    }
}

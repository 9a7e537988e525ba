//! What is in a dataset: the cases by task, split and gold answer, the documents by source.

use super::{Case, Dataset, Document, Split, Task, TaskKind};
use crate::files::fingerprint::Fingerprint;
use rustc_hash::FxHashSet;
use serde::Serialize;
use std::collections::BTreeMap;

/// Numbers of cases by gold answer.
type Answers = BTreeMap<String, usize>;

/// The content of a dataset.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
pub struct Summary {
    pub name: String,
    /// Number of cases by task, then split, then gold label.
    pub cases: BTreeMap<String, BTreeMap<Split, Answers>>,
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
    pub fn of(dataset: &Dataset) -> Self {
        let mut counter = SummaryCounter::default();
        dataset.cases.iter().for_each(|case| counter.case(case));
        dataset.corpus.iter().for_each(|document| counter.document(document));
        counter.finish(&dataset.name, &dataset.tasks)
    }
}

/// Counts cases and documents as they are read or written; it keeps a number for each distinct image and group.
#[derive(Debug, Default)]
pub(super) struct SummaryCounter {
    summary: Summary,
    groups: FxHashSet<u64>,
    images: FxHashSet<u64>,
}

impl SummaryCounter {
    pub fn case(&mut self, case: &Case) {
        let splits = self.summary.cases.entry(case.task.clone()).or_default();
        *splits.entry(case.split).or_default().entry(case.answer.clone()).or_default() += 1;
        self.image_and_group(&case.image.to_string_lossy(), case.group.as_deref());
    }

    pub fn document(&mut self, document: &Document) {
        self.summary.documents += 1;
        let source = document.source.as_deref().unwrap_or("(none)");
        match self.summary.sources.get_mut(source) {
            Some(count) => *count += 1,
            None => drop(self.summary.sources.insert(source.into(), 1)),
        }
        self.image_and_group(&document.image.to_string_lossy(), document.group.as_deref());
    }

    fn image_and_group(&mut self, image: &str, group: Option<&str>) {
        self.images.insert(Fingerprint::of_bytes(image.as_bytes()).number());
        if let Some(group) = group {
            self.groups.insert(Fingerprint::of_bytes(group.as_bytes()).number());
        }
    }

    /// Every distinct gold answer, with its task.
    pub fn answers(&self) -> impl Iterator<Item = (&str, &str)> {
        self.summary.cases.iter().flat_map(|(task, splits)| {
            splits.values().flat_map(|answers| answers.keys().map(|answer| (task.as_str(), answer.as_str())))
        })
    }

    /// The summary, with the answers as the tasks spell them. Open answers count together, because nearly all differ.
    pub fn finish(self, name: &str, tasks: &[Task]) -> Summary {
        let mut summary = self.summary;
        summary.name = name.into();
        summary.groups = self.groups.len();
        summary.images = self.images.len();
        for (task, splits) in &mut summary.cases {
            let Some(task) = tasks.iter().find(|known| known.id == *task) else { continue };
            for answers in splits.values_mut() {
                let written = std::mem::take(answers);
                for (answer, count) in written {
                    *answers.entry(as_spelt(task, answer)).or_default() += count;
                }
            }
        }
        summary
    }
}

fn as_spelt(task: &Task, answer: String) -> String {
    if task.kind == TaskKind::OpenVqa {
        return "(free text)".into();
    }
    task.spell(&answer).unwrap_or(answer)
}

//! Which documents are relevant for a case: by judgements, or because their caption names the case's answer.

use dissent_core::data::identifier::group_of;
use dissent_core::data::{Answer, Dataset, LabelSet, Task, TaskKind};
use dissent_core::run::Qrels;
use std::collections::{HashMap, HashSet};
use std::path::Path;

/// Grades of a list and of all relevant documents of its case.
#[derive(Debug, PartialEq)]
pub(super) struct Grades {
    /// One per listed document, in order.
    pub listed: Vec<i32>,
    /// Number of relevant documents.
    pub relevant: usize,
    /// The largest grades, largest first.
    pub best: Vec<i32>,
}

/// The relevance of documents for the cases of one task.
pub(super) enum Relevance<'a> {
    Judged(&'a Qrels),
    ByAnswer {
        dataset: &'a Dataset,
        /// By row of the corpus.
        answers: Vec<Option<Answer>>,
        counts: HashMap<Answer, usize>,
        own: &'a OwnDocuments<'a>,
    },
}

impl<'a> Relevance<'a> {
    /// By the judgements if there are any, else by the answers that captions name. A document's answer is the one label, or
    /// for a task of several labels the whole group of them. `None` if the task has no labels.
    pub fn of(
        dataset: &'a Dataset,
        task: &Task,
        qrels: Option<&'a Qrels>,
        own: Option<&'a OwnDocuments<'a>>,
    ) -> Option<Self> {
        if let Some(qrels) = qrels {
            return Some(Self::Judged(qrels));
        }
        let captions = dataset.corpus.iter().map(|document| document.caption);
        let answers: Vec<Option<Answer>> = captions.map(|caption| answer_named_in(task, caption)).collect();
        let mut counts: HashMap<Answer, usize> = HashMap::new();
        for answer in answers.iter().flatten() {
            *counts.entry(*answer).or_default() += 1;
        }
        let own = own.filter(|_| !counts.is_empty())?;
        Some(Self::ByAnswer { dataset, answers, counts, own })
    }

    /// The grades of the documents in these rows of the corpus, with the `most` largest grades of all documents; `None` if it is
    /// not known what is relevant for the case: it was not judged, has no gold label, or no document that it may be shown has
    /// that label.
    pub fn grades(&self, case: usize, listed: &[usize], most: usize) -> Option<Grades> {
        match self {
            Self::Judged(qrels) => {
                let judged = qrels.of_case(case)?;
                let mut best: Vec<i32> = judged.values().copied().filter(|grade| *grade > 0).collect();
                best.sort_unstable_by(|one, other| other.cmp(one));
                let relevant = best.len();
                best.truncate(most);
                let grade = |row: &usize| judged.get(row).copied().unwrap_or(0);
                Some(Grades { listed: listed.iter().map(grade).collect(), relevant, best })
            }
            Self::ByAnswer { dataset, answers, counts, own } => {
                let gold = dataset.gold_of(&dataset.cases[case])?;
                let has_it = |row: &usize| answers.get(*row).is_some_and(|answer| *answer == Some(gold));
                let hidden = own.of_case(case);
                let relevant = counts.get(&gold)? - hidden.iter().filter(|row| has_it(row)).count();
                let grade = |row: &usize| i32::from(has_it(row) && !hidden.contains(row));
                let best = vec![1; relevant.min(most)];
                (relevant > 0).then(|| Grades { listed: listed.iter().map(grade).collect(), relevant, best })
            }
        }
    }
}

/// The answer that a caption names. A caption without a label may be that of a document without a finding, or of one that
/// nobody described, so it names nothing.
fn answer_named_in(task: &Task, caption: &str) -> Option<Answer> {
    if task.chooses_one_label() {
        return task.label_named_in(caption).map(Answer::Label);
    }
    if task.kind != TaskKind::MultiLabel {
        return None;
    }
    let labels = task.labels_named_in(caption);
    (!labels.is_empty()).then(|| Answer::Set(LabelSet::of(labels)))
}

/// Finds the documents that a case is never shown, because they have its id, group, image file or image content. Documents that
/// only resemble its picture are not looked for: that would decode the images of the whole corpus.
#[derive(Debug)]
pub(super) struct OwnDocuments<'a> {
    dataset: &'a Dataset,
    by_id: HashMap<String, Vec<usize>>,
    by_group: HashMap<&'a str, Vec<usize>>,
    by_image: HashMap<&'a Path, Vec<usize>>,
    by_content: HashMap<u64, Vec<usize>>,
    /// Fingerprints of the image files, as numbers.
    contents_of_cases: Vec<Option<u64>>,
}

impl<'a> OwnDocuments<'a> {
    pub fn of(dataset: &'a Dataset) -> Self {
        let mut own = Self {
            dataset,
            by_id: HashMap::new(),
            by_group: HashMap::new(),
            by_image: HashMap::new(),
            by_content: HashMap::new(),
            contents_of_cases: contents_of(dataset, dataset.cases.iter().map(|case| case.image.as_path())),
        };
        let contents = contents_of(dataset, dataset.corpus.iter().map(|document| document.image));
        for ((row, document), content) in dataset.corpus.iter().enumerate().zip(contents) {
            own.by_id.entry(group_of(document.id)).or_default().push(row);
            own.by_image.entry(document.image).or_default().push(row);
            if let Some(group) = document.group {
                own.by_group.entry(group).or_default().push(row);
            }
            if let Some(content) = content {
                own.by_content.entry(content).or_default().push(row);
            }
        }
        own
    }

    fn of_case(&self, position: usize) -> HashSet<usize> {
        let case = &self.dataset.cases[position];
        let content = self.contents_of_cases.get(position).copied().flatten();
        let lists = [
            self.by_id.get(&group_of(&case.id)),
            case.group.as_deref().and_then(|group| self.by_group.get(group)),
            self.by_image.get(case.image.as_path()),
            content.and_then(|content| self.by_content.get(&content)),
        ];
        lists.into_iter().flatten().flatten().copied().collect()
    }
}

fn contents_of<'a>(dataset: &Dataset, images: impl Iterator<Item = &'a Path>) -> Vec<Option<u64>> {
    let contents = dataset.image_contents(images).into_iter();
    contents.map(|content| content.map(|content| content.number())).collect()
}

//! Finds pictures or patients shared by splits and corpus. Retrieval never returns a case's own documents, but a reader
//! trained on them has seen them.

use super::image_checks::ImageContents;
use super::{CASES_FILE, Case, Dataset, Document, Problem, Split};
use rustc_hash::FxHashMap;
use std::path::Path;

/// The first document with an image or group of a case.
#[derive(Clone, Debug)]
struct FirstDocument {
    id: String,
    line: usize,
}

/// Which images and groups of validation and test cases are in the corpus. Memory grows with the cases, not with the corpus.
#[derive(Debug, Default)]
pub(super) struct CorpusLeaks {
    by_content: FxHashMap<u64, Option<FirstDocument>>,
    by_group: FxHashMap<String, Option<FirstDocument>>,
}

impl CorpusLeaks {
    /// Starts with the cases, whose images must have been decoded.
    pub fn of_cases(cases: &[Case], contents: &ImageContents) -> Self {
        let mut leaks = Self::default();
        // A corpus made from the training split contains the images of the training cases.
        for case in cases.iter().filter(|case| case.split != Split::Train) {
            if let Some(content) = contents.get(&case.image) {
                leaks.by_content.insert(content, None);
            }
            if let Some(group) = &case.group {
                leaks.by_group.insert(group.clone(), None);
            }
        }
        leaks
    }

    /// Adds a document, in the order of the corpus.
    pub fn document(&mut self, line: usize, document: &Document, contents: &ImageContents) {
        let first = || Some(FirstDocument { id: document.id.clone(), line });
        if let Some(content) = contents.get(&document.image)
            && let Some(place @ None) = self.by_content.get_mut(&content)
        {
            *place = first();
        }
        if let Some(group) = &document.group
            && let Some(place @ None) = self.by_group.get_mut(group)
        {
            *place = first();
        }
    }

    /// Warns of each validation or test case whose picture or group is in the corpus.
    pub fn warnings(&self, dataset: &Dataset, case_lines: &[usize], contents: &ImageContents) -> Vec<Problem> {
        let mut warnings = Vec::new();
        for (case, line) in dataset.cases.iter().zip(case_lines) {
            if case.split == Split::Train {
                continue;
            }
            let same_image = contents.get(&case.image).and_then(|content| self.by_content.get(&content)?.as_ref());
            let same_group = case.group.as_ref().and_then(|group| self.by_group.get(group)?.as_ref());
            let (field, document) = match (same_image, same_group) {
                (Some(document), _) => ("image", document),
                (None, Some(document)) => ("group", document),
                (None, None) => continue,
            };
            let message = format!(
                "this {} case has its {field} in the corpus (document {:?}, corpus.jsonl:{}); it is not retrieved for this case",
                case.split, document.id, document.line
            );
            let path = dataset.root.join(CASES_FILE);
            warnings.push(Problem::warning(&path, message).at_line(*line).in_field(field));
        }
        warnings
    }
}

/// Counts the cases whose picture or group is in an earlier split.
pub(super) fn leaks_across_splits(dataset: &Dataset, case_lines: &[usize], contents: &ImageContents) -> Vec<Problem> {
    let cases_path = dataset.root.join(CASES_FILE);
    [(Split::Test, Split::Train), (Split::Test, Split::Validation), (Split::Validation, Split::Train)]
        .into_iter()
        .filter_map(|splits| across_splits(dataset, case_lines, contents, &cases_path, splits))
        .collect()
}

fn across_splits(
    dataset: &Dataset,
    case_lines: &[usize],
    contents: &ImageContents,
    cases_path: &Path,
    (split, earlier): (Split, Split),
) -> Option<Problem> {
    let mut by_content: FxHashMap<u64, &Case> = FxHashMap::default();
    let mut by_group: FxHashMap<&String, &Case> = FxHashMap::default();
    for case in dataset.cases.iter().filter(|case| case.split == earlier) {
        if let Some(content) = contents.get(&case.image) {
            by_content.entry(content).or_insert(case);
        }
        if let Some(group) = &case.group {
            by_group.entry(group).or_insert(case);
        }
    }
    let mut count = 0;
    let mut first = None;
    for (case, line) in dataset.cases.iter().zip(case_lines).filter(|(case, _)| case.split == split) {
        let same_image = contents.get(&case.image).and_then(|content| by_content.get(&content));
        let same = same_image.or_else(|| case.group.as_ref().and_then(|group| by_group.get(group)));
        if let Some(other) = same {
            count += 1;
            first.get_or_insert((*line, &case.id, &other.id));
        }
    }
    let (line, id, other) = first?;
    let message = format!(
        "{count} {split} cases share an image or a group with {earlier} cases; the first is {id:?}, with {other:?}"
    );
    Some(Problem::warning(cases_path, message).at_line(line))
}

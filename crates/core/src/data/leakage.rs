//! Finds pictures or patients shared by splits and corpus. Retrieval never returns a case's own documents, but a reader
//! trained on them has seen them.

use super::{CASES_FILE, Case, Dataset, LenientDataset, Problem, Split};
use crate::files::fingerprint::Fingerprint;
use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// Warns of each validation or test case whose picture or group is in the corpus, and counts those in an earlier split.
pub(super) fn leakage_warnings(
    dataset: &Dataset,
    lenient: &LenientDataset,
    contents: &HashMap<PathBuf, Fingerprint>,
) -> Vec<Problem> {
    let cases_path = dataset.root.join(CASES_FILE);
    let mut warnings = in_corpus(dataset, lenient, contents, &cases_path);
    for (split, earlier) in
        [(Split::Test, Split::Train), (Split::Test, Split::Validation), (Split::Validation, Split::Train)]
    {
        warnings.extend(across_splits(dataset, lenient, contents, &cases_path, split, earlier));
    }
    warnings
}

fn in_corpus(
    dataset: &Dataset,
    lenient: &LenientDataset,
    contents: &HashMap<PathBuf, Fingerprint>,
    cases_path: &Path,
) -> Vec<Problem> {
    let mut by_content = HashMap::new();
    let mut by_group = HashMap::new();
    for (row, document) in dataset.corpus.iter().enumerate() {
        if let Some(content) = contents.get(&document.image) {
            by_content.entry(content).or_insert(row);
        }
        if let Some(group) = &document.group {
            by_group.entry(group).or_insert(row);
        }
    }
    let mut warnings = Vec::new();
    for (case, line) in dataset.cases.iter().zip(&lenient.case_lines) {
        // A corpus made from the training split contains the images of the training cases.
        if case.split == Split::Train {
            continue;
        }
        let same_image = contents.get(&case.image).and_then(|content| by_content.get(content));
        let same_group = case.group.as_ref().and_then(|group| by_group.get(group));
        let (field, what, row) = match (same_image, same_group) {
            (Some(row), _) => ("image", "image", *row),
            (None, Some(row)) => ("group", "group", *row),
            (None, None) => continue,
        };
        let document = &dataset.corpus[row];
        let document_line = lenient.document_lines.get(row).copied().unwrap_or(row + 1);
        let message = format!(
            "this {} case has its {what} in the corpus (document {:?}, corpus.jsonl:{document_line}); \
             it is not retrieved for this case",
            case.split, document.id
        );
        warnings.push(Problem::warning(cases_path, message).at_line(*line).in_field(field));
    }
    warnings
}

fn across_splits(
    dataset: &Dataset,
    lenient: &LenientDataset,
    contents: &HashMap<PathBuf, Fingerprint>,
    cases_path: &Path,
    split: Split,
    earlier: Split,
) -> Option<Problem> {
    let mut by_content: HashMap<&Fingerprint, &Case> = HashMap::new();
    let mut by_group: HashMap<&String, &Case> = HashMap::new();
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
    for (case, line) in dataset.cases.iter().zip(&lenient.case_lines).filter(|(case, _)| case.split == split) {
        let same_image = contents.get(&case.image).and_then(|content| by_content.get(content));
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

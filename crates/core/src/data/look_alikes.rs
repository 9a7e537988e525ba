//! Finds identifiers that differ only in case, space or spelling: probably the same thing, which the program treats as
//! different.

use super::identifier::{is_same, likeness, look_alikes};
use super::{CASES_FILE, CORPUS_FILE, Dataset, LenientDataset, Problem};
use std::collections::HashMap;

/// Maximum number of warnings of a kind.
const NAMED: usize = 10;

/// Ids of a case and a document that look alike but that [`super::Dataset::may_retrieve`] treats as different; in the order of
/// the cases.
fn case_and_document_look_alikes(dataset: &Dataset) -> Vec<(&str, &str)> {
    let mut documents: HashMap<String, Vec<&str>> = HashMap::new();
    for document in &dataset.corpus {
        documents.entry(likeness(&document.id)).or_default().push(&document.id);
    }
    let mut found = Vec::new();
    for case in &dataset.cases {
        let alike = documents.get(&likeness(&case.id)).into_iter().flatten();
        found.extend(
            alike.filter(|document| !is_same(&case.id, document)).map(|document| (case.id.as_str(), *document)),
        );
    }
    found
}

/// Warns of ids of cases, ids of documents, ids of both, groups and sources that look alike.
pub(super) fn look_alike_warnings(lenient: &LenientDataset) -> Vec<Problem> {
    let Some(dataset) = &lenient.dataset else { return Vec::new() };
    let (cases, corpus) = (&dataset.cases, &dataset.corpus);
    let case_ids = look_alikes(cases.iter().map(|case| case.id.as_str()));
    let document_ids = look_alikes(corpus.iter().map(|document| document.id.as_str()));
    let groups_of_cases = cases.iter().filter_map(|case| case.group.as_deref());
    let groups = look_alikes(groups_of_cases.chain(corpus.iter().filter_map(|document| document.group.as_deref())));
    let sources = look_alikes(corpus.iter().filter_map(|document| document.source.as_deref()));
    let of_both = case_and_document_look_alikes(dataset);
    let mut warnings = Vec::new();
    for (file, field, found, meaning) in [
        (CASES_FILE, "id", case_ids, "they count as two cases"),
        (CORPUS_FILE, "id", document_ids, "they count as two documents"),
        (CASES_FILE, "id", of_both, "they count as unrelated, so the document may be retrieved for the case"),
        (
            CASES_FILE,
            "group",
            groups,
            "they count as two patients or studies, so each may retrieve the other's documents",
        ),
        (CORPUS_FILE, "source", sources, "they count as two sources"),
    ] {
        let more = found.len().saturating_sub(NAMED);
        for (one, other) in found.into_iter().take(NAMED) {
            let message =
                format!("{one:?} and {other:?} differ only in case, space, leading zeros or spelling; {meaning}");
            warnings.push(Problem::warning(&dataset.root.join(file), message).in_field(field));
        }
        if more > 0 {
            let message = format!("{more} more resemble another one");
            warnings.push(Problem::warning(&dataset.root.join(file), message).in_field(field));
        }
    }
    warnings
}

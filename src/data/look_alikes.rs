//! Identifiers that differ in case, space or spelling only: most likely one thing under two names, which the program keeps
//! apart.

use super::identifier::likeness;
use super::{CASES_FILE, CORPUS_FILE, LenientDataset, Problem};
use std::collections::{BTreeMap, BTreeSet};

/// Warnings of a kind; a dataset that is wrong throughout is so in the first ones.
const NAMED: usize = 10;

/// The different texts that look like another one before them, with that one; in the order of their likeness.
pub(super) fn look_alikes<'a>(texts: impl Iterator<Item = &'a str>) -> Vec<(&'a str, &'a str)> {
    let different: BTreeSet<&str> = texts.collect();
    let mut by_likeness: BTreeMap<String, &str> = BTreeMap::new();
    let mut found = Vec::new();
    for text in different {
        let like = likeness(text);
        match by_likeness.get(&like) {
            Some(first) => found.push((*first, text)),
            None => drop(by_likeness.insert(like, text)),
        }
    }
    found
}

/// Warns of ids of cases, ids of documents and groups (of both together) that look alike.
pub(super) fn look_alike_warnings(lenient: &LenientDataset) -> Vec<Problem> {
    let Some(dataset) = &lenient.dataset else { return Vec::new() };
    let (cases, corpus) = (&dataset.cases, &dataset.corpus);
    let case_ids = look_alikes(cases.iter().map(|case| case.id.as_str()));
    let document_ids = look_alikes(corpus.iter().map(|document| document.id.as_str()));
    let groups_of_cases = cases.iter().filter_map(|case| case.group.as_deref());
    let groups = look_alikes(groups_of_cases.chain(corpus.iter().filter_map(|document| document.group.as_deref())));
    let mut warnings = Vec::new();
    for (file, field, found, meaning) in [
        (CASES_FILE, "id", case_ids, "they are two cases"),
        (CORPUS_FILE, "id", document_ids, "they are two documents"),
        (CASES_FILE, "group", groups, "they are two patients or studies, and each is shown the other's documents"),
    ] {
        let more = found.len().saturating_sub(NAMED);
        for (one, other) in found.into_iter().take(NAMED) {
            let message =
                format!("{one:?} and {other:?} differ in case, space, zeros in front or spelling only; {meaning}");
            warnings.push(Problem::warning(&dataset.root.join(file), message).in_field(field));
        }
        if more > 0 {
            let message = format!("{more} more look like another one");
            warnings.push(Problem::warning(&dataset.root.join(file), message).in_field(field));
        }
    }
    warnings
}

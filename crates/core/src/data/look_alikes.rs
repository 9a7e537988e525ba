//! Finds identifiers that differ only in case, space or spelling: probably the same thing, which the program treats as
//! different. The corpus is read twice: first for the hashes of its identifiers, then for the few that look alike.

use super::identifier::{is_same, likeness, look_alikes};
use super::{CASES_FILE, CORPUS_FILE, Case, Dataset, Document, Problem};
use crate::files::fingerprint::Fingerprint;
use rustc_hash::{FxHashMap, FxHashSet};

/// Maximum number of warnings of a kind.
const NAMED: usize = 10;

/// Texts that look like another one.
#[derive(Default)]
struct AlikeTexts {
    /// Hash of the first text with a likeness, by the hash of the likeness.
    first: FxHashMap<u64, u64>,
    /// Likenesses of different texts.
    several: FxHashSet<u64>,
    /// The texts with such a likeness.
    found: Vec<String>,
}

impl AlikeTexts {
    /// Sees a text for the first time.
    fn note(&mut self, text: &str, likeness: u64) {
        let text = hash(text);
        if *self.first.entry(likeness).or_insert(text) != text {
            self.several.insert(likeness);
        }
    }

    /// Sees it again, after all were seen.
    fn collect(&mut self, text: &str) {
        if !self.several.is_empty() && self.several.contains(&hash(&likeness(text))) {
            self.found.push(text.to_owned());
        }
    }

    fn pairs(&self) -> Vec<(&str, &str)> {
        look_alikes(self.found.iter().map(String::as_str))
    }
}

fn hash(text: &str) -> u64 {
    Fingerprint::number_of(text.as_bytes())
}

/// What looks alike in a dataset.
pub(super) struct LookAlikes {
    document_ids: AlikeTexts,
    groups: AlikeTexts,
    /// Positions of the cases, by the hash of the likeness of their ids.
    cases: FxHashMap<u64, Vec<usize>>,
    /// Ids of cases and of the documents that look like them but that [`Dataset::may_retrieve`] treats as different.
    of_both: Vec<(usize, String)>,
    case_ids: Vec<String>,
}

impl LookAlikes {
    /// Starts with the cases.
    pub fn of_cases(cases: &[Case]) -> Self {
        let mut groups = AlikeTexts::default();
        let mut by_likeness: FxHashMap<u64, Vec<usize>> = FxHashMap::default();
        for (position, case) in cases.iter().enumerate() {
            by_likeness.entry(hash(&likeness(&case.id))).or_default().push(position);
            if let Some(group) = &case.group {
                groups.note(group, hash(&likeness(group)));
            }
        }
        let case_ids = cases.iter().map(|case| case.id.clone()).collect();
        Self { document_ids: AlikeTexts::default(), groups, cases: by_likeness, of_both: Vec::new(), case_ids }
    }

    /// Sees a document for the first time.
    pub fn note(&mut self, document: &Document) {
        let like = hash(&likeness(&document.id));
        self.document_ids.note(&document.id, like);
        if let Some(group) = &document.group {
            self.groups.note(group, hash(&likeness(group)));
        }
        for case in self.cases.get(&like).into_iter().flatten() {
            if !is_same(&self.case_ids[*case], &document.id) {
                self.of_both.push((*case, document.id.clone()));
            }
        }
    }

    /// Sees a document again, after all were seen.
    pub fn collect(&mut self, document: &Document) {
        self.document_ids.collect(&document.id);
        if let Some(group) = &document.group {
            self.groups.collect(group);
        }
    }

    /// Warns of ids of cases, ids of documents, ids of both, groups and sources that look alike.
    pub fn warnings<'a>(mut self, dataset: &Dataset, sources: impl Iterator<Item = &'a String>) -> Vec<Problem> {
        for case in &dataset.cases {
            if let Some(group) = &case.group {
                self.groups.collect(group);
            }
        }
        self.of_both.sort_by_key(|(case, _)| *case);
        let of_both =
            self.of_both.iter().map(|(case, document)| (self.case_ids[*case].as_str(), document.as_str())).collect();
        let case_ids = look_alikes(self.case_ids.iter().map(String::as_str));
        let sources = look_alikes(sources.map(String::as_str));
        let mut warnings = Vec::new();
        for (file, field, found, meaning) in [
            (CASES_FILE, "id", case_ids, "they count as two cases"),
            (CORPUS_FILE, "id", self.document_ids.pairs(), "they count as two documents"),
            (CASES_FILE, "id", of_both, "they count as unrelated, so the document may be retrieved for the case"),
            (
                CASES_FILE,
                "group",
                self.groups.pairs(),
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
}

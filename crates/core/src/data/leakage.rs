//! Finds pictures or patients shared by splits and corpus. Retrieval never returns a case's own documents, but a reader
//! trained on them has seen them.

use super::image_checks::ImageContents;
use super::picture_print::PicturePrint;
use super::{CASES_FILE, CORPUS_FILE, Case, Dataset, Document, Problem, Split};
use rayon::prelude::*;
use rustc_hash::FxHashMap;
use serde::Serialize;
use std::collections::BTreeSet;

/// Pairs of splits: rows of the second that share with the first are leaks.
const SPLITS: [(Split, Split); 3] =
    [(Split::Test, Split::Train), (Split::Test, Split::Validation), (Split::Validation, Split::Train)];

/// What two rows share; the most direct one counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Shared {
    /// The bytes of the image file.
    File,
    /// Nearly the same picture ([`PicturePrint`]): another encoding, or the next slice of a scan.
    Picture,
    /// The group: patient, study or article.
    Group,
}

/// Rows of one file that share something with cases they must not share with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LeakCounts {
    /// Which rows: "documents, with test or validation cases".
    pub rows: String,
    pub same_file: usize,
    pub near_picture: usize,
    pub same_group: usize,
    /// The rows' file.
    #[serde(skip)]
    pub(super) file: &'static str,
    /// Lines of the rows, from 1.
    #[serde(skip)]
    pub(super) lines: BTreeSet<usize>,
}

impl LeakCounts {
    fn new(rows: String, file: &'static str) -> Self {
        Self { rows, same_file: 0, near_picture: 0, same_group: 0, file, lines: BTreeSet::new() }
    }

    fn add(&mut self, shared: Shared, line: usize) {
        match shared {
            Shared::File => self.same_file += 1,
            Shared::Picture => self.near_picture += 1,
            Shared::Group => self.same_group += 1,
        }
        self.lines.insert(line);
    }

    /// Number of rows.
    pub fn count(&self) -> usize {
        self.lines.len()
    }
}

/// The images and groups of some cases, to find those that a row shares. `T` is what is known about the first case with each.
struct Held<T> {
    by_content: FxHashMap<u64, T>,
    by_group: FxHashMap<String, T>,
    prints: Vec<(PicturePrint, T)>,
}

impl<T: Clone + Send + Sync> Held<T> {
    /// The cases of some splits; `of_case` is called with the case and its position.
    fn of(
        cases: &[Case],
        contents: &ImageContents,
        is_held: impl Fn(Split) -> bool,
        of_case: impl Fn(usize) -> T,
    ) -> Self {
        let mut held = Self { by_content: FxHashMap::default(), by_group: FxHashMap::default(), prints: Vec::new() };
        for (position, case) in cases.iter().enumerate().filter(|(_, case)| is_held(case.split)) {
            if let Some(content) = contents.get(&case.image)
                && !held.by_content.contains_key(&content)
            {
                held.by_content.insert(content, of_case(position));
                held.prints.extend(contents.print(&case.image).map(|print| (print, of_case(position))));
            }
            if let Some(group) = &case.group {
                held.by_group.entry(group.clone()).or_insert_with(|| of_case(position));
            }
        }
        held
    }

    fn find(&self, content: Option<u64>, print: Option<PicturePrint>, group: Option<&String>) -> Option<(Shared, &T)> {
        if let Some(found) = content.and_then(|content| self.by_content.get(&content)) {
            return Some((Shared::File, found));
        }
        let same = |print: PicturePrint| self.prints.iter().find(|(held, _)| held.is_same_picture(&print));
        if let Some((_, found)) = print.and_then(same) {
            return Some((Shared::Picture, found));
        }
        group.and_then(|group| self.by_group.get(group)).map(|found| (Shared::Group, found))
    }
}

/// The first document with an image or group of a case.
#[derive(Clone, Debug)]
struct FirstDocument {
    id: String,
    line: usize,
}

/// Which images and groups of validation and test cases are in the corpus. Memory grows with the cases, not with the corpus.
pub(super) struct CorpusLeaks {
    held: Held<Option<FirstDocument>>,
    counts: LeakCounts,
}

impl CorpusLeaks {
    /// Starts with the cases, whose images must have been decoded.
    pub fn of_cases(cases: &[Case], contents: &ImageContents) -> Self {
        // A corpus made from the training split contains the images of the training cases.
        let held = Held::of(cases, contents, |split| split != Split::Train, |_| None);
        Self { held, counts: LeakCounts::new("documents, with test or validation cases".into(), CORPUS_FILE) }
    }

    /// Adds documents, in the order of the corpus.
    pub fn documents(&mut self, documents: &[(usize, Document)], contents: &ImageContents) {
        let keys = |document: &Document| (contents.get(&document.image), contents.print(&document.image));
        let found: Vec<Option<Shared>> = documents
            .par_iter()
            .map(|(_, document)| {
                let (content, print) = keys(document);
                Some(self.held.find(content, print, document.group.as_ref())?.0)
            })
            .collect();
        for ((line, document), shared) in documents.iter().zip(found) {
            let Some(shared) = shared else { continue };
            self.counts.add(shared, *line);
            let (content, print) = keys(document);
            let first = FirstDocument { id: document.id.clone(), line: *line };
            if let Some(place) = content.and_then(|content| self.held.by_content.get_mut(&content)) {
                place.get_or_insert_with(|| first.clone());
            }
            for (held, place) in &mut self.held.prints {
                if print.is_some_and(|print| held.is_same_picture(&print)) {
                    place.get_or_insert_with(|| first.clone());
                }
            }
            if let Some(place) = document.group.as_ref().and_then(|group| self.held.by_group.get_mut(group)) {
                place.get_or_insert(first);
            }
        }
    }

    /// Warns of each validation or test case whose picture or group is in the corpus.
    pub fn warnings(&self, dataset: &Dataset, case_lines: &[usize], contents: &ImageContents) -> Vec<Problem> {
        let mut warnings = Vec::new();
        for (case, line) in dataset.cases.iter().zip(case_lines) {
            if case.split == Split::Train {
                continue;
            }
            let same_file = contents.get(&case.image).and_then(|content| self.held.by_content.get(&content)?.as_ref());
            let same_picture = || {
                let print = contents.print(&case.image)?;
                self.held
                    .prints
                    .iter()
                    .find_map(|(held, first)| first.as_ref().filter(|_| held.is_same_picture(&print)))
            };
            let same_group = case.group.as_ref().and_then(|group| self.held.by_group.get(group)?.as_ref());
            let (field, what, document) = match (same_file, same_picture(), same_group) {
                (Some(document), _, _) => ("image", "image", document),
                (None, Some(document), _) => ("image", "picture, or nearly the same one,", document),
                (None, None, Some(document)) => ("group", "group", document),
                (None, None, None) => continue,
            };
            let message = format!(
                "this {} case has its {what} in the corpus (document {:?}, corpus.jsonl:{}); it is not retrieved for this case",
                case.split, document.id, document.line
            );
            let path = dataset.root.join(CASES_FILE);
            warnings.push(Problem::warning(&path, message).at_line(*line).in_field(field));
        }
        warnings
    }

    /// How many documents share something with those cases.
    pub fn into_counts(self) -> LeakCounts {
        self.counts
    }
}

/// Counts the cases that share something with cases of an earlier split: a warning, and the rows of the earlier one.
pub(super) fn leaks_across_splits(
    dataset: &Dataset,
    case_lines: &[usize],
    contents: &ImageContents,
) -> (Vec<Problem>, Vec<LeakCounts>) {
    let (mut warnings, mut all) = (Vec::new(), Vec::new());
    for (split, earlier) in SPLITS {
        let mut counts = LeakCounts::new(format!("{earlier} cases, with {split} cases"), CASES_FILE);
        for (position, shared, _) in shared_with(dataset, contents, earlier, split) {
            counts.add(shared, case_lines[position]);
        }
        if counts.count() == 0 {
            continue;
        }
        all.push(counts);
        let later = shared_with(dataset, contents, split, earlier);
        let Some((first, _, other)) = later.first() else { continue };
        let (first_id, other_id) = (&dataset.cases[*first].id, &dataset.cases[*other].id);
        let message = format!(
            "{} {split} cases share an image or a group with {earlier} cases; the first is {first_id:?}, with {other_id:?}",
            later.len()
        );
        warnings.push(Problem::warning(&dataset.root.join(CASES_FILE), message).at_line(case_lines[*first]));
    }
    (warnings, all)
}

/// Positions of the cases of `split` that share something with one of `other`, with the first such case.
fn shared_with(dataset: &Dataset, contents: &ImageContents, split: Split, other: Split) -> Vec<(usize, Shared, usize)> {
    let held = Held::of(&dataset.cases, contents, |of_case| of_case == other, |position| position);
    dataset
        .cases
        .par_iter()
        .enumerate()
        .filter(|(_, case)| case.split == split)
        .filter_map(|(position, case)| {
            let (content, print) = (contents.get(&case.image), contents.print(&case.image));
            held.find(content, print, case.group.as_ref()).map(|(shared, first)| (position, shared, *first))
        })
        .collect()
}

//! Reads hits of any format and checks each: known ids, numbers, one head per tag.

use super::errors::Errors;
use super::order::{Found, Order, ordered};
use super::{HitFormat, HitList, HitLists, delimited, json_lines, trec};
use crate::data::identifier::trimmed;
use crate::data::{Dataset, KnownIds, Problem};
use crate::run::Head;
use anyhow::{Result, bail};
use rustc_hash::FxHashMap;
use std::path::Path;

/// Most tags of a file. A file with more has something else in that field.
const MOST_HEADS: usize = 16;

/// Names of each field in JSON lines and CSV; the first one is ours, the others are those of other programs.
pub(super) const FIELD_NAMES: [&[&str]; 5] = [
    &["case", "qid", "query_id", "query"],
    &["head", "tag", "run", "system"],
    &["rank"],
    &["document", "docid", "doc_id", "corpus_id"],
    &["score"],
];

/// A hit as it is written.
pub(super) struct HitRow<'a> {
    pub case: &'a str,
    pub document: &'a str,
    pub head: Option<&'a str>,
    pub rank: Option<&'a str>,
    pub score: Option<&'a str>,
}

/// The hits so far.
pub(super) struct ReadHits<'a> {
    path: &'a Path,
    dataset: &'a Dataset,
    cases: KnownIds<'a>,
    rows: KnownIds<'a>,
    /// Heads in the order of the file, and whether their ranks begin at 0.
    heads: Vec<(Head, bool)>,
    /// Head of lines without a tag.
    untagged: Head,
    /// By case and position of the head.
    lists: FxHashMap<(usize, usize), Vec<Found>>,
    errors: Errors,
}

/// Reads a file of hits.
///
/// # Errors
/// Fails if the file cannot be read or has no hit, and with the first problems (path, line and field): an unknown case or
/// document, a document twice in a list, a score that is not a finite number, a rank that is not a whole number.
pub fn read_hits(path: &Path, dataset: &Dataset) -> Result<HitLists> {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let untagged = match stem.parse() {
        Ok(head) if head != Head::Person => head,
        _ => "given".parse()?,
    };
    let mut hits = ReadHits {
        path,
        dataset,
        cases: dataset.known_cases(),
        rows: dataset.known_documents(),
        heads: Vec::new(),
        untagged,
        lists: FxHashMap::default(),
        errors: Errors::default(),
    };
    match HitFormat::of_file(path)? {
        HitFormat::Trec => trec::read(path, &mut hits)?,
        HitFormat::JsonLines => json_lines::read(path, &mut hits)?,
        HitFormat::Csv => delimited::read(path, &mut hits)?,
    }
    hits.finish()
}

impl ReadHits<'_> {
    /// The line as text, or a problem.
    pub fn text_of<'l>(&mut self, line: usize, bytes: &'l [u8]) -> Option<&'l str> {
        let text = std::str::from_utf8(bytes).ok().filter(|text| !text.contains('\0'));
        if text.is_none() {
            self.refuse(line, None, "found a byte that is not UTF-8 text (save the file as UTF-8)".into());
        }
        text
    }

    /// Notes a problem; nothing of the file is used then.
    pub fn refuse(&mut self, line: usize, field: Option<&str>, message: String) {
        let problem = Problem::error(self.path, message).at_line(line);
        self.errors.add(match field {
            Some(field) => problem.in_field(field),
            None => problem,
        });
    }

    /// Adds a hit, or notes the first problem with it.
    pub fn add(&mut self, line: usize, hit: &HitRow) {
        if let Err((field, message)) = self.checked(line, hit) {
            self.refuse(line, Some(field), message);
        }
    }

    fn checked(&mut self, line: usize, hit: &HitRow) -> Result<(), (&'static str, String)> {
        let case = self.cases.expect("case", hit.case, "cases.jsonl").map_err(|message| ("case", message))?;
        let row =
            self.rows.expect("document", hit.document, "corpus.jsonl").map_err(|message| ("document", message))?;
        let rank = hit.rank.map(rank_of).transpose()?;
        let score = hit.score.map(score_of).transpose()?;
        if rank.is_none() && score.is_none() {
            return Err(("score", "expected a score or a rank, found neither".into()));
        }
        let head = self.head(hit.head, rank == Some(0))?;
        self.lists.entry((case, head)).or_default().push(Found { row, line, rank, score });
        Ok(())
    }

    /// Position of the head of a tag.
    fn head(&mut self, tag: Option<&str>, is_zero: bool) -> Result<usize, (&'static str, String)> {
        let head = match tag.map(trimmed) {
            None => self.untagged,
            // CSV may have an apostrophe before a tag, as before an id.
            Some(tag) => tag
                .strip_prefix('\'')
                .unwrap_or(tag)
                .parse()
                .map_err(|error: crate::run::HeadNameError| ("head", error.to_string()))?,
        };
        if let Some(known) = self.heads.iter().position(|(known, _)| *known == head) {
            self.heads[known].1 |= is_zero;
            return Ok(known);
        }
        if head == Head::Person {
            let message =
                "the name person belongs to documents that are added in the explorer; give the list another one";
            return Err(("head", message.into()));
        }
        if self.heads.len() == MOST_HEADS {
            let message =
                format!("expected at most {MOST_HEADS} different heads (tags) in a file, found {head} as one more");
            return Err(("head", message));
        }
        self.heads.push((head, is_zero));
        Ok(self.heads.len() - 1)
    }

    fn finish(mut self) -> Result<HitLists> {
        let mut order: Vec<usize> = (0..self.heads.len()).collect();
        // Named heads are equal here, so they keep the order of the file.
        order.sort_by_key(|place| match self.heads[*place].0 {
            Head::Named(_) => (1, Head::Image),
            own => (0, own),
        });
        let mut keys: Vec<(usize, usize)> = self.lists.keys().copied().collect();
        keys.sort_by_key(|(case, head)| (*case, order.iter().position(|place| place == head)));
        let mut lists: FxHashMap<usize, Vec<HitList>> = FxHashMap::default();
        let mut contradictions: Vec<(usize, usize)> = Vec::new();
        for key in keys {
            let (head, from_zero) = self.heads[key.1];
            let Some(found) = self.lists.remove(&key) else { continue };
            let (case, dataset) = (&self.dataset.cases[key.0].id, self.dataset);
            let id_of = |row: usize| dataset.corpus.document(row).id;
            match ordered(found, from_zero, case, &id_of) {
                Ok(Order { hits, contradicts_at }) => {
                    contradictions.extend(contradicts_at.map(|line| (line, key.0)));
                    lists.entry(key.0).or_default().push(HitList { head, hits });
                }
                Err((line, field, message)) => self.refuse(line, Some(field), message),
            }
        }
        self.errors.into_result()?;
        if lists.is_empty() {
            bail!("{}: expected one hit a line, found none", self.path.display());
        }
        let warnings = contradictions.iter().min().map(|(line, case)| {
            format!(
                "{}:{line}: the ranks of {} of {} lists are not in the order of their scores, first in that of case {}; the \
                 scores are believed, as trec_eval does, and the ranks are counted anew",
                self.path.display(),
                contradictions.len(),
                lists.values().map(Vec::len).sum::<usize>(),
                self.dataset.cases[*case].id
            )
        });
        let heads = order.iter().map(|place| self.heads[*place].0).collect();
        Ok(HitLists { path: self.path.to_path_buf(), heads, warnings: warnings.into_iter().collect(), lists })
    }
}

fn rank_of(text: &str) -> Result<u32, (&'static str, String)> {
    // Tables with missing values write whole numbers as 1.0.
    let whole = |number: &f64| number.fract() == 0.0 && (0.0..=f64::from(u32::MAX)).contains(number);
    let number = text.trim().parse::<f64>().ok().filter(whole);
    number.map(|number| number as u32).ok_or_else(|| ("rank", format!("expected a whole number, found {text:?}")))
}

/// The score in both widths: the wide one orders, the narrow one is kept.
fn score_of(text: &str) -> Result<(f64, f32), (&'static str, String)> {
    let text = text.trim();
    let numbers = text.parse::<f64>().ok().zip(text.parse::<f32>().ok());
    let finite = numbers.filter(|(wide, narrow)| wide.is_finite() && narrow.is_finite());
    finite.ok_or_else(|| ("score", format!("expected a finite number, found {text:?}")))
}

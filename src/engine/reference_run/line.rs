//! One line of the reference's prediction files, and the lines of one case.

use anyhow::{Context, Result, anyhow, bail, ensure};
use serde::Deserialize;
use serde_json::Value;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;

/// The fields that the reference writes (reference.md §6).
#[derive(Clone, Debug, Deserialize)]
struct Line {
    query: String,
    answers: String,
    generation: String,
    /// K×A numbers, the same on every line of a case.
    #[serde(default)]
    logits: Option<Value>,
    #[serde(default)]
    passages: Vec<Passage>,
    /// The sample that was asked about.
    metadata: Sample,
}

/// A retrieved document (reference.md §1.2).
#[derive(Clone, Debug, PartialEq, Eq, Hash, Deserialize)]
pub(super) struct Passage {
    pub img_path: String,
    pub text: String,
    #[serde(default)]
    pub dataset_source: Option<String>,
}

/// A case as the reference has it (reference.md §1.3); fields that it added in between are not looked at.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(super) struct Sample {
    #[serde(alias = "image")]
    pub image_path: String,
    #[serde(default, deserialize_with = "id_text")]
    pub id: Option<String>,
}

/// One case with its candidates.
#[derive(Clone, Debug)]
pub(super) struct Group {
    pub query: String,
    pub gold: String,
    pub sample: Sample,
    pub candidates: Vec<Candidate>,
    /// One row per candidate.
    pub logits: Option<Vec<Vec<f32>>>,
    /// Number of its first line.
    pub line: usize,
}

/// What was generated with one document.
#[derive(Clone, Debug)]
pub(super) struct Candidate {
    pub passage: Passage,
    pub generation: String,
}

/// Ids are numbers or strings.
fn id_text<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    Ok(match Option::<Value>::deserialize(deserializer)? {
        None | Some(Value::Null) => None,
        Some(Value::String(text)) => Some(text),
        Some(other) => Some(other.to_string()),
    })
}

/// Reads a per-candidate file: consecutive lines of the same question and sample are one case.
pub(super) fn read_groups(path: &Path) -> Result<Vec<Group>> {
    let mut groups: Vec<Group> = Vec::new();
    for (number, line) in read_lines(path)? {
        let at = || format!("{}:{number}", path.display());
        let Line { query, answers, generation, logits, passages, metadata } = line;
        let [passage] = <[Passage; 1]>::try_from(passages).map_err(|passages| {
            anyhow!(
                "{}: field passages: expected one document per line, found {}; give the per-candidate file, not the fused one",
                at(),
                passages.len()
            )
        })?;
        let logits = logits.map(rows_of).transpose().with_context(at)?;
        let candidate = Candidate { passage, generation };
        let same = groups.last_mut().filter(|group| {
            let is_full = group.logits.as_ref().is_some_and(|logits| logits.len() == group.candidates.len());
            group.query == query && group.sample == metadata && !is_full
        });
        if let Some(group) = same {
            ensure!(
                group.gold == answers,
                "{}: field answers: expected {:?} as on the line before, found {answers:?}",
                at(),
                group.gold
            );
            group.candidates.push(candidate);
            continue;
        }
        let (sample, line) = (metadata, number);
        groups.push(Group { query, gold: answers, sample, candidates: vec![candidate], logits, line });
    }
    let Some(first) = groups.first() else { bail!("{}: expected predictions, found none", path.display()) };
    let k = first.candidates.len();
    for group in &groups {
        let found = group.candidates.len();
        ensure!(
            found == k,
            "{}:{}: expected {k} candidates as for the first case, found {found}: is the file cut off?",
            path.display(),
            group.line
        );
        if let Some(logits) = &group.logits {
            ensure!(
                logits.len() == k,
                "{}:{}: field logits: expected {k} rows, one per candidate, found {}",
                path.display(),
                group.line,
                logits.len()
            );
        }
    }
    Ok(groups)
}

/// The generated texts of a file with one line per case, in the order of `groups`.
pub(super) fn read_singles(path: &Path, groups: &[Group]) -> Result<Vec<String>> {
    let mut texts = Vec::with_capacity(groups.len());
    for (number, line) in read_lines(path)? {
        let Some(group) = groups.get(texts.len()) else {
            bail!(
                "{}:{number}: expected {} lines, one per case of the predictions, found more",
                path.display(),
                groups.len()
            );
        };
        ensure!(
            group.query == line.query && group.sample == line.metadata,
            "{}:{number}: expected the case of line {} of the predictions ({}), found {}",
            path.display(),
            group.line,
            group.sample.image_path,
            line.metadata.image_path
        );
        texts.push(line.generation);
    }
    let (found, expected) = (texts.len(), groups.len());
    ensure!(
        found == expected,
        "{}: expected {expected} lines, one per case of the predictions, found {found}",
        path.display()
    );
    Ok(texts)
}

fn read_lines(path: &Path) -> Result<Vec<(usize, Line)>> {
    let file = File::open(path).with_context(|| format!("cannot read {}", path.display()))?;
    let mut lines = Vec::new();
    for (position, line) in BufReader::new(file).lines().enumerate() {
        let number = position + 1;
        let line = line.with_context(|| format!("{}:{number}", path.display()))?;
        if line.trim().is_empty() {
            continue;
        }
        let parsed: Line = serde_json::from_str(&line).map_err(|error| {
            anyhow!("{}:{number}: expected a prediction of the reference code, found: {error}", path.display())
        })?;
        lines.push((number, parsed));
    }
    Ok(lines)
}

/// Rows of numbers of one length.
fn rows_of(logits: Value) -> Result<Vec<Vec<f32>>> {
    let rows: Vec<Vec<f32>> = serde_json::from_value(logits)
        .map_err(|error| anyhow!("field logits: expected rows of numbers, one row per candidate, found: {error}"))?;
    ensure!(
        rows.windows(2).all(|pair| pair[0].len() == pair[1].len())
            && rows.iter().flatten().all(|value| value.is_finite()),
        "field logits: expected rows of as many finite numbers"
    );
    Ok(rows)
}

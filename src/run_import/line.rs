//! The lines of the reference's prediction files, grouped by case.

use crate::data::identifier::identifier_of;
use crate::files::input_file::without_bom;
use crate::files::line_blocks::LineBlocks;
use crate::text::written_json::Written;
use anyhow::{Context, Result, anyhow, bail, ensure};
use std::path::Path;

/// The fields that the reference writes (docs/method.md, "Files of the reference").
#[derive(Clone, Debug)]
struct Line {
    query: String,
    answers: String,
    generation: String,
    /// K×A numbers, the same on every line of a case.
    logits: Option<Written>,
    passages: Vec<Passage>,
    /// The sample that was asked about.
    metadata: Sample,
}

/// A retrieved document (docs/method.md, "Data").
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Passage {
    pub img_path: String,
    pub text: String,
    pub dataset_source: Option<String>,
}

/// A case as the reference stores it (docs/method.md, "Data"); fields that it adds later are ignored.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Sample {
    pub image_path: String,
    /// The id as text; a number is written as its digits.
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
    /// Line number of its first line.
    pub line: usize,
}

/// The text generated with one document.
#[derive(Clone, Debug)]
pub(super) struct Candidate {
    pub passage: Passage,
    pub generation: String,
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
        let logits = logits.as_ref().map(rows_of).transpose().with_context(at)?;
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
            // Every line holds the whole block (docs/method.md, "Files of the reference"), or only the first line
            // does.
            ensure!(
                logits.is_none() || logits == group.logits,
                "{}: field logits: expected the numbers of line {}, which is of the same case, found others",
                at(),
                group.line
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
    let cannot_read = || format!("cannot read {}", path.display());
    let mut blocks = LineBlocks::open(path).with_context(cannot_read)?;
    let mut lines = Vec::new();
    while let Some(block) = blocks.next_block().with_context(cannot_read)? {
        for (number, bytes) in block.lines() {
            let bytes = if number == 1 { without_bom(bytes) } else { bytes };
            if bytes.trim_ascii().is_empty() {
                continue;
            }
            let line = line_of(bytes).map_err(|message| {
                anyhow!("{}:{number}: expected a prediction of the reference code: {message}", path.display())
            })?;
            lines.push((number, line));
        }
    }
    Ok(lines)
}

fn line_of(bytes: &[u8]) -> Result<Line, String> {
    let object = Written::parse_line(bytes)?;
    let passages = match object.get("passages") {
        None | Some(Written::Null) => Vec::new(),
        Some(Written::List(items)) => items.iter().map(passage_of).collect::<Result<_, _>>()?,
        Some(other) => return Err(format!("field passages: expected a list, found {}", other.kind())),
    };
    let metadata = object.get("metadata").ok_or("field metadata: the field is missing; expected the sample")?;
    Ok(Line {
        query: text(&object, &["query"])?,
        answers: text(&object, &["answers", "answer"])?,
        generation: text(&object, &["generation"])?,
        logits: object.get("logits").filter(|logits| **logits != Written::Null).cloned(),
        passages,
        metadata: Sample {
            image_path: text(metadata, &["image_path", "image"]).map_err(|error| within("metadata", &error))?,
            id: optional_text(metadata, &["id"]).map_err(|error| within("metadata", &error))?,
        },
    })
}

fn passage_of(value: &Written) -> Result<Passage, String> {
    let in_passages = |error: String| within("passages", &error);
    Ok(Passage {
        img_path: text(value, &["img_path", "image"]).map_err(in_passages)?,
        text: text(value, &["text", "caption"]).map_err(in_passages)?,
        dataset_source: optional_text(value, &["dataset_source", "source"]).map_err(in_passages)?,
    })
}

/// Turns `field id: …` into `field metadata.id: …`.
fn within(outer: &str, error: &str) -> String {
    error.replacen("field ", &format!("field {outer}."), 1)
}

fn text(object: &Written, names: &[&str]) -> Result<String, String> {
    optional_text(object, names)?.ok_or_else(|| format!("field {}: the field is missing; expected a text", names[0]))
}

/// A text, or a number as its digits. If the field occurs under both names, the values must agree.
fn optional_text(object: &Written, names: &[&str]) -> Result<Option<String>, String> {
    let mut found: Option<String> = None;
    for name in names {
        let text = match object.get(name) {
            None | Some(Written::Null) => continue,
            Some(Written::Text(text)) if *name != "id" => text.clone(),
            Some(value) => {
                identifier_of(value).ok_or_else(|| format!("field {name}: expected a text, found {}", value.kind()))?
            }
        };
        match &found {
            Some(known) if *known != text => {
                return Err(format!("field {name}: found {text:?}, but {} says {known:?}", names[0]));
            }
            _ => found = Some(text),
        }
    }
    Ok(found)
}

/// Parses rows of numbers of equal length. A masked label has the logit -Infinity (probability 0); each row needs at
/// least one finite logit.
fn rows_of(logits: &Written) -> Result<Vec<Vec<f32>>> {
    let Written::List(rows) = logits else {
        bail!("field logits: expected rows of numbers, one row per candidate, found {}", logits.kind());
    };
    let rows: Vec<Vec<f32>> = rows.iter().map(row_of).collect::<Result<_>>()?;
    ensure!(
        rows.windows(2).all(|pair| pair[0].len() == pair[1].len()),
        "field logits: expected rows of as many numbers"
    );
    Ok(rows)
}

fn row_of(row: &Written) -> Result<Vec<f32>> {
    let Written::List(row) = row else {
        bail!("field logits: expected rows of numbers, one row per candidate, found {}", row.kind());
    };
    let mut numbers = Vec::with_capacity(row.len());
    for value in row {
        let number =
            match value {
                Written::NotFinite("-Infinity") => f32::NEG_INFINITY,
                other => other.as_f64().map(|number| number as f32).filter(|number| number.is_finite()).with_context(
                    || format!("field logits: expected finite numbers, or -Infinity of a masked label, found {other}"),
                )?,
            };
        numbers.push(number);
    }
    ensure!(
        numbers.is_empty() || numbers.iter().any(|number| number.is_finite()),
        "field logits: expected a finite number in each row, found -Infinity alone"
    );
    Ok(numbers)
}

//! Result files of MedMNIST's evaluator: `<set>[_size]_<split>_[AUC]0.672_[ACC]0.892@<run>.csv`, without a header. A row has
//! the index within the split and one score per class; a binary task has one column, of the second class.

use super::given_answer::{AnswerContent, AnswerPlace, GivenAnswer, GivenCase, GivenScores};
use crate::data::Split;
use crate::files::input_file;
use anyhow::{Context, Result, ensure};
use std::path::Path;
use std::sync::Arc;

/// Size of the longest file, bytes.
const LONGEST: u64 = 1 << 30;
/// Probabilities of a row sum to 1 within this: six digits and float32 leave less.
const SUM: f64 = 1e-3;

/// What a file says.
pub(super) struct MedmnistScores {
    pub answers: Vec<GivenAnswer>,
    /// The split in the file's name.
    pub split: Option<Split>,
    /// The first row whose scores do not sum to 1, in words.
    pub first_odd: Option<String>,
}

pub(super) fn read(path: &Path) -> Result<MedmnistScores> {
    let text = input_file::read_text(path, LONGEST).with_context(|| format!("cannot read {}", path.display()))?;
    let file: Arc<Path> = path.into();
    let mut rows: Vec<(usize, usize, Vec<f64>)> = Vec::new();
    for (number, line) in text.lines().enumerate() {
        if line.trim().is_empty() {
            continue;
        }
        let row = row_of(line).with_context(|| format!("{}:{}", path.display(), number + 1))?;
        if let Some((first, _, scores)) = rows.first() {
            ensure!(
                scores.len() == row.1.len(),
                "{}:{}: expected {} scores as in line {first}, found {}",
                path.display(),
                number + 1,
                scores.len(),
                row.1.len()
            );
        }
        rows.push((number + 1, row.0, row.1));
    }
    let are_in_range = rows.iter().all(|(_, _, scores)| scores.iter().all(|score| (0.0..=1.0).contains(score)));
    let sums_to_one = |scores: &[f64]| (scores.iter().sum::<f64>() - 1.0).abs() <= SUM;
    let first_odd = rows.iter().find(|(_, _, scores)| !sums_to_one(scores)).map(|(line, _, scores)| {
        format!("{}:{line} has scores that sum to {}", path.display(), scores.iter().sum::<f64>())
    });
    let sum_to_one = first_odd.is_none();
    let answer = |(line, index, scores): (usize, usize, Vec<f64>)| GivenAnswer {
        place: AnswerPlace { file: Arc::clone(&file), line },
        case: GivenCase { position: Some(index), ..GivenCase::default() },
        content: AnswerContent {
            scores: Some(GivenScores::Classes { scores, are_in_range, sum_to_one }),
            ..AnswerContent::default()
        },
        ..GivenAnswer::default()
    };
    Ok(MedmnistScores { answers: rows.into_iter().map(answer).collect(), split: split_of_name(path), first_odd })
}

fn row_of(line: &str) -> Result<(usize, Vec<f64>)> {
    let mut cells = line.split(',').map(str::trim);
    let index = cells.next().unwrap_or_default();
    // pandas writes the index of a table with missing values as 3.0.
    let index = index.strip_suffix(".0").unwrap_or(index);
    let index: usize = index.parse().ok().with_context(|| {
        format!("expected the index within the split, then one score per class, and no header; found {line:.60?}")
    })?;
    let mut scores = Vec::new();
    for cell in cells {
        let score = cell.parse::<f64>().ok().filter(|score| score.is_finite());
        scores.push(score.with_context(|| format!("expected a score, found {cell:.40?}"))?);
    }
    ensure!(!scores.is_empty(), "expected one score per class after the index, found none");
    Ok((index, scores))
}

/// The split in the file's name.
fn split_of_name(path: &Path) -> Option<Split> {
    let name = path.file_name()?.to_str()?;
    let before = name.split("_[AUC]").next()?;
    match before.rsplit('_').next()? {
        "train" => Some(Split::Train),
        "val" => Some(Split::Validation),
        "test" => Some(Split::Test),
        _ => None,
    }
}

/// Text after `@`, the name that the evaluator's user gave the run, with the set's name.
pub(super) fn model_of(path: &Path) -> Option<String> {
    let stem = path.file_stem()?.to_str()?;
    let (before, run) = stem.split_once('@')?;
    let set = before.split("_[AUC]").next().unwrap_or(before);
    (!run.is_empty()).then(|| format!("{set}@{run}"))
}

/// The accuracy in the file's name, rounded there to three digits.
pub(super) fn accuracy_of_name(path: &Path) -> Option<String> {
    let name = path.file_name()?.to_str()?;
    let digits = name.split_once("[ACC]")?.1.split(['@', '[', '_']).next()?;
    let digits = digits.strip_suffix(".csv").unwrap_or(digits);
    digits.parse::<f64>().ok().map(|_| digits.to_owned())
}

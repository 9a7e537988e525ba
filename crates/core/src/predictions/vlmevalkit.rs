//! Predictions of VLMEvalKit: `<model>_<dataset>.xlsx`, `.tsv` or `.json`, the rows of the data without their pictures, and the
//! column `prediction`.

use super::given_answer::{AnswerContent, AnswerPlace, GivenAnswer, GivenCase};
use super::sheet::{SheetRow, read_sheet};
use anyhow::{Result, bail};
use std::path::Path;
use std::sync::Arc;

/// What VLMEvalKit writes for a call that failed.
const FAILED: &str = "Failed to obtain answer via API.";
/// Longest text of an Excel cell, in UTF-16 units.
const LONGEST_CELL: usize = 32_767;

/// The answers of a file, and remarks on its rows.
pub(super) fn read(path: &Path) -> Result<(Vec<GivenAnswer>, Vec<String>)> {
    let (columns, rows) = read_sheet(path)?;
    for name in ["index", "prediction"] {
        if !columns.iter().any(|column| column == name) {
            bail!("{}: expected the column {name}, found {}", path.display(), columns.join(", "));
        }
    }
    let file: Arc<Path> = path.into();
    let is_excel = path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("xlsx"));
    let mut cut = Vec::new();
    let mut answers = Vec::with_capacity(rows.len());
    for row in rows {
        let prediction = row.get("prediction").unwrap_or_default().to_owned();
        if is_excel && prediction.encode_utf16().count() >= LONGEST_CELL {
            cut.push(row.line);
        }
        let text = |column: &str| row.get(column).map(str::to_owned);
        answers.push(GivenAnswer {
            place: AnswerPlace { file: Arc::clone(&file), line: row.line },
            model: None,
            case: GivenCase { id: text("index"), question: text("question"), ..GivenCase::default() },
            gold: gold_of(&row),
            content: AnswerContent {
                has_failed: prediction.trim() == FAILED,
                text: Some(prediction),
                options: options_of(&row),
                ..AnswerContent::default()
            },
            ..GivenAnswer::default()
        });
    }
    let mut remarks = Vec::new();
    if let Some(first) = cut.first() {
        remarks.push(format!(
            "{} answers are as long as an Excel cell can be ({LONGEST_CELL} letters), so their ends may be missing (the first is \
             {}:{first})",
            cut.len(),
            path.display()
        ));
    }
    if columns.iter().any(|column| column == "hit" || column == "log") {
        remarks.push(format!("{}: the judge's columns (hit, log) are not read", path.display()));
    }
    Ok((answers, remarks))
}

/// The options of a multiple-choice question: columns A, B, C …
fn options_of(row: &SheetRow) -> Vec<(char, String)> {
    ('A'..='Z').filter_map(|letter| Some((letter, row.get(&letter.to_string())?.to_owned()))).collect()
}

/// The gold answer; in a multiple-choice question the text of its option.
fn gold_of(row: &SheetRow) -> Option<String> {
    let answer = row.get("answer")?;
    let options = options_of(row);
    let option = options.iter().find(|(letter, _)| answer.trim() == letter.to_string());
    Some(option.map_or(answer, |(_, text)| text).to_owned())
}

/// The model in `<model>_<dataset>.xlsx`: the name of the folder above, or of the one above `T20260101-120000`.
pub(super) fn model_of(path: &Path) -> Option<String> {
    let stem = path.file_stem()?.to_str()?;
    let folders = path.ancestors().skip(1).take(2);
    let names = folders.filter_map(|folder| folder.file_name()?.to_str());
    names.into_iter().find(|name| stem.strip_prefix(*name).is_some_and(|rest| rest.starts_with('_'))).map(str::to_owned)
}

//! Reading `predictions.jsonl`: whole cases, and where a torn tail begins.

use super::line::PredictionLine;
use anyhow::{Context, Result, anyhow};
use std::io::ErrorKind;
use std::path::Path;

/// The whole cases of a file.
pub(super) struct StoredLines {
    /// Lines of each case, the closed-book one last; in the order of the file.
    pub cases: Vec<Vec<PredictionLine>>,
    /// Bytes up to the end of the last whole case. What follows was being written when the program ended.
    pub whole: u64,
    /// Bytes in the file.
    pub length: u64,
}

/// Reads the file; a missing one is empty.
///
/// # Errors
/// Where the file cannot be read, or a line before the last whole case is no prediction.
pub(super) fn read_lines(path: &Path) -> Result<StoredLines> {
    let content = match std::fs::read(path) {
        Ok(content) => content,
        Err(error) if error.kind() == ErrorKind::NotFound => Vec::new(),
        Err(error) => return Err(error).with_context(|| format!("cannot read {}", path.display())),
    };
    let mut stored = StoredLines { cases: Vec::new(), whole: 0, length: content.len() as u64 };
    let mut open_case: Vec<PredictionLine> = Vec::new();
    let mut first_bad_line = None;
    let mut end = 0;
    for (position, line) in content.split_inclusive(|byte| *byte == b'\n').enumerate() {
        end += line.len() as u64;
        if !line.ends_with(b"\n") {
            break;
        }
        let parsed = match serde_json::from_slice::<PredictionLine>(line) {
            Ok(parsed) => parsed,
            Err(error) => {
                first_bad_line.get_or_insert((position + 1, error));
                continue;
            }
        };
        let ends_case = parsed.document.is_none();
        // A case that was cut off and begun again leaves lines of another case before it.
        if open_case.last().is_some_and(|before| before.case != parsed.case) {
            open_case.clear();
        }
        open_case.push(parsed);
        if !ends_case {
            continue;
        }
        if let Some((line, error)) = first_bad_line {
            return Err(anyhow!("{}:{line}: expected a prediction, found: {error}", path.display()));
        }
        stored.cases.push(std::mem::take(&mut open_case));
        stored.whole = end;
    }
    Ok(stored)
}

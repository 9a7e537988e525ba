//! `pairs.jsonl`: which document goes with which case, where that is given and not retrieved.

use crate::data::Dataset;
use crate::input_file;
use anyhow::{Context, Result, bail};
use serde::Deserialize;
use std::collections::HashMap;
use std::io::{BufRead, BufReader};

/// File beside `cases.jsonl`.
const PAIRS_FILE: &str = "pairs.jsonl";

#[derive(Deserialize)]
struct Pair {
    case: String,
    document: String,
}

/// Rows of the documents of each case id; `None` where the dataset has no pairs.
pub fn read_pairs(dataset: &Dataset) -> Result<Option<HashMap<String, Vec<usize>>>> {
    let path = dataset.root.join(PAIRS_FILE);
    if !path.exists() {
        return Ok(None);
    }
    let rows: HashMap<&str, usize> =
        dataset.corpus.iter().enumerate().map(|(row, document)| (document.id.as_str(), row)).collect();
    let file = input_file::open(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let mut pairs: HashMap<String, Vec<usize>> = HashMap::new();
    for (number, line) in BufReader::new(file).lines().enumerate() {
        let place = || format!("{}:{}", path.display(), number + 1);
        let line = line.with_context(place)?;
        let pair: Pair = serde_json::from_str(line.trim_start_matches('\u{feff}'))
            .with_context(|| format!("{}: expected {{\"case\": …, \"document\": …}}", place()))?;
        let row = *rows
            .get(pair.document.as_str())
            .with_context(|| format!("{}: field document: no document {}", place(), pair.document))?;
        if let Some(case) = dataset.cases.iter().find(|case| case.id == pair.case)
            && !dataset.may_retrieve(case, row)
        {
            bail!("{}: case {} would be given its own image or group: document {}", place(), case.id, pair.document);
        }
        pairs.entry(pair.case).or_default().push(row);
    }
    Ok(Some(pairs))
}

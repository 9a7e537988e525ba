//! `pairs.jsonl`: documents assigned to cases by hand instead of by retrieval.

use anyhow::{Context, Result, anyhow, bail};
use dissent_core::data::Dataset;
use dissent_core::data::identifier::identifier_of;
use dissent_core::files::input_file::without_bom;
use dissent_core::files::line_blocks::LineBlocks;
use dissent_core::text::written_json::Written;
use std::collections::HashMap;

/// File beside `cases.jsonl`.
const PAIRS_FILE: &str = "pairs.jsonl";

/// Rows of the documents of each case id; `None` if the dataset has no pairs.
pub fn read_pairs(dataset: &Dataset) -> Result<Option<HashMap<String, Vec<usize>>>> {
    let path = dataset.root.join(PAIRS_FILE);
    if !path.exists() {
        return Ok(None);
    }
    let cannot_read = || format!("cannot read {}", path.display());
    let mut blocks = LineBlocks::open(&path).with_context(cannot_read)?;
    let mut pairs: HashMap<String, Vec<usize>> = HashMap::new();
    while let Some(block) = blocks.next_block().with_context(cannot_read)? {
        for (number, bytes) in block.lines() {
            let bytes = if number == 1 { without_bom(bytes) } else { bytes };
            if bytes.trim_ascii().is_empty() {
                continue;
            }
            let place = || format!("{}:{number}", path.display());
            let [case, document] = ids_of(bytes).with_context(place)?;
            let row = dataset
                .corpus
                .row_of(&document)
                .with_context(|| format!("{}: field document: no document {document}", place()))?;
            if let Some(case) = dataset.cases.iter().find(|known| known.id == case)
                && !dataset.may_retrieve(case, row)
            {
                bail!("{}: case {} would be given its own image or group: document {document}", place(), case.id);
            }
            pairs.entry(case).or_default().push(row);
        }
    }
    Ok(Some(pairs))
}

fn ids_of(line: &[u8]) -> Result<[String; 2]> {
    let line = Written::parse_line(line).map_err(|message| anyhow!("{message}"))?;
    let id = |field: &str| {
        line.get(field).and_then(identifier_of).with_context(|| format!("field {field}: expected an id, found none"))
    };
    Ok([id("case")?, id("document")?])
}

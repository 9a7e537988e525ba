//! Vectors as lines of JSON: `{"id": "d1", "vector": [0.1, …]}`.

use super::table::LoadedRows;
use crate::data::identifier::{identifier_of, trimmed};
use crate::files::line_blocks::LineBlocks;
use crate::text::written_json::Written;
use anyhow::{Context, Result, anyhow, bail, ensure};
use rayon::prelude::*;
use serde::Deserialize;
use std::path::Path;

/// Names of the field with the vector.
pub const VECTOR_NAMES: [&str; 2] = ["vector", "embedding"];
/// Names of the field with the id: those of hits and predictions, too.
pub const ID_NAMES: [&str; 9] = ["id", "document", "docid", "doc_id", "corpus_id", "case", "qid", "query_id", "query"];

/// A line that needs no second look.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PlainLine {
    #[serde(default)]
    id: Option<PlainId>,
    #[serde(alias = "embedding")]
    vector: Vec<f64>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum PlainId {
    Text(String),
    Number(u64),
}

/// An id, if the line has one, and its vector.
type IdAndVector = (Option<String>, Vec<f32>);

/// Reads all lines; empty ones are skipped.
///
/// # Errors
/// Fails with the first line that is not such an object, or has a vector of another length than the first.
pub fn read(path: &Path) -> Result<LoadedRows> {
    let mut rows = LoadedRows::default();
    let mut blocks = LineBlocks::open(path)?;
    while let Some(block) = blocks.next_block()? {
        let lines: Vec<(usize, &[u8])> =
            block.lines().into_iter().filter(|(_, line)| !line.trim_ascii().is_empty()).collect();
        let parsed: Vec<(usize, Result<IdAndVector>)> =
            lines.par_iter().map(|(number, line)| (*number, parse(line))).collect();
        for (line, row) in parsed {
            let (id, vector) = row.with_context(|| format!("line {line}"))?;
            rows.push(id, &vector, Some(line))?;
        }
    }
    Ok(rows)
}

fn parse(line: &[u8]) -> Result<IdAndVector> {
    // A byte order mark begins the first line of some files; the careful reading removes it.
    if let Ok(PlainLine { id, vector }) = serde_json::from_slice::<PlainLine>(line) {
        let id = id.map(|id| match id {
            PlainId::Text(text) => trimmed(&text).to_owned(),
            PlainId::Number(number) => number.to_string(),
        });
        return Ok((id, vector.into_iter().map(|value| value as f32).collect()));
    }
    let object =
        Written::parse_line(crate::files::input_file::without_bom(line)).map_err(|message| anyhow!("{message}"))?;
    let id = id_of(&object)?;
    let named: Vec<&str> = VECTOR_NAMES.into_iter().filter(|name| object.get(name).is_some()).collect();
    let [name] = named[..] else {
        bail!(
            "expected one field vector with a list of numbers, found {}",
            if named.is_empty() { "none" } else { "two" }
        );
    };
    let Some(Written::List(items)) = object.get(name) else {
        bail!("field {name}: expected a list of numbers");
    };
    let mut vector = Vec::with_capacity(items.len());
    for (position, item) in items.iter().enumerate() {
        let value = item.as_f64().with_context(|| {
            let found = if let Written::NotFinite(word) = item { word } else { item.kind() };
            format!("field {name}: expected a finite number at position {position}, found {found}")
        })?;
        vector.push(value as f32);
    }
    ensure!(!vector.is_empty(), "field {name}: expected a list of numbers, found an empty one");
    Ok((id, vector))
}

/// A line without an id has its vector alone: a field of another name may be the id, and vectors would be joined by order.
fn id_of(object: &Written) -> Result<Option<String>> {
    let given = |name: &&str| object.get(name).is_some_and(|value| *value != Written::Null);
    let named: Vec<&str> = ID_NAMES.into_iter().filter(given).collect();
    match (&named[..], object) {
        ([name], _) => {
            let value = object.get(name).with_context(|| format!("field {name}: it is missing"))?;
            let id = identifier_of(value);
            Ok(Some(id.with_context(|| format!("field {name}: expected a text or a number, found {}", value.kind()))?))
        }
        ([], Written::Object(entries)) => {
            let is_other = |name: &&str| !ID_NAMES.contains(name) && !VECTOR_NAMES.contains(name);
            let others: Vec<&str> = entries.iter().map(|(name, _)| name.as_str()).filter(is_other).collect();
            ensure!(others.is_empty(), "expected the field id, or the vector alone; found {}", others.join(", "));
            Ok(None)
        }
        ([], _) => Ok(None),
        (several, _) => bail!("expected one field with the id, found {}", several.join(", ")),
    }
}

//! Hits as JSON lines: `{"case": "c1", "head": "colpali", "rank": 1, "document": "d7", "score": 0.91}`.

use super::reading::{HitRow, ReadHits};
use crate::data::identifier::identifier_of;
use crate::files::input_file::without_bom;
use crate::files::line_blocks::LineBlocks;
use crate::text::written_json::Written;
use anyhow::{Context, Result};
use std::path::Path;

pub(super) fn read(path: &Path, hits: &mut ReadHits) -> Result<()> {
    let cannot_read = || format!("cannot read {}", path.display());
    let mut blocks = LineBlocks::open(path).with_context(cannot_read)?;
    while let Some(block) = blocks.next_block().with_context(cannot_read)? {
        for (number, line) in block.lines() {
            let line = if number == 1 { without_bom(line) } else { line };
            if line.trim_ascii().is_empty() {
                continue;
            }
            let object = match Written::parse_line(line) {
                Ok(object) => object,
                Err(message) => {
                    hits.refuse(number, None, message);
                    continue;
                }
            };
            add(&object, number, hits);
        }
    }
    Ok(())
}

fn add(object: &Written, number: usize, hits: &mut ReadHits) {
    let mut texts: [Option<String>; 5] = Default::default();
    for (text, names) in texts.iter_mut().zip(super::reading::FIELD_NAMES) {
        match field(object, names) {
            Ok(found) => *text = found,
            Err(message) => return hits.refuse(number, Some(names[0]), message),
        }
    }
    let [case, head, rank, document, score] = &texts;
    let (Some(case), Some(document)) = (case, document) else {
        let missing = if case.is_none() { "case" } else { "document" };
        return hits.refuse(number, Some(missing), "the field is missing; expected an id".into());
    };
    let (head, rank, score) = (head.as_deref(), rank.as_deref(), score.as_deref());
    hits.add(number, &HitRow { case, document, head, rank, score });
}

/// A text, or a number as its digits. If the field occurs under several names, the values must agree.
fn field(object: &Written, names: &[&str]) -> Result<Option<String>, String> {
    let is_number = matches!(names[0], "rank" | "score");
    let mut found: Option<String> = None;
    for name in names {
        let text = match object.get(name) {
            None | Some(Written::Null) => continue,
            Some(Written::NotFinite(word)) if is_number => (*word).to_owned(),
            Some(Written::Number(digits)) if is_number => digits.clone(),
            Some(value) => identifier_of(value).ok_or_else(|| format!("expected a text or a number, found {value}"))?,
        };
        match &found {
            Some(known) if *known != text => return Err(format!("found {known:?}, but {name} says {text:?}")),
            _ => found = Some(text),
        }
    }
    Ok(found)
}

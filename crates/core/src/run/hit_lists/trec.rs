//! TREC run files: `case Q0 document rank score tag`, separated by spaces or tabs.

use super::reading::{HitRow, ReadHits};
use crate::files::input_file::without_bom;
use crate::files::line_blocks::LineBlocks;
use anyhow::{Context, Result};
use std::path::Path;

/// Fields of a line.
pub(super) const FIELDS: usize = 6;

/// Reads every line. The second field (`Q0`) is not used, as in trec_eval.
pub(super) fn read(path: &Path, hits: &mut ReadHits) -> Result<()> {
    let cannot_read = || format!("cannot read {}", path.display());
    let mut blocks = LineBlocks::open(path).with_context(cannot_read)?;
    while let Some(block) = blocks.next_block().with_context(cannot_read)? {
        for (number, line) in block.lines() {
            let line = if number == 1 { without_bom(line) } else { line };
            let Some(text) = hits.text_of(number, line) else { continue };
            let fields: Vec<&str> = text.split_ascii_whitespace().collect();
            match fields[..] {
                [] => {}
                [case, _, document, rank, score, tag] => {
                    hits.add(number, &HitRow { case, document, head: Some(tag), rank: Some(rank), score: Some(score) });
                }
                _ => hits.refuse(
                    number,
                    None,
                    format!(
                        "expected {FIELDS} fields (case Q0 document rank score tag), found {}; ids with spaces fit into JSON \
                         lines and CSV",
                        fields.len()
                    ),
                ),
            }
        }
    }
    Ok(())
}

//! Writes hits as TREC runs, JSON lines and CSV.

use super::HitFormat;
use crate::run::{Head, Hit};
use crate::text::csv_cells::Formulas;
use anyhow::{Context, Result, bail, ensure};
use serde::Serialize;

/// One hit to write, of one head. A document that two heads found is two of them.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct HitLine {
    pub case: String,
    pub head: Head,
    /// Rank within the head, from 1.
    pub rank: usize,
    pub document: String,
    pub score: Option<f32>,
}

/// The hits of a case, by head and rank; heads stay in the order in which they first occur.
pub fn hit_lines_of(case: &str, hits: &[Hit]) -> Vec<HitLine> {
    let mut lines = Vec::new();
    let mut heads: Vec<Head> = Vec::new();
    for hit in hits {
        for found in &hit.provenances {
            if !heads.contains(&found.head) {
                heads.push(found.head);
            }
            let (case, document) = (case.to_owned(), hit.document.clone());
            lines.push(HitLine { case, head: found.head, rank: found.rank, document, score: found.score });
        }
    }
    lines.sort_by_key(|line| (heads.iter().position(|head| *head == line.head), line.rank));
    lines
}

/// The text of a file with these hits. `formulas` says what CSV does with texts that a spreadsheet would run.
///
/// # Errors
/// Fails if the format cannot hold them: a TREC run needs scores and ids without spaces.
pub fn write_hits(lines: &[HitLine], format: HitFormat, formulas: Formulas) -> Result<String> {
    match format {
        HitFormat::Trec => trec(lines),
        HitFormat::JsonLines => {
            let mut text = String::new();
            for line in lines {
                text.push_str(&serde_json::to_string(line).context("cannot write a hit as JSON")?);
                text.push('\n');
            }
            Ok(text)
        }
        HitFormat::Csv => csv_text(lines, formulas),
    }
}

fn trec(lines: &[HitLine]) -> Result<String> {
    let mut text = String::new();
    for HitLine { case, head, rank, document, score } in lines {
        for (what, id) in [("case", case), ("document", document)] {
            ensure!(
                !id.is_empty() && !id.contains(char::is_whitespace),
                "{what} {id:?}: a TREC run cannot hold an id with spaces; write a .jsonl or .csv file"
            );
        }
        let Some(score) = score else {
            bail!(
                "case {case}: the hits of the head {head} have no scores, which a TREC run needs; write a .jsonl or .csv file"
            );
        };
        text.push_str(&format!("{case} Q0 {document} {rank} {score} {head}\n"));
    }
    Ok(text)
}

fn csv_text(lines: &[HitLine], formulas: Formulas) -> Result<String> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(["case", "head", "rank", "document", "score"])?;
    for HitLine { case, head, rank, document, score } in lines {
        let score = score.map(|score| score.to_string()).unwrap_or_default();
        writer.write_record([
            &formulas.cell(case),
            &formulas.cell(head.name()),
            rank.to_string().as_str(),
            &formulas.cell(document),
            &score,
        ])?;
    }
    let bytes = writer.into_inner().context("cannot write CSV")?;
    String::from_utf8(bytes).context("cannot write CSV")
}

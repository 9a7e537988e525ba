//! Tables for a terminal.
//!
//! ```text
//! Accuracy, malignancy
//!                 n    accuracy           macro F1           AUC
//! standard
//!   all           600  .818 [.787, .847]  .817 [.786, .848]  .889 [.862, .914]
//!   inconsistent  302  .702 [.649, .752]  ...
//! ```

use super::{Cell, Report, Table};

/// Blanks between columns.
const GAP: &str = "  ";

/// The whole report, columns that do not fit into `width` left out and named.
pub fn text(report: &Report, width: usize) -> String {
    let mut text = format!("{}\n", report.basis());
    for table in &report.tables {
        text.push('\n');
        text.push_str(&table_text(table, width));
    }
    text
}

fn table_text(table: &Table, width: usize) -> String {
    // The first column names a block of rows; its lines are indented by the rest.
    let mut widths: Vec<usize> = table.columns.iter().skip(1).map(|column| column.chars().count()).collect();
    for row in &table.rows {
        for (own, cell) in widths.iter_mut().zip(row.iter().skip(1)) {
            *own = (*own).max(cell.text().chars().count());
        }
    }
    let mut shown = 0;
    let mut used = 0;
    for own in &widths {
        used += GAP.len() + own;
        if used > width && shown > 0 {
            break;
        }
        shown += 1;
    }
    let mut text = format!("{}\n", table.title);
    let heading: Vec<String> = table.columns.iter().skip(1).map(|column| (*column).to_owned()).collect();
    text.push_str(&line(&heading[..shown], &widths));
    let mut block = String::new();
    for row in &table.rows {
        let name = row.first().map(Cell::text).unwrap_or_default();
        if name != block {
            text.push_str(&format!("{name}\n"));
            block = name;
        }
        let cells: Vec<String> = row.iter().skip(1).take(shown).map(Cell::text).collect();
        text.push_str(&line(&cells, &widths));
    }
    for line in textwrap(&table.note, width) {
        text.push_str(&format!("{line}\n"));
    }
    if shown < widths.len() {
        let hidden = heading[shown..].join(", ");
        text.push_str(&format!("not shown for want of room: {hidden} (--json, --csv, --markdown have them)\n"));
    }
    text
}

fn line(cells: &[String], widths: &[usize]) -> String {
    let mut line = String::new();
    for (cell, width) in cells.iter().zip(widths) {
        line.push_str(GAP);
        line.push_str(cell);
        line.push_str(&" ".repeat(width.saturating_sub(cell.chars().count())));
    }
    format!("{}\n", line.trim_end())
}

fn textwrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let last = lines.len() - 1;
        if !lines[last].is_empty() && lines[last].chars().count() + 1 + word.chars().count() > width {
            lines.push(word.to_owned());
            continue;
        }
        if !lines[last].is_empty() {
            lines[last].push(' ');
        }
        lines[last].push_str(word);
    }
    lines
}

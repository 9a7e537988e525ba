//! The report as tables for a terminal.
//!
//! ```text
//! Accuracy, malignancy
//!                 n    accuracy           macro F1           AUC
//! standard
//!   all           600  .818 [.787, .847]  .817 [.786, .848]  .889 [.862, .914]
//!   inconsistent  302  .702 [.649, .752]  ...
//! ```

use super::{Cell, Report, Table};

/// Space between columns.
const GAP: &str = "  ";

/// The whole report. Columns that do not fit into `width` come in another block below.
pub fn text(report: &Report, width: usize) -> String {
    tables_text(&report.basis(), &report.remarks, &report.tables, width)
}

/// Any tables, after the basis of their figures and the remarks.
pub fn tables_text(basis: &str, remarks: &[String], tables: &[Table], width: usize) -> String {
    let mut text = wrapped(basis, width);
    for remark in remarks {
        text.push_str(&wrapped(remark, width));
    }
    for table in tables {
        text.push('\n');
        text.push_str(&table_text(table, width));
    }
    text
}

fn table_text(table: &Table, width: usize) -> String {
    // The first column names a block of rows; the lines below the name are indented.
    let mut widths: Vec<usize> = table.columns.iter().map(|column| column.chars().count()).collect();
    for row in &table.rows {
        for (own, cell) in widths.iter_mut().zip(row) {
            *own = (*own).max(cell.text().chars().count());
        }
    }
    let mut text = wrapped(&table.title, width);
    for columns in blocks(table, &widths, width) {
        let heading: Vec<String> = columns.iter().map(|column| table.columns[*column].to_owned()).collect();
        text.push_str(&line(&heading, &columns, &widths));
        let mut block = None;
        for row in &table.rows {
            let name = row.first().map(Cell::text);
            if name != block {
                text.push_str(&format!("{}\n", name.as_deref().unwrap_or_default()));
                block = name;
            }
            let cells: Vec<String> = columns.iter().filter_map(|column| row.get(*column)).map(Cell::text).collect();
            text.push_str(&line(&cells, &columns, &widths));
        }
    }
    for line in table.note.lines() {
        text.push_str(&wrapped(line, width));
    }
    text
}

/// Splits the columns into blocks that fit; each block begins with the columns that name its lines.
fn blocks(table: &Table, widths: &[usize], width: usize) -> Vec<Vec<usize>> {
    let names_lines = |column: &usize| table.rows.iter().all(|row| matches!(row.get(*column), Some(Cell::Text(_))));
    let names: Vec<usize> = (1..table.columns.len()).take_while(names_lines).collect();
    let width_of = |columns: &[usize]| -> usize { columns.iter().map(|column| GAP.len() + widths[*column]).sum() };
    let mut blocks = vec![names.clone()];
    for (column, own) in widths.iter().enumerate().skip(1 + names.len()) {
        let last = blocks.len() - 1;
        let is_empty = blocks[last].len() == names.len();
        if !is_empty && width_of(&blocks[last]) + GAP.len() + own > width {
            blocks.push(names.clone());
        }
        let last = blocks.len() - 1;
        blocks[last].push(column);
    }
    blocks
}

fn line(cells: &[String], columns: &[usize], widths: &[usize]) -> String {
    let mut line = String::new();
    for (cell, column) in cells.iter().zip(columns) {
        line.push_str(GAP);
        line.push_str(cell);
        line.push_str(&" ".repeat(widths[*column].saturating_sub(cell.chars().count())));
    }
    format!("{}\n", line.trim_end())
}

/// Breaks text at spaces into lines of at most `width` columns.
fn wrapped(text: &str, width: usize) -> String {
    let mut wrapped = String::new();
    let mut used = 0;
    for word in text.split_whitespace() {
        let length = word.chars().count();
        if used > 0 && used + 1 + length > width {
            wrapped.push('\n');
            used = 0;
        } else if used > 0 {
            wrapped.push(' ');
            used += 1;
        }
        wrapped.push_str(word);
        used += length;
    }
    wrapped.push('\n');
    wrapped
}

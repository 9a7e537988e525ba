//! The report as Markdown tables, for a README.

use super::{Cell, Report, Table};
use dissent_core::text::printable::Printable;

/// The whole report as Markdown.
pub fn markdown(report: &Report) -> String {
    tables_markdown(&report.basis(), &report.remarks, &report.tables)
}

/// Any tables, after the basis of their figures and the remarks.
pub fn tables_markdown(basis: &str, remarks: &[String], tables: &[Table]) -> String {
    let mut text = format!("{}\n", Printable(basis));
    for remark in remarks {
        text.push_str(&format!("\n{}\n", Printable(remark)));
    }
    for table in tables {
        text.push_str(&format!("\n### {}\n\n", Printable(&table.title)));
        text.push_str(&row(table.columns.iter().map(|column| (*column).to_owned())));
        text.push_str(&row(table.columns.iter().map(|_| "---".to_owned())));
        for cells in &table.rows {
            text.push_str(&row(cells.iter().map(Cell::text)));
        }
        // A backslash keeps the line break.
        text.push_str(&format!("\n{}\n", table.note.replace('\n', "\\\n")));
    }
    text
}

fn row(cells: impl Iterator<Item = String>) -> String {
    // An unescaped bar would end the cell.
    let cells: Vec<String> = cells.map(|cell| cell.replace('|', "\\|")).collect();
    format!("| {} |\n", cells.join(" | "))
}

//! Tables for a README.

use super::{Cell, Report};

/// The whole report as Markdown.
pub fn markdown(report: &Report) -> String {
    let mut text = format!("{}\n", report.basis());
    for remark in &report.remarks {
        text.push_str(&format!("\n{remark}\n"));
    }
    for table in &report.tables {
        text.push_str(&format!("\n### {}\n\n", table.title));
        text.push_str(&row(table.columns.iter().map(|column| (*column).to_owned())));
        text.push_str(&row(table.columns.iter().map(|_| "---".to_owned())));
        for cells in &table.rows {
            text.push_str(&row(cells.iter().map(Cell::text)));
        }
        text.push_str(&format!("\n{}\n", table.note));
    }
    text
}

fn row(cells: impl Iterator<Item = String>) -> String {
    // A bar would end the cell.
    let cells: Vec<String> = cells.map(|cell| cell.replace('|', "\\|")).collect();
    format!("| {} |\n", cells.join(" | "))
}

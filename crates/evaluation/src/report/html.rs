//! The report as one HTML file with plots and tables, without external resources.

use super::plots::plots;
use super::{Cell, Report, Table};
use anyhow::Result;
use dissent_core::text::html_text::{PAGE_END, escaped, page_start};

/// The whole page.
///
/// # Errors
/// Fails if a plot cannot be drawn.
pub fn html(report: &Report) -> Result<String> {
    let title = format!("{}, split {}", report.dataset, report.split);
    let mut page = page_start(&title, "");
    page.push_str(&format!("<p>{}</p>\n", escaped(&report.basis())));
    for remark in &report.remarks {
        page.push_str(&format!("<p>{}</p>\n", escaped(remark)));
    }
    for plot in plots(report)? {
        let caption = escaped(&format!("{}; split {}", plot.title, report.split));
        page.push_str(&format!("<figure>{}<figcaption>{caption}</figcaption></figure>\n", plot.svg));
    }
    for table in &report.tables {
        page.push_str(&table_html(table));
    }
    page.push_str(PAGE_END);
    Ok(page)
}

fn table_html(table: &Table) -> String {
    let mut html = format!("<h2>{}</h2>\n<div class=\"scroll\"><table><tr>", escaped(&table.title));
    for column in &table.columns {
        html.push_str(&format!("<th>{}</th>", escaped(column)));
    }
    html.push_str("</tr>\n");
    for row in &table.rows {
        let cells: Vec<String> = row.iter().map(|cell| format!("<td>{}</td>", escaped(&Cell::text(cell)))).collect();
        html.push_str(&format!("<tr>{}</tr>\n", cells.concat()));
    }
    html.push_str(&format!("</table></div>\n<p class=\"note\">{}</p>\n", escaped(&table.note).replace('\n', "<br>")));
    html
}

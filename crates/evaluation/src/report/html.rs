//! The report as one HTML file with plots and tables, without external resources.

use super::plots::plots;
use super::{Cell, Report, Table};
use anyhow::Result;
use dissent_core::text::html_text::{PAGE_END, escaped, page_start};

/// A chart stands beside its table where there is room for both, and above it where there is not.
const STYLE: &str = "body{max-width:90rem}.pair{display:flex;flex-wrap:wrap;gap:0 2rem;align-items:flex-start}\
.pair figure{flex:0 1 auto;margin:.5rem 0}.pair .table{flex:1 1 24rem;min-width:0}\
@media print{section{break-inside:avoid}}";

/// The whole page.
///
/// # Errors
/// Fails if a plot cannot be drawn.
pub fn html(report: &Report) -> Result<String> {
    let title = format!("{}, split {}", report.dataset, report.split);
    let mut page = page_start(&title, STYLE);
    page.push_str(&format!("<p>{}</p>\n", escaped(&report.basis())));
    for remark in &report.remarks {
        page.push_str(&format!("<p>{}</p>\n", escaped(remark)));
    }
    for table in &report.tables {
        page.push_str(&format!("<section>\n<h2>{}</h2>\n<div class=\"pair\">", escaped(&table.title)));
        for plot in plots(table)? {
            let caption = escaped(&format!("{}; split {}", plot.title, report.split));
            page.push_str(&format!("<figure><figcaption>{caption}</figcaption>{}</figure>\n", plot.svg));
        }
        page.push_str(&table_html(table));
        page.push_str("</div></section>\n");
    }
    page.push_str(PAGE_END);
    Ok(page)
}

fn table_html(table: &Table) -> String {
    let mut html = "<div class=\"table\"><div class=\"scroll\"><table><tr>".to_owned();
    for column in &table.columns {
        html.push_str(&format!("<th>{}</th>", escaped(column)));
    }
    html.push_str("</tr>\n");
    for row in &table.rows {
        let cells: Vec<String> = row.iter().map(|cell| format!("<td>{}</td>", escaped(&Cell::text(cell)))).collect();
        html.push_str(&format!("<tr>{}</tr>\n", cells.concat()));
    }
    html.push_str(&format!(
        "</table></div>\n<p class=\"note\">{}</p></div>\n",
        escaped(&table.note).replace('\n', "<br>")
    ));
    html
}

//! The report as one HTML file with plots and tables, without external resources.

use super::plots::plots;
use super::{Cell, Report, Table};
use anyhow::Result;
use dissent_core::text::printable::our_lines;

const STYLE: &str = "body{font:15px/1.5 system-ui,sans-serif;max-width:70rem;margin:2rem auto;padding:0 1rem;color:#222}\
table{border-collapse:collapse;margin:.5rem 0;font-variant-numeric:tabular-nums}\
th,td{padding:.15rem .7rem;text-align:left;border-bottom:1px solid #ddd;white-space:nowrap}\
th{border-bottom:2px solid #888}.scroll{overflow-x:auto}figure{margin:1rem 0}figcaption,p.note{color:#555;max-width:50rem}";

/// The whole page.
///
/// # Errors
/// Fails if a plot cannot be drawn.
pub fn html(report: &Report) -> Result<String> {
    let title = format!("{}, split {}", report.dataset, report.split);
    let mut page = format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>{0}</title><style>{STYLE}</style></head>\n\
         <body><h1>{0}</h1>\n<p>{1}</p>\n",
        escaped(&title),
        escaped(&report.basis())
    );
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
    page.push_str("</body></html>\n");
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

/// Escapes a text for HTML, because names come from people and files.
fn escaped(text: &str) -> String {
    our_lines(text).replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

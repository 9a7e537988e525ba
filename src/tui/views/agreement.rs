//! The agreement report: the tables of `dissent annotations agreement` with an explanation of each figure.
//!
//! ```text
//! ╭ agreement: computing intervals … ───────────────────────────╮
//! │ tiny, 3 annotators (ada, bob, cy); 12 cases annotated, …    │
//! │ Agreement, all tasks                                        │
//! │   category     n  percent               alpha               │
//! │ together                                                    │
//! │   …           12  0.667 [0.42, 0.92]    0.51 [0.21, 0.87]   │
//! │ percent: How often two annotators of a case give the same … │
//! ╰─────────────────────────────────────────────────────────────╯
//! ```

use super::super::theme::Role;
use super::{popup, text};
use crate::annotation::agreement::AgreementReport;
use crate::evaluation::report::{Table, tables_text};
use crate::tui::state::agreement_screen::AgreementScreen;
use crate::tui::update::app::App;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

/// Draws the tables over the body, from the first line shown.
pub fn draw(app: &App, screen: &AgreementScreen, frame: &mut Frame, area: Rect) {
    let title = match screen.report() {
        Some(report) if report.resamples == 0 && report.shared > 0 => "agreement: computing intervals …",
        _ => "agreement",
    };
    let inner = popup::framed(app, title, frame, area);
    let inner = Rect { x: inner.x + 1, width: inner.width.saturating_sub(2), ..inner };
    let lines = match screen.report() {
        None => vec![Line::styled("…", app.theme().style(Role::Faint))],
        Some(report) => lines(app, report, usize::from(inner.width)),
    };
    let rows = usize::from(inner.height);
    let first = screen.scroll().first_line(lines.len(), rows);
    let visible: Vec<Line> = lines.into_iter().skip(first).take(rows).collect();
    frame.render_widget(Paragraph::new(visible), inner);
}

fn lines(app: &App, report: &AgreementReport, width: usize) -> Vec<Line<'static>> {
    let muted = app.theme().style(Role::Muted);
    let wrapped = |text: &str| text::wrap(text, width);
    let mut lines: Vec<Line> = wrapped(&report.basis()).into_iter().map(|line| Line::styled(line, muted)).collect();
    for remark in &report.remarks {
        lines.extend(wrapped(remark).into_iter().map(|line| Line::styled(line, app.theme().style(Role::Accent))));
    }
    if report.cases == 0 {
        lines.push(Line::styled("no annotations to compare yet", app.theme().style(Role::Text)));
        return lines;
    }
    let mut explained = None;
    for table in &report.tables {
        lines.push(Line::default());
        // Tables of one kind have the same explanation, so only the first shows it.
        let with_words = explained != Some(table.key);
        explained = Some(table.key);
        lines.extend(table_lines(app, table, with_words, width));
    }
    lines
}

fn table_lines(app: &App, table: &Table, with_words: bool, width: usize) -> Vec<Line<'static>> {
    let theme = app.theme();
    let mut lines: Vec<Line> =
        text::wrap(&table.title, width).into_iter().map(|line| Line::styled(line, theme.style(Role::Title))).collect();
    let bare = Table { title: String::new(), note: String::new(), ..table.clone() };
    let body = tables_text("", &[], &[bare], width);
    let rows = body.lines().filter(|line| !line.trim().is_empty());
    lines.extend(rows.map(|line| Line::styled(text::fit(line, width), theme.style(Role::Text))));
    if !with_words {
        return lines;
    }
    for words in table.note.lines() {
        let name = words.split_once(": ").map(|(name, _)| name).filter(|name| name.len() < 20).unwrap_or_default();
        for (row, part) in text::wrap(words, width).into_iter().enumerate() {
            let key = if row == 0 { name } else { "" };
            let rest = part.strip_prefix(key).unwrap_or(&part).to_owned();
            lines.push(Line::from(vec![
                Span::styled(key.to_owned(), theme.style(Role::Key)),
                Span::styled(rest, theme.style(Role::Muted)),
            ]));
        }
    }
    lines
}

//! The taxonomy, a category at a time.
//!
//! ```text
//! ╭ categories ──────────────────────────────────────────────────╮
//! │ ▸ 1 Misleading look-alike 12 Misleading look-alike           │
//! │   2 Caption against image    applies to cases                │
//! │   3 Evidence ignored                                         │
//! │                              A retrieved image resembles …   │
//! │                              yes  A cyst with the margin …   │
//! │                              no   The image resembles …      │
//! ╰──────────────────────────────────────────────────────────────╯
//! ```

use super::super::theme::Role;
use super::queue::{COUNT, count_cell};
use super::{popup, text};
use crate::annotation::{Category, Level};
use crate::tui::state::definitions::Definitions;
use crate::tui::update::app::App;
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;
use unicode_width::UnicodeWidthStr;

/// Widest name in the list.
const NAME: usize = 30;
/// Columns for "yes" and "no" before the examples.
const SIGN: usize = 5;

/// Draws the list and the selected category over the body.
pub fn draw(app: &App, definitions: Definitions, frame: &mut Frame, area: Rect) {
    let many = if app.cases().takes_several_categories() { "several per case" } else { "one per case" };
    let throughput = app.throughput();
    let mut title = format!("categories: {many} · {}", throughput.counts_in_words());
    let pace = throughput.pace_in_words();
    if !pace.is_empty() {
        title = format!("{title} · {pace}");
    }
    let inner = popup::framed(app, &title, frame, area);
    let longest = app.cases().categories().iter().map(|category| category.name.width()).max().unwrap_or(0).min(NAME);
    let list_width = u16::try_from(longest + 6 + COUNT).unwrap_or(0);
    let [list, _, page] =
        Layout::horizontal([Constraint::Length(list_width), Constraint::Length(2), Constraint::Min(1)]).areas(inner);
    let rows = usize::from(list.height);
    let first = (definitions.selected() + 1).saturating_sub(rows);
    let annotation = app.queue().current().and_then(|case| app.cases().annotation_of(case));
    for (offset, (index, category)) in app.cases().categories().iter().enumerate().skip(first).take(rows).enumerate() {
        let selected = index == definitions.selected();
        let given = annotation.is_some_and(|annotation| annotation.categories.contains(&category.id));
        let name = text::column(&text::fit(&category.name, longest), longest);
        let spans = vec![
            Span::styled(if selected { "▸ " } else { "  " }, app.theme().style(Role::Accent)),
            Span::styled(format!("{}  ", category.key), app.theme().style(Role::Key)),
            Span::styled(name, app.theme().style(if given { Role::Annotation } else { Role::Text })),
            Span::styled(count_cell(app.count_of_category(&category.id)), app.theme().style(Role::Muted)),
        ];
        let style = if selected { app.theme().style(Role::Selection) } else { Style::new() };
        frame.render_widget(Line::from(spans).style(style), Rect { y: list.y + offset as u16, height: 1, ..list });
    }
    if let Some(category) = app.cases().categories().get(definitions.selected()) {
        frame.render_widget(Paragraph::new(page_lines(app, category, usize::from(page.width))), page);
    }
}

fn page_lines(app: &App, category: &Category, width: usize) -> Vec<Line<'static>> {
    let theme = app.theme();
    let level = match category.level {
        Level::Case => "applies to cases",
        Level::Hit => "applies to documents: press Tab and select a hit",
        Level::Both => "applies to cases, and to documents: press Tab and select a hit",
    };
    let mut lines = vec![Line::styled(text::fit(&category.name, width), theme.style(Role::Title))];
    lines.extend(text::wrap(level, width).into_iter().map(|line| Line::styled(line, theme.style(Role::Muted))));
    lines.push(Line::default());
    let definition = text::wrap(&category.definition, width);
    lines.extend(definition.into_iter().map(|line| Line::styled(line, theme.style(Role::Text))));
    let annotation = app.queue().current().and_then(|case| app.cases().annotation_of(case));
    let earlier =
        annotation.map(|annotation| app.cases().definitions().earlier_definitions(annotation)).unwrap_or_default();
    if let Some(earlier) = earlier.iter().find(|earlier| earlier.id == category.id) {
        lines.push(Line::default());
        let words = text::wrap(&format!("this case was annotated under an {}", earlier.in_words()), width);
        lines.extend(words.into_iter().map(|line| Line::styled(line, theme.style(Role::Annotation))));
    }
    let examples =
        [("yes", &category.positive_example, Role::Right), ("no", &category.negative_example, Role::Differs)];
    for (sign, example, role) in examples {
        let Some(example) = example else { continue };
        lines.push(Line::default());
        for (row, part) in text::wrap(example, width.saturating_sub(SIGN)).into_iter().enumerate() {
            let left = text::column(if row == 0 { sign } else { "" }, SIGN);
            lines.push(Line::from(vec![
                Span::styled(left, theme.style(role)),
                Span::styled(part, theme.style(Role::Text)),
            ]));
        }
    }
    lines
}

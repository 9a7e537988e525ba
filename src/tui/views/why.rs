//! Why this answer: the words of the caption and the regions of both images that decided it.
//!
//! ```text
//! ╭ why Yes and not No, with hit 1, us-d0379 ───────────────────────────────╮
//! │ large spiculated hollow mass, deep, medium gain, clear; biopsy malignant │
//! │ strongest words: +1.17 malignant · +0.16 large · +0.16 gain,             │
//! │ hit +0.21 in row 6, column 5           query +0.12 in row 6, column 3    │
//! │ ▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄                     ▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄                │
//! ╰──────────────────────────────────────────────────────────────────────────╯
//! ```

use super::super::theme::Role;
use super::{popup, text};
use crate::explain::{Explanation, GRID, Region, RegionWeights, WordWeights};
use crate::pipeline::ExplainProgress;
use crate::terminal::image_protocol::ImageMode;
use crate::terminal::images::{ImageView, PictureKey};
use crate::text::printable::one_line;
use crate::tui::state::why::{Why, WhyAnswer};
use crate::tui::update::app::App;
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect, Size};
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;
use std::path::Path;
use unicode_width::UnicodeWidthStr;

/// Strongest words that are listed.
const LISTED: usize = 3;
/// Rows of the caption at most.
const CAPTION_ROWS: usize = 6;
/// From this share of the largest weight on a word is underlined, and from the other bold, too.
const UNDERLINED: f32 = 0.15;
const BOLD: f32 = 0.5;
/// How far the largest weight moves a colour of the picture towards that of its sign.
const TINT: f32 = 0.5;
/// Colours of the tint where the theme has none in full.
const FOR: (u8, u8, u8) = (40, 170, 90);
const AGAINST: (u8, u8, u8) = (215, 90, 60);

/// Draws the page over the body.
pub fn draw(app: &App, why: &Why, frame: &mut Frame, area: Rect) {
    let inner = popup::framed(app, &title(app, why), frame, area);
    let inner = Rect { x: inner.x + 1, width: inner.width.saturating_sub(2), ..inner };
    let lines = match why.answer() {
        WhyAnswer::Known(explanation) => return draw_explanation(app, why, explanation, frame, inner),
        WhyAnswer::Asked(None) => vec!["asking the model …".to_owned()],
        WhyAnswer::Asked(Some(progress)) => vec![progress_line(*progress)],
        WhyAnswer::Costly(cost) => vec![
            format!("This takes {} questions to the model: about {:.0} seconds.", cost.requests, cost.seconds),
            "Enter asks them, Esc closes this page.".to_owned(),
        ],
        WhyAnswer::Failed(message) => text::wrap(message, usize::from(inner.width)),
    };
    let role = if matches!(why.answer(), WhyAnswer::Failed(_)) { Role::Error } else { Role::Text };
    let lines: Vec<Line> = lines.into_iter().map(|line| Line::styled(line, app.theme().style(role))).collect();
    frame.render_widget(Paragraph::new(lines), inner);
}

fn title(app: &App, why: &Why) -> String {
    let WhyAnswer::Known(explanation) = why.answer() else { return format!("why this answer, with {}", why.with()) };
    if let Some(text) = &explanation.text {
        return format!("why \"{}\", with {}", one_line(text), why.with());
    }
    let task = app.dataset().cases.get(why.request().case).and_then(|case| app.cases().task_of(case));
    let name = |label: usize| {
        task.and_then(|task| task.labels.get(label)).map_or_else(String::new, |label| one_line(&label.name))
    };
    let target = explanation.target;
    if let (Some(of), Some(task)) = (explanation.of_label, task) {
        let sets = &task.prompt.sets;
        let (answer, other) = if target.answer == 0 { (&sets.yes, &sets.no) } else { (&sets.no, &sets.yes) };
        let (answer, other) = (one_line(answer), one_line(other));
        return format!("why {answer} and not {other} for {}, with {}", name(of.label), why.with());
    }
    let not = target.runner_up.map_or_else(String::new, |label| format!(" and not {}", name(label)));
    format!("why {}{not}, with {}", name(target.answer), why.with())
}

fn progress_line(progress: ExplainProgress) -> String {
    let ExplainProgress { done, total, seconds_left } = progress;
    let left = seconds_left.map_or_else(String::new, |seconds| format!(", {:.0} s left", seconds.ceil()));
    format!("{done} of {total} questions answered{left}")
}

fn draw_explanation(app: &App, why: &Why, explanation: &Explanation, frame: &mut Frame, area: Rect) {
    let theme = app.theme();
    let width = usize::from(area.width);
    let mut lines = Vec::new();
    match &explanation.words {
        Some(words) => {
            lines.extend(caption_lines(app, words, width));
            lines.push(strongest_line(app, words, width));
        }
        None => lines.push(Line::styled("no caption was shown", theme.style(Role::Muted))),
    }
    let measured = "weights: log-odds lost without it; + speaks for the answer, - against it";
    lines.push(Line::styled(text::fit(measured, width), theme.style(Role::Muted)));
    let rows = (lines.len() as u16).min(area.height);
    let [above, images] = Layout::vertical([Constraint::Length(rows), Constraint::Min(0)]).areas(area);
    frame.render_widget(Paragraph::new(lines), above);
    let Some(case) = app.dataset().cases.get(why.request().case) else { return };
    let row = why.request().probe.map(|probe| probe.row);
    let document = row.and_then(|row| app.dataset().corpus.get(row)).map(|document| document.image);
    let [left, _, right] =
        Layout::horizontal([Constraint::Fill(1), Constraint::Length(2), Constraint::Fill(1)]).areas(images);
    if let (Some(regions), Some(image)) = (&explanation.document, document) {
        draw_regions(app, "hit", regions, image, frame, left);
    }
    if let Some(regions) = &explanation.query {
        draw_regions(app, "query", regions, &case.image, frame, right);
    }
}

/// The caption, each word by its weight.
fn caption_lines(app: &App, words: &WordWeights, width: usize) -> Vec<Line<'static>> {
    let largest = words.strongest(1).first().map_or(0.0, |part| part.weight.abs());
    let mut lines: Vec<Line> = Vec::new();
    let mut line: Vec<Span> = Vec::new();
    let mut used = 0;
    let mut end = 0;
    for part in &words.parts {
        let shown = text::fit(words.text(part), width);
        let space = usize::from(used > 0 && part.range.start > end);
        if used > 0 && used + space + shown.width() > width {
            lines.push(Line::from(std::mem::take(&mut line)));
            used = 0;
        }
        if used > 0 && space > 0 {
            line.push(Span::raw(" "));
            used += 1;
        }
        used += shown.width();
        end = part.range.end;
        line.push(Span::styled(shown, word_style(app, part.weight, largest)));
    }
    lines.push(Line::from(line));
    lines.truncate(CAPTION_ROWS);
    lines
}

fn word_style(app: &App, weight: f32, largest: f32) -> Style {
    let share = if largest > 0.0 { weight.abs() / largest } else { 0.0 };
    if share < UNDERLINED {
        return app.theme().style(Role::Text);
    }
    let mut style = app.theme().style(role_of(weight)).add_modifier(Modifier::UNDERLINED);
    if share >= BOLD {
        style = style.add_modifier(Modifier::BOLD);
    }
    style
}

/// For the answer, or against it.
fn role_of(weight: f32) -> Role {
    if weight >= 0.0 { Role::Same } else { Role::Differs }
}

fn strongest_line(app: &App, words: &WordWeights, width: usize) -> Line<'static> {
    let theme = app.theme();
    let mut spans = vec![Span::styled("strongest words:", theme.style(Role::Muted))];
    for (place, part) in words.strongest(LISTED).into_iter().enumerate() {
        let gap = if place == 0 { " " } else { " · " };
        spans.push(Span::styled(gap, theme.style(Role::Muted)));
        let about = if part.is_bound { "≈" } else { "" };
        spans.push(Span::styled(format!("{about}{:+.2} ", part.weight), theme.style(role_of(part.weight))));
        spans.push(Span::styled(one_line(words.text(part)), theme.style(Role::Text)));
    }
    Line::from(text::fit_spans(spans, width))
}

/// An image with its regions: a tint by weight and a border around the strongest cell. Where it is not drawn in characters
/// a sign stands for each cell.
fn draw_regions(app: &App, name: &str, regions: &RegionWeights, image: &Path, frame: &mut Frame, area: Rect) {
    if area.height < 2 || area.width < 2 {
        return;
    }
    let (Region { row, column }, weight) = regions.strongest();
    let about = if regions.has_bounds { "≈" } else { "" };
    let heading = format!("{name} {about}{weight:+.2} in row {}, column {}", row + 1, column + 1);
    let heading = Line::styled(text::fit(&heading, usize::from(area.width)), app.theme().style(Role::Muted));
    frame.render_widget(heading, Rect { height: 1, ..area });
    let pane = Rect { y: area.y + 1, height: area.height - 1, ..area };
    let key = PictureKey {
        path: app.dataset().root.join(image),
        size: Size::new(pane.width, pane.height),
        view: ImageView::default(),
    };
    if app.images().mode() == ImageMode::Off || app.images().mode().is_in_pixels() {
        draw_signs(app, regions, frame, pane);
        return;
    }
    let Some(Ok(scaled)) = app.images().pictures().get(&key) else { return };
    frame.render_widget(scaled, pane);
    let size = scaled.size();
    let drawn = Rect { width: size.width.min(pane.width), height: size.height.min(pane.height), ..pane };
    tint(app, regions, frame, drawn);
    border(app, cell_rect(drawn, row, column), frame);
}

/// The characters that a cell of the grid lies in.
fn cell_rect(drawn: Rect, row: usize, column: usize) -> Rect {
    let at = |cell: usize, length: u16| (cell * usize::from(length) / GRID) as u16;
    let (x, y) = (at(column, drawn.width), at(row, drawn.height));
    let (right, bottom) = (at(column + 1, drawn.width).max(x + 1), at(row + 1, drawn.height).max(y + 1));
    Rect { x: drawn.x + x, y: drawn.y + y, width: right - x, height: bottom - y }.intersection(drawn)
}

fn tint(app: &App, regions: &RegionWeights, frame: &mut Frame, drawn: Rect) {
    let largest = regions.strongest().1.abs();
    if largest <= 0.0 {
        return;
    }
    for y in 0..drawn.height {
        for x in 0..drawn.width {
            let row = usize::from(y) * GRID / usize::from(drawn.height);
            let column = usize::from(x) * GRID / usize::from(drawn.width);
            let weight = regions.weights[row][column];
            let towards = match app.theme().style(role_of(weight)).fg {
                Some(Color::Rgb(red, green, blue)) => (red, green, blue),
                _ if weight >= 0.0 => FOR,
                _ => AGAINST,
            };
            let cell = &mut frame.buffer_mut()[(drawn.x + x, drawn.y + y)];
            let share = TINT * weight.abs() / largest;
            cell.fg = blended(cell.fg, towards, share);
            cell.bg = blended(cell.bg, towards, share);
        }
    }
}

/// A full colour moved towards another; others stay.
fn blended(colour: Color, towards: (u8, u8, u8), share: f32) -> Color {
    let Color::Rgb(red, green, blue) = colour else { return colour };
    let mix = |from: u8, to: u8| (f32::from(from) + (f32::from(to) - f32::from(from)) * share).round() as u8;
    Color::Rgb(mix(red, towards.0), mix(green, towards.1), mix(blue, towards.2))
}

/// A border in the outermost characters of a cell; brackets where it has one row.
fn border(app: &App, cell: Rect, frame: &mut Frame) {
    let style = app.theme().style(Role::Accent).add_modifier(Modifier::BOLD);
    let (right, bottom) = (cell.right().saturating_sub(1), cell.bottom().saturating_sub(1));
    for position in cell.positions() {
        let (x, y) = (position.x, position.y);
        let symbol = match (x == cell.x, x == right, y == cell.y, y == bottom) {
            (true, true, ..) => "▯",
            (true, _, true, true) => "[",
            (_, true, true, true) => "]",
            (true, _, true, _) => "┌",
            (_, true, true, _) => "┐",
            (true, _, _, true) => "└",
            (_, true, _, true) => "┘",
            (true, ..) | (_, true, ..) => "│",
            (_, _, true, _) | (_, _, _, true) => "─",
            _ => continue,
        };
        let drawn = &mut frame.buffer_mut()[(x, y)];
        let ground = drawn.bg;
        drawn.set_symbol(symbol).set_style(style);
        drawn.bg = ground;
    }
}

/// A sign for each cell: "++" and "--" from half of the largest weight on, "+" and "-" from an eighth on.
fn draw_signs(app: &App, regions: &RegionWeights, frame: &mut Frame, pane: Rect) {
    let (strongest, largest) = regions.strongest();
    let mut lines = Vec::new();
    for (row, weights) in regions.weights.iter().enumerate() {
        let mut spans = Vec::new();
        for (column, weight) in weights.iter().enumerate() {
            let share = if largest == 0.0 { 0.0 } else { weight.abs() / largest.abs() };
            let sign = if *weight >= 0.0 { "+" } else { "-" };
            let signs = match share {
                share if share >= 0.5 => sign.repeat(2),
                share if share >= 0.125 => format!("{sign} "),
                _ => "· ".to_owned(),
            };
            let is_strongest = strongest == Region { row, column };
            let role = if share >= 0.125 { role_of(*weight) } else { Role::Faint };
            let mut style = app.theme().style(role);
            if is_strongest {
                style = style.add_modifier(Modifier::BOLD | Modifier::REVERSED);
            }
            spans.push(Span::styled(signs, style));
            spans.push(Span::raw(" "));
        }
        lines.push(Line::from(spans));
    }
    frame.render_widget(Paragraph::new(lines), pane);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cells_of_a_picture_cover_it_whatever_its_size() {
        for (width, height) in [(40, 20), (24, 12), (17, 9), (8, 8), (5, 3)] {
            let drawn = Rect { x: 3, y: 2, width, height };
            let mut covered = vec![false; usize::from(width * height)];
            for row in 0..GRID {
                for column in 0..GRID {
                    let cell = cell_rect(drawn, row, column);
                    assert!(cell.width >= 1 && cell.height >= 1, "{width}x{height}: {cell:?}");
                    for position in cell.positions() {
                        covered[usize::from((position.y - 2) * width + position.x - 3)] = true;
                    }
                }
            }
            assert!(covered.iter().all(|covered| *covered), "{width}x{height}");
        }
    }

    #[test]
    fn a_colour_moves_towards_another_by_its_share() {
        let grey = Color::Rgb(100, 100, 100);
        assert_eq!(blended(grey, (200, 0, 100), 0.0), grey);
        assert_eq!(blended(grey, (200, 0, 100), 0.5), Color::Rgb(150, 50, 100));
        assert_eq!(blended(Color::Red, (200, 0, 100), 0.5), Color::Red);
    }
}

//! An image in a pane with a heading.

use super::super::app::{App, Shown, Side};
use super::super::images::{ImageMode, PictureKey};
use super::super::theme::Role;
use super::text;
use ratatui::Frame;
use ratatui::layout::{Rect, Size};
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;
use ratatui_image::Image;
use std::path::Path;

/// Cases whose query images are loaded in advance.
const AHEAD: usize = 2;
/// Hits from the selected one on whose images are loaded.
const HITS_AHEAD: usize = 6;

/// The query image; `active` marks the one that Enter and z act on where two are shown.
pub fn query(app: &App, active: bool, frame: &mut Frame, area: Rect) {
    let Some((_, case)) = app.current() else { return };
    let pane = draw(app, "query", active, Some(&case.image), frame, area);
    for next in app.queue.shown().iter().skip(app.queue.place() + 1).take(AHEAD) {
        if let Some(case) = app.dataset.cases.get(*next) {
            app.pictures.want_soon(PictureKey {
                path: app.dataset.root.join(&case.image),
                size: pane,
                view: app.image_view,
            });
        }
    }
}

/// The image of the selected hit, or of the document found by search.
pub fn document(app: &App, active: bool, frame: &mut Frame, area: Rect) {
    let document = app.shown_document();
    let heading = match (app.shown, document) {
        (Shown::Row(_), Some(document)) => format!("found: {}", document.id),
        (Shown::Hit, Some(document)) => format!("hit {}: {}", app.hit + 1, document.id),
        (_, None) => "hit".to_owned(),
    };
    let pane = draw(app, &heading, active, document.map(|document| document.image.as_path()), frame, area);
    // The cache holds a screen or two; asking for all hits of a large K would throw out what was just loaded.
    for hit in app.hits().iter().skip(app.hit).take(HITS_AHEAD) {
        if let Some(document) = app.dataset.corpus.get(hit.row) {
            app.pictures.want_soon(PictureKey {
                path: app.dataset.root.join(&document.image),
                size: pane,
                view: app.image_view,
            });
        }
    }
}

/// The active image over the whole body.
pub fn enlarged(app: &App, frame: &mut Frame, area: Rect) {
    let area = Rect { x: area.x + 1, width: area.width.saturating_sub(2), ..area };
    match app.side {
        Side::Query => query(app, false, frame, area),
        Side::Document => document(app, false, frame, area),
    }
}

/// Draws heading and image and says how large the image's pane is.
fn draw(app: &App, heading: &str, active: bool, image: Option<&Path>, frame: &mut Frame, area: Rect) -> Size {
    let theme = &app.theme;
    let role = if active { Role::Accent } else { Role::Muted };
    let words = app.image_view.words();
    let heading = if words.is_empty() { heading.to_owned() } else { format!("{heading} · {words}") };
    let line = Rect { height: 1, ..area };
    frame.render_widget(Line::styled(text::fit(&heading, usize::from(area.width)), theme.style(role)), line);
    let pane = Rect { y: area.y + 1, height: area.height.saturating_sub(1), ..area };
    let size = Size::new(pane.width, pane.height);
    let Some(image) = image else {
        frame.render_widget(Line::styled("…", theme.style(Role::Faint)), pane);
        return size;
    };
    if size.width == 0 || size.height == 0 {
        return size;
    }
    if app.images == ImageMode::Off {
        let name = Span::styled(
            text::fit_end(&image.display().to_string(), usize::from(pane.width)),
            theme.style(Role::Muted),
        );
        frame.render_widget(Line::from(name), pane);
        return size;
    }
    match app.pictures.get(&PictureKey { path: app.dataset.root.join(image), size, view: app.image_view }) {
        None => {}
        Some(Ok(protocol)) => frame.render_widget(Image::new(protocol), pane),
        Some(Err(message)) => {
            let lines: Vec<Line> = text::wrap_into(message, usize::from(pane.width), usize::from(pane.height))
                .into_iter()
                .map(Line::from)
                .collect();
            frame.render_widget(Paragraph::new(lines).style(theme.style(Role::Error)), pane);
        }
    }
    size
}

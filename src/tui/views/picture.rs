//! An image pane with a heading.

use super::super::theme::Role;
use super::{WIDE, text};
use crate::cases::given_evidence::{GivenEvidence, IMAGE_WITHHELD};
use crate::terminal::image_protocol::ImageMode;
use crate::terminal::images::PictureKey;
use crate::tui::state::selection::{Shown, Side};
use crate::tui::update::app::App;
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect, Size};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Paragraph};
use std::borrow::Cow;
use std::path::Path;

/// Number of cases whose query images are loaded in advance.
const AHEAD: usize = 2;
/// Number of hits, from the selected one on, whose images are loaded.
const HITS_AHEAD: usize = 6;

/// The query image; `active` marks the one of two images that Enter and z act on.
pub fn query(app: &App, active: bool, frame: &mut Frame, area: Rect) {
    let Some((_, case)) = app.current() else { return };
    app.drawn().set_query(area);
    let heading = heading(app, "query", Some(&case.image), active, area);
    let pane = pane(app, heading, Content::Image(&case.image), frame, area);
    for next in app.queue().shown().iter().skip(app.queue().place() + 1).take(AHEAD) {
        if let Some(case) = app.dataset().cases.get(*next) {
            app.images().pictures().want_soon(PictureKey {
                path: app.dataset().root.join(&case.image),
                size: pane,
                view: app.images().view(),
            });
        }
    }
}

/// The image of the selected hit, or of the document found by search.
pub fn document(app: &App, active: bool, frame: &mut Frame, area: Rect) {
    let document = app.shown_document();
    let name = document_name(app);
    app.drawn().set_document(area);
    let image = document.map(|document| document.image);
    let content = app.given_evidence().map_or(Content::Awaited, |given| Content::of(&given));
    let pane = pane(app, heading(app, &name, image, active, area), content, frame, area);
    // The cache holds a screen or two; requesting all hits of a large K would evict what was just loaded.
    for hit in app.hits().iter().skip(app.selection().hit()).take(HITS_AHEAD) {
        let document = app.dataset().corpus.get(hit.row).filter(|_| !app.cases().models_stand_in());
        if let Some(document) = document {
            app.images().pictures().want_soon(PictureKey {
                path: app.dataset().root.join(document.image),
                size: pane,
                view: app.images().view(),
            });
        }
    }
}

/// The name of an image's file without its folders, whose names are often the label.
fn shown_name(image: &Path) -> Cow<'_, str> {
    image.file_name().unwrap_or(image.as_os_str()).to_string_lossy()
}

/// Draws one row with the files of the images, where no images are drawn.
pub fn file_names(app: &App, frame: &mut Frame, area: Rect) {
    let query = app.current().map(|(_, case)| format!("query: {}", shown_name(&case.image)));
    let document = app.shown_document().map(|shown| match shown_name(shown.image) {
        none if none.is_empty() => document_name(app),
        image => format!("{}: {image}", document_name(app)),
    });
    let side = app.selection().side();
    let row = Rect { height: area.height.min(1), ..area };
    let draw = |frame: &mut Frame, name: Option<String>, area: Rect, role: Role| {
        let name = text::fit(&name.unwrap_or_else(|| "…".to_owned()), usize::from(area.width));
        frame.render_widget(Line::styled(name, app.theme().style(role)), area);
    };
    if frame.area().width < WIDE {
        draw(frame, if side == Side::Query { query } else { document }, row, Role::Muted);
    } else {
        let [left, right] = Layout::horizontal([Constraint::Fill(1), Constraint::Fill(1)]).spacing(2).areas(row);
        let role = |of: Side| if side == of { Role::Accent } else { Role::Muted };
        draw(frame, query, left, role(Side::Query));
        draw(frame, document, right, role(Side::Document));
    }
}

/// The document in the heading: a hit by its number, or one that was found by search.
fn document_name(app: &App) -> String {
    match (app.selection().shown(), app.shown_document()) {
        (Shown::Row(_), Some(document)) if app.selection().other_hit().is_some() => {
            format!("B hit {}: {}", app.selection().other_hit().map_or(0, |place| place + 1), document.id)
        }
        (Shown::Row(_), Some(document)) => format!("found: {}", document.id),
        (Shown::Hit, Some(document)) => {
            app.cases().in_words_of_run(&format!("hit {}", app.selection().hit() + 1)).into_owned() + ": " + document.id
        }
        (_, None) => app.cases().in_words_of_run("hit").into_owned(),
    }
}

/// The heading of an image with changes to its view.
fn heading(app: &App, name: &str, image: Option<&Path>, active: bool, area: Rect) -> Line<'static> {
    let words = app.images().words(image.map_or(f32::INFINITY, |image| app.nearest(image, area)));
    let heading = if words.is_empty() { name.to_owned() } else { format!("{name} · {words}") };
    let role = if active { Role::Accent } else { Role::Muted };
    Line::styled(text::fit(&heading, usize::from(area.width)), app.theme().style(role))
}

/// What stands in a pane.
#[derive(Clone, Copy)]
pub enum Content<'a> {
    Image(&'a Path),
    /// The reader was given no image.
    Withheld,
    /// No document is known yet.
    Awaited,
    /// A model stands in the place of a document.
    Model,
}

impl<'a> Content<'a> {
    /// The image that the reader was given.
    pub fn of(given: &GivenEvidence<'a>) -> Self {
        if given.is_model() {
            return Self::Model;
        }
        if given.has_image { Self::Image(given.document.image) } else { Self::Withheld }
    }
}

/// Draws heading and image and returns the size of the image's pane. An overlay hides an image of pixels.
pub fn pane(app: &App, heading: Line, content: Content, frame: &mut Frame, area: Rect) -> Size {
    let is_covered = app.overlay().is_some();
    draw_pane(app, heading, content, is_covered, frame, area)
}

/// The same on an overlay, which nothing lies over.
pub fn pane_over(app: &App, heading: Line, content: Content, frame: &mut Frame, area: Rect) {
    draw_pane(app, heading, content, false, frame, area);
}

fn draw_pane(app: &App, heading: Line, content: Content, is_covered: bool, frame: &mut Frame, area: Rect) -> Size {
    let theme = app.theme();
    frame.render_widget(heading, Rect { height: 1, ..area });
    let pane = Rect { y: area.y + 1, height: area.height.saturating_sub(1), ..area };
    let size = Size::new(pane.width, pane.height);
    let image = match content {
        Content::Image(image) => image,
        Content::Withheld => {
            draw_empty(app, IMAGE_WITHHELD, frame, pane);
            return size;
        }
        Content::Model => {
            draw_empty(app, "no image: a model's own answer", frame, pane);
            return size;
        }
        Content::Awaited => {
            frame.render_widget(Line::styled("…", theme.style(Role::Faint)), pane);
            return size;
        }
    };
    if size.width == 0 || size.height == 0 {
        return size;
    }
    if app.images().mode() == ImageMode::Off {
        let name = Span::styled(text::fit_end(&shown_name(image), usize::from(pane.width)), theme.style(Role::Muted));
        frame.render_widget(Line::from(name), pane);
        return size;
    }
    match app.images().pictures().get(&PictureKey {
        path: app.dataset().root.join(image),
        size,
        view: app.images().view(),
    }) {
        None => {}
        // A pixel image is sent once, within its first cell: an overlay over that cell would lose it.
        Some(Ok(_)) if is_covered && app.images().mode().is_in_pixels() => {}
        Some(Ok(scaled)) => frame.render_widget(scaled, pane),
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

/// An empty frame that says why there is no image in it.
fn draw_empty(app: &App, reason: &str, frame: &mut Frame, pane: Rect) {
    let style = app.theme().style(Role::Substituted);
    let block = Block::bordered().border_style(app.theme().style(Role::Faint));
    let inner = block.inner(pane);
    frame.render_widget(block, pane);
    let words = text::fit(reason, usize::from(inner.width));
    let middle = Rect { y: inner.y + inner.height / 2, height: inner.height.min(1), ..inner };
    frame.render_widget(Line::styled(words, style).centered(), middle);
}

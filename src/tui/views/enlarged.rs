//! Enlarged images in the body of the screen: one, or query and hit side by side, with the words that belong to them.

use super::image_places::{ImagePlaces, TextNeeds};
use super::{answers_panel, contact_sheet, picture};
use crate::terminal::image_protocol::ImageMode;
use crate::tui::state::image_panes::Enlarged;
use crate::tui::state::selection::Side;
use crate::tui::update::app::App;
use ratatui::Frame;
use ratatui::layout::Rect;

/// Room for caption and answers, beside the images or below.
const TEXT: TextNeeds = TextNeeds { width: 26, height: 3 };

/// Draws one image or two as large as they fit, and the text where they leave room:
///
/// ```text
///  query                   hit 1: us-doc-001        │ query                   hit 1 = B Yes 0.91
///  ▀▄▀▄▀▄▀▄▀▄▀▄▀▄▀▄▀▄▀▄    ▀▄▀▄▀▄▀▄▀▄▀▄▀▄▀▄▀▄▀▄     │ ▀▄▀▄▀▄▀▄▀▄▀▄▀▄▀▄▀▄▀▄    Irregular hypoechoic
///  ▀▄▀▄▀▄▀▄▀▄▀▄▀▄▀▄▀▄▀▄    ▀▄▀▄▀▄▀▄▀▄▀▄▀▄▀▄▀▄▀▄     │ ▀▄▀▄▀▄▀▄▀▄▀▄▀▄▀▄▀▄▀▄    mass with spiculated
///  hit 1 = B Yes 0.91   fused B Yes 0.75            │ ▀▄▀▄▀▄▀▄▀▄▀▄▀▄▀▄▀▄▀▄
///  Irregular hypoechoic mass with spiculated …      │ ▀▄▀▄▀▄▀▄▀▄▀▄▀▄▀▄▀▄▀▄    closed-book …
/// ```
pub fn draw(app: &App, enlarged: Enlarged, frame: &mut Frame, area: Rect) {
    app.drawn().set_query(Rect::ZERO);
    app.drawn().set_document(Rect::ZERO);
    if enlarged == Enlarged::ContactSheet {
        contact_sheet::draw(app, frame, area);
        return;
    }
    let area = Rect { x: area.x + 1, width: area.width.saturating_sub(2), ..area };
    let side = app.selection().side();
    if app.images().mode() == ImageMode::Off {
        picture::file_names(app, frame, area);
        let below = Rect { y: area.y + 1, height: area.height.saturating_sub(1), ..area };
        answers_panel::enlarged(app, side, frame, below);
        return;
    }
    let count = if enlarged == Enlarged::Both { 2 } else { 1 };
    let places = ImagePlaces::fit(area, count, TEXT);
    let [first, second] = places.images;
    match (enlarged, side) {
        (Enlarged::Both, _) => {
            picture::query(app, side == Side::Query, frame, first);
            picture::document(app, side == Side::Document, frame, second);
        }
        (_, Side::Query) => picture::query(app, false, frame, first),
        (_, Side::Document) => picture::document(app, false, frame, first),
    }
    // Beside both images stands what is said of the hit.
    let side = if count == 2 { Side::Document } else { side };
    answers_panel::enlarged(app, side, frame, places.text);
}

//! Views: they draw the state as a frame and do nothing else.

mod adjudication;
mod agreement;
mod answers_panel;
mod caption_words;
mod case;
mod case_layout;
mod comparison;
mod contact_sheet;
mod coverage;
mod definitions;
mod enlarged;
mod evidence;
mod filter;
mod focus;
mod footer;
mod help;
mod hits;
mod image_places;
mod label_many;
mod label_sets;
mod note;
mod overview;
mod picker;
mod picture;
mod popup;
mod queue;
mod scrollbar;
mod search;
mod spend;
mod status;
pub(super) mod text;
mod verdict;
mod why;

use super::theme::Role;
use crate::tui::state::overlay::Overlay;
use crate::tui::update::app::App;
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::{Line, Span};

/// In a smaller terminal, the screen is one line that says so.
pub const SMALLEST: (u16, u16) = (60, 15);
/// From this width, query and document images stand side by side.
pub const WIDE: u16 = 100;

/// Draws the whole screen. At 80×24:
///
/// ```text
///  dissent  ultrasound-phantom              synthetic: the two sites differ on purpose    header
///  case        ·gold fused ! mark │ us-0007 · test · malignancy         closed-book …     queue │ case
///    us-0005         A No  =     │ Is the lesion malignant?
///  ▸ us-0007         B Yes !   3 │ query
///    us-0008          …          │ ▀▄▀▄▀▄▀▄▀▄▀▄▀▄   closed-book                           picture │ facts
///    us-0009                     │ ▀▄▀▄▀▄▀▄▀▄▀▄▀▄   A No    0.61 ━━━━━━━━────
///                                │ ▀▄▀▄▀▄▀▄▀▄▀▄▀▄   fused
///                                │ ▀▄▀▄▀▄▀▄▀▄▀▄▀▄   B Yes   0.58 ━━━━━━━─────
///                                │  # head    score answer          p  caption            hits
///                                │  1 image   0.912 = B Yes   ━━━  .81 hypoechoic mass …
///                                │ ▸2 image   0.893 ! A No    ━━── .66 …
///                                │  3 caption 0.412 …                  …
///  tiny-pixtral · cpu · exact search, 420 images                  7/600 · 5 annotated     status
///  1-8 label CASE and go on  Tab hits  Space drop hit  : commands  ? help  q quit         footer
/// ```
/// From 100 columns the document's image stands beside the query image. The answers stand below the images, or beside them
/// where these hardly shrink for it. From 36 rows the selected hit's whole caption is shown. Enlarged images and the contact
/// sheet take the place of queue and case; overlays such as help, note and search cover this.
pub fn draw(app: &App, frame: &mut Frame) {
    let area = frame.area();
    if area.width < SMALLEST.0 || area.height < SMALLEST.1 {
        too_small(app, frame, area);
        return;
    }
    let [header, body, status, hints] =
        Layout::vertical([Constraint::Length(1), Constraint::Min(1), Constraint::Length(1), Constraint::Length(1)])
            .areas(area);
    status::header(app, frame, header);
    status::status(app, frame, status);
    footer::draw(app, frame, hints);
    match app.images().enlarged() {
        Some(enlarged) => enlarged::draw(app, enlarged, frame, body),
        None => draw_body(app, frame, body),
    }
    match app.overlay() {
        None => {}
        Some(Overlay::Help(page)) => help::draw(app, page, frame, body),
        Some(Overlay::Note(input)) => note::draw(app, input, frame, body),
        Some(Overlay::Name(input)) => note::draw_name(app, input, frame, body),
        Some(Overlay::Definitions(definitions)) => definitions::draw(app, *definitions, frame, body),
        Some(Overlay::Adjudication(adjudication)) => adjudication::draw(app, adjudication, frame, body),
        Some(Overlay::Agreement(screen)) => agreement::draw(app, screen, frame, body),
        Some(Overlay::LabelMany(open)) => label_many::draw(app, open, frame, body),
        Some(Overlay::Spend(question)) => spend::draw(app, question, frame, body),
        Some(Overlay::Overview(overview)) => overview::draw(app, overview, frame, body),
        Some(Overlay::Filter(edit)) => filter::draw(app, edit, frame, body),
        Some(Overlay::Picker(picker)) => picker::draw(app, picker, frame, body),
        Some(Overlay::Why(why)) => why::draw(app, why, frame, body),
        Some(Overlay::Search(search)) => search::draw(app, search, frame, body),
    }
}

fn draw_body(app: &App, frame: &mut Frame, body: Rect) {
    let queue_width = match body.width {
        0..WIDE => 27,
        WIDE..160 => 33,
        _ => 42,
    };
    let [queue, line, case] =
        Layout::horizontal([Constraint::Length(queue_width), Constraint::Length(1), Constraint::Min(1)]).areas(body);
    queue::draw(app, frame, queue);
    let inner = Rect { x: case.x + 1, width: case.width.saturating_sub(2), ..case };
    case::draw(app, frame, inner);
    focus::separator(app, frame, line);
}

/// Draws one line that fits any size.
fn too_small(app: &App, frame: &mut Frame, area: Rect) {
    let (width, height) = SMALLEST;
    let message = format!("dissent needs {width}x{height} characters; this window has {}x{}", area.width, area.height);
    frame.render_widget(Line::from(Span::styled(message, app.theme().style(Role::Text))), area);
}

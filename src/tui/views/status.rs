//! The lines above and below the body: header and status.

use super::super::action::Context;
use super::super::theme::Role;
use super::{coverage, text};
use crate::tui::state::overlay::Notice;
use crate::tui::update::app::App;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use unicode_width::UnicodeWidthStr;

/// Draws the dataset, the annotator and what they have seen on the left; on the right the view of images if it is not as stored,
/// else the dataset's note.
pub fn header(app: &App, frame: &mut Frame, area: Rect) {
    let theme = app.theme();
    let width = usize::from(area.width);
    let annotator = annotator(app);
    let mut name = app.dataset().name.clone();
    // An enlarged image hides the case's title.
    if let (true, Some((_, case))) = (app.images().enlarged().is_some(), app.current()) {
        name = format!("{name} · {}", case.id);
    }
    let room = width.saturating_sub(Span::raw(&annotator).width() + 4);
    let left = vec![
        Span::styled(format!(" {}  ", text::fit(&name, room)), theme.style(Role::Title)),
        Span::styled(text::fit(&annotator, width), theme.style(Role::Annotation)),
    ];
    let room = width.saturating_sub(left.iter().map(Span::width).sum::<usize>() + 3);
    let view = app.view_words();
    let right = if view.is_empty() {
        let note = app.dataset().note.as_deref().unwrap_or_default();
        Span::styled(text::fit(note, room), theme.style(Role::Muted))
    } else {
        Span::styled(text::fit(&format!("images {view}"), room), theme.style(Role::Accent))
    };
    both_ends(left, right, frame, area);
}

/// Annotator and blindness, such as `ada · blind`.
fn annotator(app: &App) -> String {
    // Before the annotations are read, nothing is known about the case.
    if app.is_preview() {
        return app.cases().annotator().to_owned();
    }
    let kept = if app.gold().is_kept() { " · gold stays shown" } else { "" };
    format!("{} · {}{kept}", app.cases().annotator(), app.exposure_in_words())
}

/// From this width, the status line shows the annotator's pace.
const WIDE_STATUS: u16 = 110;

/// Draws news or models on the left, the position and the annotator's progress on the right.
pub fn status(app: &App, frame: &mut Frame, area: Rect) {
    let theme = app.theme();
    let right = Span::styled(progress(app, area.width), theme.style(Role::Muted));
    let room = usize::from(area.width).saturating_sub(right.width() + 3);
    let (line, role) = left_text(app, room.saturating_sub(1));
    // The end of a message names the file or the key; models begin with what matters.
    let is_message = app.notice().is_some() || app.worker().failure().is_some();
    let fit = if is_message { text::fit_middle } else { text::fit };
    let left = Span::styled(fit(&format!(" {line}"), room), theme.style(role));
    both_ends(vec![left], right, frame, area);
}

/// Position in the queue, labelled and left cases, and pace if there is room.
fn progress(app: &App, width: u16) -> String {
    let place = if app.queue().shown().is_empty() { 0 } else { app.queue().place() + 1 };
    let shown = app.queue().shown().len();
    // The annotations are not loaded yet.
    if app.is_preview() {
        return format!("{place}/{shown} ");
    }
    let throughput = app.throughput();
    // A notice needs the room.
    if app.notice().is_some() {
        return format!("{place}/{shown} · {} labelled ", throughput.labelled);
    }
    let of_all = if app.queue().is_filtered() { format!(" of {}", app.queue().all().len()) } else { String::new() };
    let mut words = format!("{place}/{shown}{of_all} · {}", throughput.counts_in_words());
    let pace = throughput.pace_in_words();
    if width >= WIDE_STATUS && !pace.is_empty() {
        words = format!("{words} · {pace}");
    }
    if !app.left_out().is_empty() {
        words = format!("{} skipped (?) · {words}", lines(app.left_out().len()));
    }
    words + " "
}

fn lines(count: usize) -> String {
    if count == 1 { "1 line".to_owned() } else { format!("{count} lines") }
}

/// The text on the left of the status line, most urgent first.
fn left_text(app: &App, room: usize) -> (String, Role) {
    match app.notice() {
        Some(Notice::Error(message)) => return (message.clone(), Role::Error),
        Some(Notice::Said(message)) => return (message.clone(), Role::Notice),
        None => {}
    }
    if let Some(message) = app.worker().failure() {
        return match app.cases().stored_run() {
            Some(name) if app.fused_now().is_some_and(|fused| fused.prediction.is_sampled()) => {
                (format!("stored run {name}, ≈ shares of sampled answers; no new answers: {message}"), Role::Muted)
            }
            Some(name) => (format!("stored run {name}; no new answers: {message}"), Role::Muted),
            None => (format!("no answers: {message}"), Role::Error),
        };
    }
    if let Some(progress) = app.worker().progress() {
        return (progress.to_owned(), Role::Muted);
    }
    if app.reading_rest().is_some()
        && let Some(coverage) = app.coverage()
    {
        let stop = if app.context() == Context::Image { "" } else { " · Esc stops" };
        let words = coverage::words(app, coverage.answered, coverage.of, room.saturating_sub(stop.width()));
        return (format!("{words}{stop}"), Role::Notice);
    }
    let to_sort = match app.view().unsorted_count(app.queue()) {
        0 => String::new(),
        count => format!("{count} newly answered: press o to sort again · "),
    };
    match app.worker().models() {
        None => (format!("{to_sort}loading models and index …"), Role::Muted),
        Some(models) => {
            // The help page gives the reason for the device.
            let device = models.device.split(',').next().unwrap_or_default();
            let busy = match app.cases_being_read() {
                0 => String::new(),
                cases => format!("answering {cases} · "),
            };
            (format!("{to_sort}{busy}{} · {} · {device} · {}", models.heads, models.reader, models.index), Role::Muted)
        }
    }
}

fn both_ends(left: Vec<Span<'_>>, right: Span<'_>, frame: &mut Frame, area: Rect) {
    let used: usize = left.iter().map(Span::width).sum::<usize>() + right.width();
    let gap = usize::from(area.width).saturating_sub(used + 1);
    let mut spans = left;
    spans.push(Span::raw(" ".repeat(gap)));
    spans.push(right);
    frame.render_widget(Line::from(spans), area);
}

//! The lines above and below the body: header and status.

use super::super::theme::Role;
use super::text;
use crate::tui::state::overlay::Notice;
use crate::tui::update::app::App;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

/// Draws the dataset's name on the left and its note on the right.
pub fn header(app: &App, frame: &mut Frame, area: Rect) {
    let theme = app.theme();
    let name = format!(" {}", app.dataset().name);
    let width = usize::from(area.width);
    let left = vec![Span::styled(text::fit(&name, width), theme.style(Role::Title))];
    let room = width.saturating_sub(left.iter().map(Span::width).sum::<usize>() + 3);
    let note = app.dataset().note.as_deref().unwrap_or_default();
    both_ends(left, Span::styled(text::fit(note, room), theme.style(Role::Muted)), frame, area);
}

/// Draws news or models on the left and the position on the right.
pub fn status(app: &App, frame: &mut Frame, area: Rect) {
    let theme = app.theme();
    let place = if app.queue().shown().is_empty() { 0 } else { app.queue().place() + 1 };
    let all = app.queue().all().len();
    let of_all = if app.queue().is_filtered() { format!(" of {all}") } else { String::new() };
    let seen = app.seen_count();
    let shown = app.queue().shown().len();
    let of_shown = if app.queue().is_filtered() { format!(" of {shown}") } else { String::new() };
    let annotated = format!("{}{of_shown} annotated ", app.annotated_count());
    let mut right = format!("{place}/{shown}{of_all} · {seen} opened · {annotated}");
    // A notice needs the room.
    if app.notice().is_some() {
        right = format!("{place}/{shown} · {annotated}");
    }
    // The annotations are not loaded yet.
    if app.is_preview() {
        right = format!("{place}/{shown} ");
    }
    if !app.left_out().is_empty() && app.notice().is_none() {
        right = format!("{} skipped (?) · {right}", lines(app.left_out().len()));
    }
    let right = Span::styled(right, theme.style(Role::Muted));
    let room = usize::from(area.width).saturating_sub(right.width() + 3);
    let (line, role) = left_text(app);
    let left = Span::styled(text::fit(&format!(" {line}"), room), theme.style(role));
    both_ends(vec![left], right, frame, area);
}

fn lines(count: usize) -> String {
    if count == 1 { "1 line".to_owned() } else { format!("{count} lines") }
}

/// The text on the left of the status line, most urgent first.
fn left_text(app: &App) -> (String, Role) {
    match app.notice() {
        Some(Notice::Error(message)) => return (message.clone(), Role::Error),
        Some(Notice::Said(message)) => return (message.clone(), Role::Notice),
        None => {}
    }
    if let Some(message) = app.worker().failure() {
        return match app.cases().stored_run() {
            Some(name) => (format!("stored run {name}; no new answers: {message}"), Role::Muted),
            None => (format!("no answers: {message}"), Role::Error),
        };
    }
    if let Some(progress) = app.worker().progress() {
        return (progress.to_owned(), Role::Muted);
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

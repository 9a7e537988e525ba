//! How much of the view is answered, in the place where a figure or an order stands on it.

use super::super::action::Action;
use crate::tui::state::reading_rest::in_words;
use crate::tui::update::app::App;
use unicode_width::UnicodeWidthStr;

/// Columns of the bar of progress.
const BAR: std::ops::RangeInclusive<usize> = 4..=12;

/// "11 of 700 answered; R reads the rest" in at most `width` columns, or, while they are being read, how far that is with the
/// time left.
pub fn words(app: &App, answered: usize, of: usize, width: usize) -> String {
    if let Some(reading) = app.reading_rest() {
        let time = reading.time_left().map(in_words);
        let long = time.as_ref().map_or_else(String::new, |time| format!(" {time} left"));
        let short = time.map_or_else(String::new, |time| format!(" {time}"));
        // The time is the last thing to go.
        let forms = [
            (format!("{answered} of {of} answered "), &long),
            (format!("{answered} of {of} "), &long),
            (format!("{answered} of {of} "), &short),
            (format!("{answered}/{of} "), &short),
        ];
        let fits = |(count, time): &&(String, &String)| count.width() + time.width() + BAR.start() <= width;
        let Some((count, time)) = forms.iter().find(fits) else { return format!("{answered}/{of}") };
        let room = (width - count.width() - time.width()).min(*BAR.end());
        return format!("{count}{}{time}", bar(answered, of, room));
    }
    let key = app.key_of(&Action::ReadRest).filter(|_| app.can_read_rest());
    let Some(key) = key else { return format!("{answered} of {of} answered") };
    let forms = [
        format!("{answered} of {of} answered; {key} reads the rest"),
        format!("{answered} of {of} answered, {key}: rest"),
        format!("{answered}/{of} answered, {key}: rest"),
    ];
    forms.into_iter().find(|form| form.width() <= width).unwrap_or_else(|| format!("{answered}/{of} ({key})"))
}

/// Part of a whole in `width` columns; full only where nothing is missing.
fn bar(part: usize, whole: usize, width: usize) -> String {
    let filled = if part >= whole { width } else { (part * width / whole.max(1)).min(width.saturating_sub(1)) };
    format!("{}{}", "━".repeat(filled), "─".repeat(width - filled))
}

//! Results on standard output; progress on standard error.

use crate::text::printable::{json_lines, our_lines, our_styled_lines, without_backtrace};
use anyhow::{Context, Result};
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;
use std::borrow::Cow;
use std::io::{self, ErrorKind, IsTerminal, Write};

pub(crate) use crate::text::printable::one_line;

/// Prints our own lines and a final line break. Callers pass text of others through [`one_line`]; text that was
/// forgotten is made safe here, except for line breaks. A closed pipe (`| head`) is not an error.
pub(crate) fn print_line(text: &str) -> Result<()> {
    write_out(format!("{}\n", our_lines(text)).as_bytes())
}

/// Like `print_line`, but keeps colour sequences.
pub fn print_styled(text: &str) -> Result<()> {
    write_out(format!("{}\n", our_styled_lines(text)).as_bytes())
}

/// Prints one JSON value on several lines, with control characters as `\uXXXX`.
pub(crate) fn print_json(value: &(impl Serialize + ?Sized)) -> Result<()> {
    let json = serde_json::to_string_pretty(value).context("cannot write the result as JSON")?;
    write_out(format!("{}\n", json_lines(&json)).as_bytes())
}

/// Prints a file's content: unchanged into a file or a pipe, safe as with [`print_line`] on a terminal.
pub(crate) fn print_document(bytes: &[u8]) -> Result<()> {
    if io::stdout().is_terminal() {
        return write_out(our_lines(&String::from_utf8_lossy(bytes)).as_bytes());
    }
    write_out(bytes)
}

fn write_out(bytes: &[u8]) -> Result<()> {
    match try_write_out(bytes) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(error).context("cannot write the result"),
        _ => Ok(()),
    }
}

/// Writes to standard output at once; the caller handles a closed pipe.
pub(crate) fn try_write_out(bytes: &[u8]) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(bytes).and_then(|()| stdout.flush())
}

/// A progress bar with count and time left, on a terminal only; the caller sets its length.
pub(crate) fn progress_bar(what: &'static str) -> ProgressBar {
    let bar = ProgressBar::new(0).with_message(what);
    match ProgressStyle::with_template("{bar:30} {pos}/{len} {msg}, {eta} left") {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

/// Prints one line on standard error. A full or closed standard error is ignored.
pub fn say(text: &str) {
    let _ = writeln!(io::stderr(), "{}", one_line(&within(without_backtrace(text))));
}

/// Maximum length of a message in bytes; it may quote a very long line.
const LONGEST_MESSAGE: usize = 3000;
/// Bytes kept at its end, which holds the reason.
const END_OF_MESSAGE: usize = 1000;

/// The message, without its middle if it is too long.
pub(crate) fn within(text: &str) -> Cow<'_, str> {
    if text.len() <= LONGEST_MESSAGE {
        return Cow::Borrowed(text);
    }
    // Neither cut may split a letter.
    let start = (0..=LONGEST_MESSAGE - END_OF_MESSAGE).rfind(|place| text.is_char_boundary(*place)).unwrap_or(0);
    let end =
        (text.len() - END_OF_MESSAGE..text.len()).find(|place| text.is_char_boundary(*place)).unwrap_or(text.len());
    Cow::Owned(format!("{} … {}", &text[..start], &text[end..]))
}

/// Like [`say`], for several lines of our own; keeps colour sequences.
pub fn say_styled(text: &str) {
    let _ = writeln!(io::stderr(), "{}", our_styled_lines(text));
}

/// A number with its noun, such as "1 row" or "2 rows".
pub(crate) fn count(number: usize, what: &str) -> String {
    if number == 1 { format!("1 {what}") } else { format!("{number} {what}s") }
}

/// Columns of the terminal on standard output; unlimited for a file or a pipe.
pub fn terminal_width() -> usize {
    if !io::stdout().is_terminal() {
        return usize::MAX;
    }
    usize::from(crate::terminal::size::terminal_size().0)
}

//! Lines of the input: limited in length, and text.

use anyhow::{Context, Result};
use std::io::{BufRead, Read};

/// Size limit of a line, bytes.
const LONGEST_LINE: u64 = 1 << 16;

/// One line of the input.
pub(super) enum Line {
    Text(String),
    /// A line that cannot be a command, and what is wrong with it.
    Unusable(String),
    End,
}

/// Reads up to the next newline or the end. A line that is too long is read to its end and refused.
pub(super) fn read_line(input: &mut impl BufRead) -> Result<Line> {
    let mut bytes = Vec::new();
    let mut limited = input.by_ref().take(LONGEST_LINE);
    limited.read_until(b'\n', &mut bytes).context("cannot read standard input")?;
    if bytes.is_empty() {
        return Ok(Line::End);
    }
    if bytes.len() as u64 == LONGEST_LINE && !bytes.ends_with(b"\n") {
        input.skip_until(b'\n').context("cannot read standard input")?;
        return Ok(Line::Unusable(format!("expected a line of at most {LONGEST_LINE} bytes, found a longer one")));
    }
    match String::from_utf8(bytes) {
        Ok(text) => Ok(Line::Text(text)),
        Err(_) => Ok(Line::Unusable("expected text in UTF-8, found other bytes".to_owned())),
    }
}

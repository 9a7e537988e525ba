//! Parses TOML with short messages. The library's own message contains the whole line, which may be a megabyte.

use super::printable::beginning;
use serde::de::DeserializeOwned;
use std::fmt;

/// Maximum length of the reason in letters, because it quotes keys and values.
const SHOWN: usize = 300;

/// An error in a text, with its place.
#[derive(Debug, thiserror::Error)]
pub struct TomlError {
    pub reason: String,
    /// Line and column, from 1.
    pub place: Option<(usize, usize)>,
}

impl fmt::Display for TomlError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.place {
            Some((line, column)) => write!(formatter, "line {line}, column {column}: {}", self.reason),
            None => formatter.write_str(&self.reason),
        }
    }
}

/// Parses a text as `T`.
///
/// # Errors
/// Fails with the first error, on one line.
pub fn parse<T: DeserializeOwned>(text: &str) -> Result<T, TomlError> {
    toml::from_str(text).map_err(|error| TomlError {
        reason: beginning(error.message(), SHOWN),
        place: error.span().map(|span| place_of(text, span.start)),
    })
}

fn place_of(text: &str, offset: usize) -> (usize, usize) {
    let before = text.get(..offset).unwrap_or(text);
    let line_start = before.rfind('\n').map_or(0, |end| end + 1);
    (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
}

#[cfg(test)]
mod tests {
    use crate::text::toml_text::*;

    #[test]
    fn the_place_is_said_and_the_line_is_not_quoted() {
        let text = format!("a = 1\nü = {}", "[".repeat(100_000));
        let message = parse::<toml::Table>(&text).unwrap_err().to_string();
        assert!(message.starts_with("line 2, column ") && message.len() < 400, "{message}");
        let message = parse::<toml::Table>("a = 1\n  \"é\" = 2\na = 3").unwrap_err().to_string();
        assert_eq!(message, "line 3, column 1: duplicate key");
    }
}

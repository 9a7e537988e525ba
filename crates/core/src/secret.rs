//! Keys and passwords, and removing them from the texts of servers.
//!
//! Servers may repeat a key that they were sent: whole or cut, in capitals, with spaces or escapes in it, in base64. So
//! only letters and digits are compared, and any `PIECE` of them in a row is hidden.

use crate::files::input_file;
use crate::text::printable::{beginning, is_printable};
use anyhow::{Context, Result, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::collections::HashSet;
use std::fmt;
use std::path::Path;

/// Replaces the key in messages.
const HIDDEN: &str = "[key]";
/// Longest key file in bytes; signed tokens have a few thousand.
const LONGEST: u64 = 1 << 16;
/// Length of the shortest hidden piece. Shorter ones reveal nothing, and ordinary words would be hidden, too.
const PIECE: usize = 6;
/// Maximum number of shown letters.
const SHOWN: usize = 300;

/// A key or a password; `Debug` does not show it.
#[derive(Clone)]
pub struct Secret {
    text: String,
    /// Pieces of the key, and of its base64 and hexadecimal spellings; empty for a key of less than a piece.
    pieces: HashSet<Vec<u8>>,
}

impl Secret {
    /// A secret of ASCII letters, digits and signs.
    pub fn new(text: &str) -> Self {
        let hexadecimal = text.bytes().fold(String::new(), |spelled, byte| spelled + &format!("{byte:02x}"));
        let mut spellings = vec![text.to_owned(), hexadecimal];
        // The base64 letters of a key depend on its position: after "Bearer ", alone, after a user's name.
        for before in 0..3 {
            let encoded = STANDARD.encode([&vec![b'.'; before], text.as_bytes()].concat());
            // The outer letters also depend on the neighbouring bytes.
            let inner = encoded.get(if before == 0 { 0 } else { 4 }..encoded.len().saturating_sub(4));
            spellings.extend(inner.map(str::to_owned));
        }
        let mut pieces = HashSet::new();
        for spelling in &spellings {
            let letters: Vec<u8> = spelling.bytes().filter_map(letter_of_key).collect();
            pieces.extend(letters.windows(PIECE).map(<[u8]>::to_vec));
        }
        Self { text: text.to_owned(), pieces }
    }

    /// Reads a secret from `file` if given, else from an environment variable; `None` if neither exists. `what` names it in
    /// messages, such as "a key".
    ///
    /// # Errors
    /// Fails if the file cannot be read or holds nothing that can be sent.
    pub fn find(file: Option<&Path>, variable: &str, what: &str) -> Result<Option<Self>> {
        let (text, from) = match file {
            Some(path) => {
                let text = input_file::read_text(path, LONGEST);
                let text = text.with_context(|| format!("cannot read the key file {}", path.display()))?;
                (text, path.display().to_string())
            }
            None => match std::env::var(variable) {
                Ok(text) if !text.trim().is_empty() => (text, variable.to_owned()),
                _ => return Ok(None),
            },
        };
        let parse = |text: &str| -> Result<Self> {
            ensure!(!text.is_empty(), "found nothing");
            let is_plain = text.bytes().all(|byte| byte.is_ascii_graphic());
            ensure!(is_plain, "found spaces, line breaks or letters beyond ASCII");
            Ok(Self::new(text))
        };
        parse(text.trim()).with_context(|| format!("{from}: expected {what}")).map(Some)
    }

    /// The key itself, to be sent.
    pub fn reveal(&self) -> &str {
        &self.text
    }

    /// The text without the key and its pieces.
    pub fn hide_in(&self, text: &str) -> String {
        let whole = if self.text.is_empty() { text.to_owned() } else { text.replace(&self.text, HIDDEN) };
        let letters = letters_of(&whole);
        let compared: Vec<u8> = letters.iter().map(|letter| letter.letter).collect();
        let mut shown = String::with_capacity(whole.len());
        let (mut copied, mut place) = (0, 0);
        while place + PIECE <= compared.len() {
            if !self.pieces.contains(&compared[place..place + PIECE]) {
                place += 1;
                continue;
            }
            let mut last = place + PIECE - 1;
            while last + 1 < compared.len() && self.pieces.contains(&compared[last + 2 - PIECE..last + 2]) {
                last += 1;
            }
            shown.push_str(&whole[copied..letters[place].start]);
            shown.push_str(HIDDEN);
            copied = letters[last].end;
            place = last + 1;
        }
        shown.push_str(&whole[copied..]);
        shown
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(HIDDEN)
    }
}

/// A server's text for a message: without secrets, on one line, printable, short. Secrets are hidden
/// first, because a cut key would not be found.
pub fn excerpt(text: &str, secrets: &[Secret]) -> String {
    let hidden = secrets.iter().fold(text.to_owned(), |text, secret| secret.hide_in(&text));
    let plain: String = hidden.chars().map(|letter| if is_printable(letter) { letter } else { ' ' }).collect();
    let plain = plain.split_whitespace().collect::<Vec<_>>().join(" ");
    if plain.is_empty() {
        return "nothing".into();
    }
    beginning(&plain, SHOWN)
}

/// A letter or digit of a text and its byte range.
struct Spelled {
    letter: u8,
    start: usize,
    end: usize,
}

/// Letters and digits of a text, including escaped ones.
fn letters_of(text: &str) -> Vec<Spelled> {
    let bytes = text.as_bytes();
    let mut letters = Vec::new();
    let mut start = 0;
    while start < bytes.len() {
        let (byte, length) = escape_at(&bytes[start..]).unwrap_or((bytes[start], 1));
        let end = start + length;
        if let Some(letter) = letter_of_key(byte) {
            letters.push(Spelled { letter, start, end });
        }
        start = end;
    }
    letters
}

fn letter_of_key(byte: u8) -> Option<u8> {
    byte.is_ascii_alphanumeric().then(|| byte.to_ascii_lowercase())
}

/// Parses an escape, such as `%73`, `\x73`, `\u0073`, `&#115;`, `&#x73;` or `\n`, into its byte and its length.
fn escape_at(bytes: &[u8]) -> Option<(u8, usize)> {
    let digits = |from: usize, to: usize, base: u32| {
        let text = std::str::from_utf8(bytes.get(from..to)?).ok()?;
        u8::from_str_radix(text, base).ok()
    };
    match bytes {
        [b'%', ..] => Some((digits(1, 3, 16)?, 3)),
        [b'\\', b'x', ..] => Some((digits(2, 4, 16)?, 4)),
        [b'\\', b'u', b'0', b'0', ..] => Some((digits(4, 6, 16)?, 6)),
        [b'\\', b'n' | b'r' | b't' | b'b' | b'f', ..] => Some((b' ', 2)),
        [b'&', b'#', ..] => {
            let end = bytes.iter().take(8).position(|byte| *byte == b';')?;
            let (from, base) = if matches!(bytes[2], b'x' | b'X') { (3, 16) } else { (2, 10) };
            Some((digits(from, end, base)?, end + 1))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "sk-SECRETsecret-0123456789abcdefXYZ";

    fn pieces_left(text: &str) -> Vec<String> {
        let lower = text.to_lowercase();
        let key: Vec<char> = KEY.to_lowercase().chars().collect();
        key.windows(8).map(|piece| piece.iter().collect()).filter(|piece: &String| lower.contains(piece)).collect()
    }

    #[test]
    fn a_key_is_hidden_however_it_is_spelled() {
        let secret = Secret::new(KEY);
        let bytewise = |spell: fn(u8) -> String| KEY.bytes().map(spell).collect::<Vec<_>>().concat();
        let percent = bytewise(|byte| format!("%{byte:02X}"));
        let escaped = bytewise(|byte| format!("\\u{byte:04x}"));
        let hexadecimal = bytewise(|byte| format!("{byte:02x}"));
        for spelled in [
            KEY.to_owned(),
            KEY.to_uppercase(),
            KEY[..20].to_owned(),
            KEY[9..].to_owned(),
            format!("{}\n  {}", &KEY[..10], &KEY[10..]),
            format!("{}\\n{}\u{200b}{}", &KEY[..12], &KEY[12..20], &KEY[20..]),
            KEY.replace('-', "%2D"),
            KEY.replace("RET", "\\u0052ET"),
        ] {
            let shown = secret.hide_in(&format!("before {spelled} after"));
            assert!(pieces_left(&shown).is_empty(), "{spelled}: {shown}");
            assert!(shown.starts_with("before [key]") && shown.ends_with(" after"), "{spelled}: {shown}");
        }
        for spelled in [
            percent,
            escaped,
            hexadecimal,
            STANDARD.encode(KEY),
            STANDARD.encode(format!("Bearer {KEY}")),
            STANDARD.encode(format!("user:{KEY}")),
        ] {
            let shown = secret.hide_in(&spelled);
            assert!(shown.contains(HIDDEN), "{spelled}: {shown}");
            assert!(shown.len() < spelled.len() / 2, "{spelled}: {shown}");
        }
    }

    #[test]
    fn other_texts_stay_as_they_are() {
        let secret = Secret::new(KEY);
        for text in ["", "%", "100 %", "\\", "&#", "&#x;", "caf\u{e9} \u{1f600} 01234 secre", "sample-reader"] {
            assert_eq!(secret.hide_in(text), text);
        }
        assert_eq!(Secret::new("k1").hide_in("is k1 right?"), "is [key] right?");
    }

    #[test]
    fn a_key_is_hidden_before_the_text_is_cut() {
        let secrets = [Secret::new(KEY)];
        for before in 250..310 {
            let shown = excerpt(&format!("{} {KEY}", "A".repeat(before)), &secrets);
            assert!(pieces_left(&shown).is_empty(), "{shown}");
        }
    }

    #[test]
    fn what_others_say_cannot_drive_the_terminal() {
        assert_eq!(excerpt("\u{1b}[2J\u{7}oh\n\n  \u{202e}dear\u{200b}", &[]), "[2J oh dear");
        assert_eq!(excerpt(&"x".repeat(1000), &[]).chars().count(), SHOWN + 1);
        assert_eq!(excerpt(" \n", &[]), "nothing");
    }
}

//! Parses JSON of other programs without loss: every key in order, numbers as digits, Python's `NaN` and
//! infinities recognised.
//!
//! Parsers that use a map and `f64` hide repeated keys and make the same number of two patients' ids above
//! 2^53. Strings are parsed by `serde_json`.

use std::fmt;

/// Maximum nesting of lists and objects; `serde_json` accepts 128.
const DEEPEST: usize = 64;

/// A JSON value.
#[derive(Clone, Debug, PartialEq)]
pub enum Written {
    Null,
    Bool(bool),
    /// The digits as in the file.
    Number(String),
    /// `NaN`, `Infinity` or `-Infinity`, which Python writes but JSON does not allow.
    NotFinite(&'static str),
    Text(String),
    List(Vec<Written>),
    /// In the order of the file; a key may be repeated (`Written::repeated_key`).
    Object(Vec<(String, Written)>),
}

/// An error and its byte offset in the text, from 0.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message} at column {}", .offset + 1)]
pub struct WrittenError {
    pub message: String,
    pub offset: usize,
}

impl Written {
    /// Parses a text that is one value.
    ///
    /// # Errors
    /// Fails if the text is not JSON or is nested deeper than 64 levels.
    pub fn parse(bytes: &[u8]) -> Result<Self, WrittenError> {
        Self::parse_utf8(bytes).map_err(|error| match std::str::from_utf8(bytes) {
            // `serde_json` reports an invalid code point; the byte says more.
            Err(other) => WrittenError {
                message: format!(
                    "found the byte 0x{:02X}, which is not UTF-8 (Latin-1 or another encoding? save the file as UTF-8)",
                    bytes[other.valid_up_to()]
                ),
                offset: other.valid_up_to(),
            },
            Ok(_) => error,
        })
    }

    fn parse_utf8(bytes: &[u8]) -> Result<Self, WrittenError> {
        let mut parser = Parser { bytes, at: 0 };
        let value = parser.value(0)?;
        parser.skip_space();
        match parser.bytes.get(parser.at) {
            None => Ok(value),
            Some(_) => Err(parser.what_follows()),
        }
    }

    /// Parses a line that is one object without repeated keys of different values.
    ///
    /// # Errors
    /// Fails if the line is anything else; for a list, the message says how to convert it into lines.
    pub fn parse_line(line: &[u8]) -> Result<Self, String> {
        let line = line.trim_ascii();
        let list = if line.starts_with(b"[") { "; `jq -c '.[]' FILE` converts a list into lines" } else { "" };
        match Self::parse(line) {
            Ok(object @ Self::Object(_)) => match object.repeated_key() {
                Some(key) => Err(format!("the key {key:?} appears twice with different values")),
                None => Ok(object),
            },
            Ok(other) => Err(format!("expected a JSON object {{…}} on one line, found {}{list}", other.kind())),
            Err(error) => Err(format!("not valid JSON: {error}; expected one object on one line{list}")),
        }
    }

    /// The value of a key of an object; the last one if the key is repeated.
    pub fn get(&self, key: &str) -> Option<&Self> {
        let Self::Object(entries) = self else { return None };
        entries.iter().rev().find(|(name, _)| name == key).map(|(_, value)| value)
    }

    /// The text, if the value is one.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The number, if the value is one; infinite beyond the range of `f64`.
    pub fn as_f64(&self) -> Option<f64> {
        match self {
            Self::Number(digits) => digits.parse().ok(),
            _ => None,
        }
    }

    /// The first key, in this object or below, that one object repeats with different values.
    pub(crate) fn repeated_key(&self) -> Option<&str> {
        match self {
            Self::List(items) => items.iter().find_map(Self::repeated_key),
            Self::Object(entries) => repeated(entries)
                .find(|(_, differs)| *differs)
                .map(|(key, _)| key)
                .or_else(|| entries.iter().find_map(|(_, value)| value.repeated_key())),
            _ => None,
        }
    }

    /// The kind of the value, for messages.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "true or false",
            Self::Number(_) => "a number",
            Self::NotFinite(word) => word,
            Self::Text(_) => "a text",
            Self::List(_) => "a list",
            Self::Object(_) => "an object",
        }
    }
}

/// Displays the value shortened, for a message.
impl fmt::Display for Written {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bool(value) => write!(formatter, "{value}"),
            Self::Number(digits) => write!(formatter, "{digits:.40}"),
            Self::Text(text) => write!(formatter, "{:?}", text.chars().take(60).collect::<String>()),
            other => formatter.write_str(other.kind()),
        }
    }
}

/// The repeated keys, each once, and whether their values differ.
pub fn repeated(entries: &[(String, Written)]) -> impl Iterator<Item = (&str, bool)> {
    // Sorted, because a hostile object may have a million keys.
    let mut order: Vec<&(String, Written)> = entries.iter().collect();
    order.sort_by(|one, other| one.0.cmp(&other.0));
    let mut found = Vec::new();
    for same in order.chunk_by(|one, other| one.0 == other.0) {
        if same.len() > 1 {
            found.push((same[0].0.as_str(), same.iter().any(|entry| entry.1 != same[0].1)));
        }
    }
    found.into_iter()
}

struct Parser<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Parser<'_> {
    fn value(&mut self, depth: usize) -> Result<Written, WrittenError> {
        if depth > DEEPEST {
            return Err(self.error(format!("expected at most {DEEPEST} nested lists and objects, found more")));
        }
        self.skip_space();
        match self.bytes.get(self.at) {
            None => Err(self.error("the text ends within a value")),
            Some(b'"') => self.string().map(Written::Text),
            Some(b'[') => self.list(depth),
            Some(b'{') => self.object(depth),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(_) => self.word(),
        }
    }

    fn list(&mut self, depth: usize) -> Result<Written, WrittenError> {
        self.at += 1;
        let mut items = Vec::new();
        if self.takes(b']') {
            return Ok(Written::List(items));
        }
        loop {
            items.push(self.value(depth + 1)?);
            if self.takes(b']') {
                return Ok(Written::List(items));
            }
            self.expect(b',', "expected , or ] in a list")?;
            if self.is_next(b']') {
                return Err(self.error("found a comma after the last item of a list"));
            }
        }
    }

    fn object(&mut self, depth: usize) -> Result<Written, WrittenError> {
        self.at += 1;
        let mut entries = Vec::new();
        if self.takes(b'}') {
            return Ok(Written::Object(entries));
        }
        loop {
            if !self.is_next(b'"') {
                return Err(self.error("expected a key in double quotes"));
            }
            let key = self.string()?;
            self.expect(b':', "expected : after a key")?;
            entries.push((key, self.value(depth + 1)?));
            if self.takes(b'}') {
                return Ok(Written::Object(entries));
            }
            self.expect(b',', "expected , or } in an object")?;
            if self.is_next(b'}') {
                return Err(self.error("found a comma after the last field of an object"));
            }
        }
    }

    /// Finds the closing quote; `serde_json` parses the text between the quotes.
    fn string(&mut self) -> Result<String, WrittenError> {
        let begin = self.at;
        let mut end = begin + 1;
        loop {
            match memchr::memchr2(b'"', b'\\', &self.bytes[end..]) {
                None => {
                    self.at = self.bytes.len();
                    return Err(self.error("the text ends within a string"));
                }
                Some(place) if self.bytes[end + place] == b'"' => {
                    end += place + 1;
                    break;
                }
                // An escaped character may be a quote.
                Some(place) => end = (end + place + 2).min(self.bytes.len()),
            }
        }
        let text = serde_json::from_slice(&self.bytes[begin..end]).map_err(|error| {
            let text = error.to_string();
            let reason = text.split(" at line ").next().unwrap_or(&text).to_owned();
            WrittenError { message: reason, offset: begin + error.column().saturating_sub(1) }
        })?;
        self.at = end;
        Ok(text)
    }

    /// A number by JSON's grammar: no leading zero, no empty part.
    fn number(&mut self) -> Result<Written, WrittenError> {
        let rest = &self.bytes[self.at..];
        if rest.starts_with(b"-I") {
            return self.word();
        }
        let length = rest.iter().position(|byte| !matches!(byte, b'-' | b'+' | b'.' | b'e' | b'E' | b'0'..=b'9'));
        let digits = &rest[..length.unwrap_or(rest.len())];
        if !is_number(digits) {
            return Err(self.error("not a valid JSON number"));
        }
        self.at += digits.len();
        Ok(Written::Number(String::from_utf8_lossy(digits).into_owned()))
    }

    fn word(&mut self) -> Result<Written, WrittenError> {
        let words = [
            ("null", Written::Null),
            ("true", Written::Bool(true)),
            ("false", Written::Bool(false)),
            ("NaN", Written::NotFinite("NaN")),
            ("Infinity", Written::NotFinite("Infinity")),
            ("-Infinity", Written::NotFinite("-Infinity")),
        ];
        for (word, value) in words {
            if self.bytes[self.at..].starts_with(word.as_bytes()) {
                self.at += word.len();
                return Ok(value);
            }
        }
        Err(match self.bytes[self.at] {
            0 => self.error("found a NUL byte"),
            b'\'' => self.error("expected a text in double quotes, found a single quote"),
            _ => self.error("expected a value"),
        })
    }

    /// The error for bytes after a whole value.
    fn what_follows(&self) -> WrittenError {
        match self.bytes[self.at] {
            b',' => self.error("found a comma after the value"),
            0 => self.error("found a NUL byte"),
            _ if self.bytes[..self.at].contains(&b'\r') => {
                self.error("lines end in a lone carriage return; expected a line feed (\\n); found the next line")
            }
            _ => self.error("found more after the value"),
        }
    }

    fn skip_space(&mut self) {
        while matches!(self.bytes.get(self.at), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn is_next(&mut self, byte: u8) -> bool {
        self.skip_space();
        self.bytes.get(self.at) == Some(&byte)
    }

    fn takes(&mut self, byte: u8) -> bool {
        let is_there = self.is_next(byte);
        self.at += usize::from(is_there);
        is_there
    }

    fn expect(&mut self, byte: u8, message: &str) -> Result<(), WrittenError> {
        if self.takes(byte) {
            return Ok(());
        }
        Err(if self.at == self.bytes.len() { self.error("the text ends within a value") } else { self.error(message) })
    }

    fn error(&self, message: impl Into<String>) -> WrittenError {
        WrittenError { message: message.into(), offset: self.at }
    }
}

fn is_number(text: &[u8]) -> bool {
    fn digits(text: &[u8]) -> usize {
        text.iter().take_while(|byte| byte.is_ascii_digit()).count()
    }
    let mut rest = text.strip_prefix(b"-").unwrap_or(text);
    let whole = digits(rest);
    if whole == 0 || (whole > 1 && rest[0] == b'0') {
        return false;
    }
    rest = &rest[whole..];
    if let Some(fraction) = rest.strip_prefix(b".") {
        let count = digits(fraction);
        if count == 0 {
            return false;
        }
        rest = &fraction[count..];
    }
    if let Some(exponent) = rest.strip_prefix(b"e").or_else(|| rest.strip_prefix(b"E")) {
        let exponent = exponent.strip_prefix(b"-").or_else(|| exponent.strip_prefix(b"+")).unwrap_or(exponent);
        return !exponent.is_empty() && digits(exponent) == exponent.len();
    }
    rest.is_empty()
}

#[cfg(test)]
mod tests {
    use crate::text::written_json::*;

    fn parse(text: &str) -> Written {
        Written::parse(text.as_bytes()).unwrap()
    }

    #[test]
    fn a_byte_of_another_encoding_is_named_with_its_place() {
        let error = Written::parse_line(b"{\"a\":\"M\xFCller\"}").unwrap_err();
        assert!(error.contains("found the byte 0xFC, which is not UTF-8") && error.contains("column 8"), "{error}");
    }

    #[test]
    fn digits_and_python_words_stay_as_they_are() {
        let value = parse(r#" {"id": 123456789012345678901, "p": [-0.50, NaN, -Infinity, 1e400], "q": "a\"\u00e9"} "#);
        assert_eq!(value.get("id"), Some(&Written::Number("123456789012345678901".into())));
        let list = [
            Written::Number("-0.50".into()),
            Written::NotFinite("NaN"),
            Written::NotFinite("-Infinity"),
            Written::Number("1e400".into()),
        ];
        assert_eq!(value.get("p"), Some(&Written::List(list.to_vec())));
        assert_eq!(value.get("q").and_then(Written::as_text), Some("a\"\u{e9}"));
    }

    #[test]
    fn keys_that_stand_twice_are_found_at_any_depth() {
        assert_eq!(parse(r#"{"a":1,"b":{"c":[{"d":1,"d":2}]}}"#).repeated_key(), Some("d"));
        assert_eq!(parse(r#"{"a":1,"\u0061":2}"#).repeated_key(), Some("a"));
        assert_eq!(parse(r#"{"a":1,"a":1,"b":{"a":2}}"#).repeated_key(), None);
    }

    #[test]
    fn what_is_no_json_is_named_with_its_column() {
        let deep = "[".repeat(10_000);
        for (text, message) in [
            ("", "the text ends within a value at column 1"),
            (r#"{"a":1"#, "the text ends within a value at column 7"),
            (r#"{"a":1,}"#, "found a comma after the last field of an object at column 8"),
            ("[1,]", "found a comma after the last item of a list at column 4"),
            ("{},", "found a comma after the value at column 3"),
            ("{}\0", "found a NUL byte at column 3"),
            ("{}\r{}", "lines end in a lone carriage return"),
            ("{'a':1}", "expected a key in double quotes at column 2"),
            ("01", "not a valid JSON number at column 1"),
            ("1.", "not a valid JSON number at column 1"),
            (r#"{"a":"x"#, "the text ends within a string at column 8"),
            ("\"a\tb\"", "control character"),
            (&deep, "expected at most 64 nested lists and objects"),
        ] {
            let error = Written::parse(text.as_bytes()).unwrap_err().to_string();
            assert!(error.starts_with(message) || error.contains(message), "{text:.20}: {error}");
        }
    }

    #[test]
    fn what_serde_json_takes_is_taken_and_nothing_else() {
        for text in ["-0", "1E+2", "0.0e-0", "[]", "{}", "\"\"", " true ", "[[1],{\"a\":null}]"] {
            assert!(serde_json::from_str::<serde_json::Value>(text).is_ok() && Written::parse(text.as_bytes()).is_ok());
        }
        for text in ["+1", ".5", "1e", "-", "tru", "[1 2]", "{1:2}", "\"\\x\"", "nullx"] {
            assert!(serde_json::from_str::<serde_json::Value>(text).is_err(), "{text}");
            assert!(Written::parse(text.as_bytes()).is_err(), "{text}");
        }
    }
}

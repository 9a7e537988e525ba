//! Makes other people's texts safe to print: names, paths, captions, notes, servers' answers (issue 18, C1).
//!
//! Terminals execute control characters (OSC 52 sets the clipboard), reorder text with bidirectional characters,
//! and do not show zero-width characters, so that two names look the same. Each such character is replaced by one
//! visible character, so columns and positions stay the same.
//!
//! | character | becomes |
//! |---|---|
//! | line break, tab and similar (also U+0085, U+2028, U+2029) | a space |
//! | other C0 controls and DEL | their picture: `␛`, `␇`, `␡` |
//! | C1 controls, bidirectional and other format characters (Unicode `Cf`), invisible fillers, tags | `\u{fffd}` |
//! | U+200C and U+200D after a letter outside ASCII | stay: Persian, Hindi and emoji need them |
//!
//! Combining marks and variation selectors stay, too: they are parts of letters.

use std::borrow::Cow;
use std::fmt::{self, Display, Write};

/// Displays another's text on one line, without control characters.
pub struct Printable<'a>(pub &'a str);

impl Display for Printable<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        letters(self.0).try_for_each(|(_, letter)| formatter.write_char(letter))
    }
}

/// Like [`Printable`], as a string.
pub fn one_line(text: &str) -> String {
    letters(text).map(|(_, letter)| letter).collect()
}

/// An error with its causes, without a backtrace (see [`without_backtrace`]).
pub fn message_of(error: &anyhow::Error) -> String {
    let message = format!("{error:#}");
    without_backtrace(&message).to_string()
}

/// The text up to the first frame of a backtrace: candle adds one to each message if `RUST_BACKTRACE` is set.
pub fn without_backtrace(text: &str) -> &str {
    text.find("\n   0: ").map_or(text, |start| &text[..start])
}

/// The beginning of a long text, for a message: at most `most` letters, on one line.
pub fn beginning(text: &str, most: usize) -> String {
    let mut shown = letters(text).map(|(_, letter)| letter);
    let start: String = shown.by_ref().take(most).collect();
    if shown.next().is_none() { start } else { start + "…" }
}

/// Whether the character is visible: neither a control character, nor invisible, nor a change of direction.
pub fn is_printable(letter: char) -> bool {
    shown(letter, '\0') == letter
}

/// The letters as they are shown, each with its byte in `text`.
pub fn letters(text: &str) -> impl Iterator<Item = (usize, char)> + Clone {
    let mut before = '\0';
    text.char_indices().map(move |(start, letter)| {
        let shown = shown(letter, before);
        before = letter;
        (start, shown)
    })
}

/// Like [`one_line`], but keeps line breaks and tabs. For our own lines, in case they contain unescaped text of others.
pub fn our_lines(text: &str) -> Cow<'_, str> {
    if text.bytes().all(|byte| matches!(byte, b' '..=b'~' | b'\n' | b'\t')) {
        return Cow::Borrowed(text);
    }
    let original = text.chars();
    let keep = |(letter, (_, shown))| if matches!(letter, '\n' | '\t') { letter } else { shown };
    Cow::Owned(original.zip(letters(text)).map(keep).collect())
}

/// Like [`our_lines`], but keeps sequences for colours and weights (ESC [ … m).
pub fn our_styled_lines(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find("\x1b[") {
        let after = &rest[start + 2..];
        let end = after.find(|letter: char| !matches!(letter, '0'..='9' | ';')).unwrap_or(after.len());
        let is_style = after[end..].starts_with('m');
        safe.push_str(&our_lines(&rest[..start]));
        safe.push_str(if is_style { &rest[start..start + 3 + end] } else { "␛[" });
        rest = if is_style { &after[end + 1..] } else { after };
    }
    safe.push_str(&our_lines(rest));
    safe
}

/// Escapes these characters in serialised JSON as `\uXXXX`, which gives equivalent JSON.
/// serde escapes C0 controls only.
pub fn json_lines(json: &str) -> Cow<'_, str> {
    if json.bytes().all(|byte| matches!(byte, b' '..=b'~' | b'\n')) {
        return Cow::Borrowed(json);
    }
    let mut safe = String::with_capacity(json.len());
    for (letter, (_, shown)) in json.chars().zip(letters(json)) {
        if letter == shown || letter == '\n' {
            safe.push(letter);
            continue;
        }
        for unit in letter.encode_utf16(&mut [0; 2]) {
            safe.push_str(&format!("\\u{unit:04x}"));
        }
    }
    Cow::Owned(safe)
}

fn shown(letter: char, before: char) -> char {
    match letter {
        ' '..='~' => letter,
        '\t'..='\r' | '\u{85}' | '\u{2028}' | '\u{2029}' => ' ',
        '\0'..='\u{1f}' => char::from_u32(0x2400 + u32::from(letter)).unwrap_or(char::REPLACEMENT_CHARACTER),
        '\u{7f}' => '␡',
        '\u{200c}' | '\u{200d}' if !before.is_ascii() && !is_unseen(before) => letter,
        _ if is_unseen(letter) => char::REPLACEMENT_CHARACTER,
        _ => letter,
    }
}

/// Whether the character is a C1 control, of category Cf of Unicode 17, or one of the other invisible characters
/// (Default_Ignorable_Code_Point) that stand alone.
fn is_unseen(letter: char) -> bool {
    matches!(letter,
        '\u{80}'..='\u{9f}' | '\u{ad}' | '\u{34f}' | '\u{600}'..='\u{605}' | '\u{61c}' | '\u{6dd}' | '\u{70f}'
        | '\u{890}' | '\u{891}' | '\u{8e2}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180e}'
        | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{feff}'
        | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{110bd}' | '\u{110cd}' | '\u{13430}'..='\u{1343f}'
        | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e00ff}'
        | '\u{e01f0}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use crate::text::printable::*;
    use proptest::prelude::*;

    #[test]
    fn what_a_terminal_obeys_or_hides_is_seen() {
        assert_eq!(one_line("\x1b]52;c;eA==\x07"), "␛]52;c;eA==␇");
        assert_eq!(one_line("a\nb\r\tc\u{2028}d\u{85}e\u{7f}"), "a b  c d e␡");
        for unseen in "\u{9b}\u{202e}\u{2066}\u{200e}\u{61c}\u{200b}\u{feff}\u{ad}\u{e0041}\u{fff9}\u{3164}".chars() {
            assert_eq!(one_line(&format!("a{unseen}b")), "a\u{fffd}b", "{unseen:?}");
        }
    }

    #[test]
    fn writing_systems_and_emoji_stay_as_they_are() {
        for text in ["می‌خواهم", "क्‍ष", "👩‍⚕️", "e\u{301}", "葛\u{e0100}", "超音波検査", "عربي", "mm²"]
        {
            assert_eq!((one_line(text).as_str(), Printable(text).to_string().as_str()), (text, text));
        }
        assert_eq!(one_line("ad\u{200d}min"), "ad\u{fffd}min", "nothing that joins hides between these letters");
    }

    #[test]
    fn our_own_lines_and_colours_stay() {
        assert_eq!(our_lines("a\tb\nc\x1b[2J"), "a\tb\nc␛[2J");
        assert_eq!(our_styled_lines("\x1b[1;4mx\x1b[0m\n\x1b[2J\x1b]0;t\x07\x1b["), "\x1b[1;4mx\x1b[0m\n␛[2J␛]0;t␇␛[");
    }

    #[test]
    fn a_message_has_no_backtrace() {
        let trace = std::backtrace::Backtrace::force_capture();
        let error = anyhow::anyhow!("no such row\n{trace}").context("m/tokenizer.json");
        assert!(format!("{error:#}").contains("a_message_has_no_backtrace"), "{error:#}");
        assert_eq!(message_of(&error), "m/tokenizer.json: no such row");
        assert_eq!(without_backtrace("a\nb"), "a\nb");
    }

    proptest! {
        #[test]
        fn json_keeps_its_value_and_loses_what_a_terminal_obeys(text in any::<String>()) {
            let text = text + "\u{202e}\u{9b}\u{e0041}\u{7f}";
            let json = serde_json::to_string_pretty(&[&text]).unwrap();
            let safe = json_lines(&json);
            prop_assert_eq!(serde_json::from_str::<Vec<String>>(&safe).unwrap(), vec![text]);
            prop_assert!(safe.chars().all(|letter| letter == '\n' || shown(letter, 'é') == letter));
        }

        #[test]
        fn nothing_of_others_breaks_the_line_or_starts_a_sequence(text in any::<String>()) {
            let safe = one_line(&text);
            prop_assert!(!safe.chars().any(char::is_control));
            prop_assert_eq!(safe.chars().count(), text.chars().count());
        }
    }
}

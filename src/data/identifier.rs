//! Identifiers (of cases, documents, patients, tasks, labels): when two of them, written by different programs, are the same.
//!
//! Whole numbers equal themselves however written: JSON's 12, 12.0 and 1.2e1 are `12`, with all digits of any length. Space
//! and invisible characters around a text do not count. A group is compared in Unicode NFC, and the text `12.0` is the whole
//! number there, too: a table with a missing value writes patients so.

use crate::written_json::Written;
use icu_normalizer::{ComposingNormalizerBorrowed, DecomposingNormalizerBorrowed};

/// A number with more digits than this, as 1e999 would have, is kept as it is written.
const MOST_DIGITS: i64 = 400;

/// Text of an identifier; `None` where the value is no text and no number.
pub(crate) fn identifier_of(value: &Written) -> Option<String> {
    match value {
        Written::Text(text) => Some(trimmed(text).to_owned()),
        Written::Number(digits) => Some(of_number(digits)),
        _ => None,
    }
}

/// The text without what cannot be seen at its ends.
pub(crate) fn trimmed(text: &str) -> &str {
    text.trim_matches(is_unseen)
}

/// White space (no-break space among it), zero-width and direction marks.
fn is_unseen(letter: char) -> bool {
    letter.is_whitespace()
        || letter.is_control()
        || matches!(letter, '\u{ad}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

/// A group as it is compared: NFC, and whole numbers as their digits.
pub(crate) fn group_of(text: &str) -> String {
    let text = ComposingNormalizerBorrowed::new_nfc().normalize(trimmed(text)).into_owned();
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(&text);
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
    let is_whole = !whole.is_empty()
        && whole.bytes().all(|byte| byte.is_ascii_digit())
        && fraction.bytes().all(|byte| byte == b'0');
    // Zeros in front are part of a text: patient 007 is not said to be patient 7.
    if is_whole && (whole == "0" || !whole.starts_with('0')) { of_number(&text) } else { text }
}

/// Is the text as [`group_of`] and [`trimmed`] leave it? Seen at a glance of nearly all.
pub(crate) fn is_plain(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ') && !text.starts_with(' ') && !text.ends_with(' ')
}

/// The same, of a group.
pub(crate) fn is_plain_group(text: &str) -> bool {
    is_plain(text) && !text.contains('.') && !text.starts_with(['+', '-'])
}

/// Two identifiers with the same likeness can be taken for one: they differ in case, space, zeros in front or the way that
/// Unicode writes a letter, and in nothing else.
pub(crate) fn likeness(text: &str) -> String {
    let plain = DecomposingNormalizerBorrowed::new_nfkd().normalize(text);
    let letters: String = plain.chars().filter(|letter| !is_unseen(*letter)).flat_map(char::to_lowercase).collect();
    if letters.bytes().all(|byte| byte.is_ascii_digit()) && letters.len() > 1 {
        let digits = letters.trim_start_matches('0');
        return if digits.is_empty() { "0".into() } else { digits.to_owned() };
    }
    letters
}

/// A decimal number in one spelling: a whole one as its digits, another one without zeros at its end.
fn of_number(text: &str) -> String {
    let (sign, unsigned) = match text.strip_prefix('-') {
        Some(rest) => ("-", rest),
        None => ("", text.strip_prefix('+').unwrap_or(text)),
    };
    let (mantissa, exponent) = unsigned.split_once(['e', 'E']).unwrap_or((unsigned, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let Ok(exponent) = exponent.parse::<i64>() else { return text.to_owned() };
    let digits = format!("{whole}{fraction}");
    let significant = digits.trim_start_matches('0').trim_end_matches('0');
    if significant.is_empty() {
        return "0".into();
    }
    // Place of the point, counted from the first significant digit.
    let leading = digits.len() - digits.trim_start_matches('0').len();
    let Some(point) = exponent.checked_add(whole.len() as i64 - leading as i64) else { return text.to_owned() };
    let count = significant.len() as i64;
    if point > count.max(MOST_DIGITS) || point < -MOST_DIGITS {
        return text.to_owned();
    }
    let zeros = |number: i64| "0".repeat(number.max(0) as usize);
    if point >= count {
        return format!("{sign}{significant}{}", zeros(point - count));
    }
    if point <= 0 {
        return format!("{sign}0.{}{significant}", zeros(-point));
    }
    let (before, after) = significant.split_at(point as usize);
    format!("{sign}{before}.{after}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_numbers_equal_themselves_however_written() {
        for same in ["12", "12.0", "1.2e1", "1.20E+1", "120e-1", "+12", "0.012e3"] {
            assert_eq!(of_number(same), "12", "{same}");
        }
        for zero in ["0", "-0", "0.0", "-0.0e9"] {
            assert_eq!(of_number(zero), "0");
        }
        assert_eq!(of_number("-12.0"), "-12");
        assert_eq!((of_number("1.50"), of_number("15e-4")), ("1.5".into(), "0.0015".into()));
        let long = "123456789012345678901";
        assert_eq!((of_number(long), of_number(&format!("{long}.0"))), (long.into(), long.into()));
        for huge in ["1e999999999999", "1e-5000", "1e99999999999999999999"] {
            assert_eq!(of_number(huge), huge, "no memory is spent on it");
        }
    }

    #[test]
    fn groups_are_the_same_patient_in_these_spellings() {
        for same in ["p13", " p13 ", "\u{a0}p13", "p13\u{200b}", "\u{feff}p13\r\n"] {
            assert_eq!(group_of(same), "p13", "{same:?}");
        }
        assert_eq!(group_of("Mu\u{308}ller"), "M\u{fc}ller");
        assert_eq!(["12", "12.0", "+12", "12."].map(group_of), ["12", "12", "12", "12"]);
        assert_eq!(["012", "1.5", "12e1", "a.0", "."].map(group_of), ["012", "1.5", "12e1", "a.0", "."]);
        for plain in ["p13", "patient 7", "12"] {
            assert!(is_plain_group(plain) && group_of(plain) == plain);
        }
        for other in [" p", "p ", "12.0", "+1", "M\u{fc}ller", "p\t"] {
            assert!(!is_plain_group(other), "{other:?}");
        }
    }

    #[test]
    fn alike_is_what_differs_in_case_space_or_spelling_only() {
        for alike in ["P 13", "p13", "p\u{200d}13", "\u{ff50}13"] {
            assert_eq!(likeness(alike), "p13", "{alike:?}");
        }
        assert_eq!(likeness("\u{e9}"), likeness("e\u{301}"));
        assert_eq!((likeness("0012"), likeness("000"), likeness("0")), ("12".into(), "0".into(), "0".into()));
        assert_ne!(likeness("p012"), likeness("p12"));
    }
}

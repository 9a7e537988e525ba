//! Compares identifiers (of cases, documents, patients, tasks, labels) that were written by different programs.
//!
//! Whole numbers are equal in every spelling: JSON's 12, 12.0 and 1.2e1 are `12`, with all digits of any length. Space
//! and invisible characters around a text are ignored. A group, and the id of a case with that of a document, is compared in
//! Unicode NFC, and the text `12.0` equals the number 12 there: tables with a missing value write patients so. `1.10` is not
//! `1.1`: some sites number their patients so.

use crate::text::written_json::Written;
use icu_normalizer::{ComposingNormalizerBorrowed, DecomposingNormalizerBorrowed};
use std::collections::{BTreeMap, BTreeSet};

/// A number with more digits than this, such as 1e999, keeps its spelling.
const MOST_DIGITS: i64 = 400;

/// Text of an identifier; `None` if the value is neither a text nor a number.
pub fn identifier_of(value: &Written) -> Option<String> {
    match value {
        Written::Text(text) => Some(trimmed(text).to_owned()),
        Written::Number(digits) => Some(of_number(digits)),
        _ => None,
    }
}

/// The text without invisible characters at its ends.
pub fn trimmed(text: &str) -> &str {
    text.trim_matches(is_unseen)
}

/// White space (including no-break space), zero-width and direction marks.
fn is_unseen(letter: char) -> bool {
    letter.is_whitespace()
        || letter.is_control()
        || matches!(letter, '\u{ad}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

/// Normalises a group, or an id of a case or document, for comparison: NFC, and whole numbers without `.0`. A text with an
/// exponent stays a text: `12E1` may be a name ([`likeness`] treats it as a number, too).
pub fn group_of(text: &str) -> String {
    let text = ComposingNormalizerBorrowed::new_nfc().normalize(trimmed(text)).into_owned();
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(&text);
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
    let is_whole = !whole.is_empty()
        && whole.bytes().all(|byte| byte.is_ascii_digit())
        && fraction.bytes().all(|byte| byte == b'0');
    // Leading zeros belong to the text: patient 007 is not patient 7.
    if is_whole && (whole == "0" || !whole.starts_with('0')) { of_number(&text) } else { text }
}

/// Whether two identifiers of different files are the same; compared like groups.
pub fn is_same(one: &str, other: &str) -> bool {
    // Nearly all identifiers are plain, and a search compares every row.
    one == other || (!(is_a_name(one) && is_a_name(other)) && group_of(one) == group_of(other))
}

/// Whether the text is surely not a number and has only one spelling.
fn is_a_name(text: &str) -> bool {
    is_plain_group(text)
        || (is_plain(text) && text.bytes().any(|byte| !byte.is_ascii_digit() && !b"+-.".contains(&byte)))
}

/// Whether [`group_of`] and [`trimmed`] would not change the text; a fast check for nearly all texts.
pub fn is_plain(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ') && !text.starts_with(' ') && !text.ends_with(' ')
}

/// Like [`is_plain`], for a group.
pub(crate) fn is_plain_group(text: &str) -> bool {
    is_plain(text) && !text.contains('.') && !text.starts_with(['+', '-'])
}

/// Identifiers with the same likeness are easily confused: they differ only in case, space, leading zeros, the way that Unicode
/// encodes a letter, digit or dash, or the spelling of a number.
pub fn likeness(text: &str) -> String {
    let plain = DecomposingNormalizerBorrowed::new_nfkd().normalize(text);
    let mut letters = String::with_capacity(plain.len());
    for letter in plain.chars().filter(|letter| !is_unseen(*letter)) {
        // The lower case of a Turkish dotted I is two letters.
        letter.to_lowercase().for_each(|small| push_alike(&mut letters, small));
    }
    number_like(&letters).unwrap_or(letters)
}

/// Normalises the look of a lower-case letter: digits of every script become ASCII, dashes and minus signs hyphens, ß ss.
fn push_alike(letters: &mut String, letter: char) {
    match letter {
        '\u{df}' => letters.push_str("ss"),
        // These are a final sigma, a dotless i, and a combining dot.
        '\u{3c2}' => letters.push('\u{3c3}'),
        '\u{131}' => letters.push('i'),
        '\u{307}' if letters.ends_with('i') => {}
        '\u{2010}'..='\u{2015}' | '\u{2043}' | '\u{2212}' => letters.push('-'),
        // The Arabic decimal comma and thousands mark.
        '\u{66b}' | '\u{66c}' => letters.push(','),
        other => letters.push(ascii_digit(other).unwrap_or(other)),
    }
}

/// Zeros of scripts that are used to number patients; the other nine digits follow each (Unicode, general category Nd).
const ZEROS: [char; 20] = [
    '\u{660}', '\u{6f0}', '\u{7c0}', '\u{966}', '\u{9e6}', '\u{a66}', '\u{ae6}', '\u{b66}', '\u{be6}', '\u{c66}',
    '\u{ce6}', '\u{d66}', '\u{e50}', '\u{ed0}', '\u{f20}', '\u{1040}', '\u{17e0}', '\u{1810}', '\u{19d0}', '\u{1b50}',
];

fn ascii_digit(letter: char) -> Option<char> {
    let letter = letter as u32;
    let zero = ZEROS.into_iter().map(u32::from).find(|zero| (*zero..*zero + 10).contains(&letter))?;
    char::from_digit(letter - zero, 10)
}

/// Normalises a text that can be read as a decimal number: leading zeros, a decimal comma, thousands separators and an
/// exponent do not matter.
fn number_like(text: &str) -> Option<String> {
    let is_digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let (sign, unsigned) = match text.strip_prefix('-') {
        Some(rest) => ("-", rest),
        None => ("", text.strip_prefix('+').unwrap_or(text)),
    };
    let (mantissa, exponent) = unsigned.split_once('e').unwrap_or((unsigned, "0"));
    if !is_digits(exponent.strip_prefix(['+', '-']).unwrap_or(exponent)) {
        return None;
    }
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let mut parts = whole.split(',');
    let first = parts.next()?;
    let others: Vec<&str> = parts.collect();
    if !is_digits(first) || !others.iter().all(|part| is_digits(part)) || !(fraction.is_empty() || is_digits(fraction))
    {
        return None;
    }
    let are_thousands = first.len() <= 3 && others.iter().all(|part| part.len() == 3);
    let number = match others[..] {
        [] => format!("{sign}{whole}.{fraction}e{exponent}"),
        _ if are_thousands => format!("{sign}{first}{}.{fraction}e{exponent}", others.concat()),
        [only] if fraction.is_empty() => format!("{sign}{first}.{only}e{exponent}"),
        _ => return None,
    };
    Some(of_number(&number))
}

/// The canonical spelling of a decimal number: no trailing zeros, and digits only for a whole number.
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
    // Position of the point, counted from the first significant digit.
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

/// The different texts that look like another one before them, with that one; in the order of their likeness.
pub fn look_alikes<'a>(texts: impl Iterator<Item = &'a str>) -> Vec<(&'a str, &'a str)> {
    let different: BTreeSet<&str> = texts.collect();
    let mut by_likeness: BTreeMap<String, &str> = BTreeMap::new();
    let mut found = Vec::new();
    for text in different {
        let like = likeness(text);
        match by_likeness.get(&like) {
            Some(first) => found.push((*first, text)),
            None => drop(by_likeness.insert(like, text)),
        }
    }
    found
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
        assert_eq!(["12.50", "1.10", "-0.0", "1.2.0", "012.0"].map(group_of), ["12.50", "1.10", "0", "1.2.0", "012.0"]);
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
        for (one, other) in [
            ("1.2e1", "12"),
            ("012.0", "012"),
            ("12,0", "12"),
            ("1,000", "1000"),
            ("1 000", "1000"),
            ("\u{661}\u{662}", "12"),
            ("\u{967}\u{968}", "12"),
            ("\u{2212}12", "-12"),
            ("p\u{2010}13", "P-13"),
            ("STRASSE", "stra\u{df}e"),
            ("STRASSE", "STRA\u{1e9e}E"),
            ("\u{130}1", "i1"),
            ("\u{3a3}\u{391}\u{3a3}", "\u{3c3}\u{3b1}\u{3c2}"),
            ("\u{fb01}1", "FI1"),
        ] {
            assert_eq!(likeness(one), likeness(other), "{one:?} and {other:?}");
        }
        for (one, other) in [("1.2.3", "1.23"), ("12", "-12"), ("12", "1.2"), ("a,1", "a.1"), ("1e", "1"), ("e1", "1")]
        {
            assert_ne!(likeness(one), likeness(other), "{one:?} and {other:?}");
        }
    }

    #[test]
    fn an_id_of_a_case_and_of_a_document_are_one() {
        for (one, other) in [("12.0", "12"), ("M\u{fc}ller", "Mu\u{308}ller"), ("+3", "3"), ("p1", "p1")] {
            assert!(is_same(one, other), "{one:?} and {other:?}");
        }
        assert!(!is_same("P1", "p1") && !is_same("012", "12") && !is_same("1.2e1", "12"));
    }
}

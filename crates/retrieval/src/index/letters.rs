//! Normalises the letters of a text for comparison, so that different encodings of a letter are equal.
//!
//! Everything is decomposed (`Ⅲ` becomes III, `ﬁ` fi, half-width `ｶﾞ` ガ), accents are dropped, digits become 0 to 9. Korean
//! syllables and voiced Kana are recomposed, because their parts are not accents. Vowel
//! signs of Devanagari or Thai are kept, too.

use icu_normalizer::properties::CanonicalCombiningClassMapBorrowed;
use icu_normalizer::{ComposingNormalizerBorrowed, DecomposingNormalizerBorrowed};
use std::collections::VecDeque;

/// A normalised letter, or a sign between words, and the bytes of the text that it comes from.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Letter {
    pub character: char,
    pub from: usize,
    pub to: usize,
}

/// The letters of a text in order. One character such as `㎜` may give several letters with the same bytes.
pub(super) struct Letters<'a> {
    text: &'a str,
    at: usize,
    waiting: VecDeque<Letter>,
}

impl<'a> Letters<'a> {
    pub fn new(text: &'a str) -> Self {
        Self { text, at: 0, waiting: VecDeque::new() }
    }
}

impl Iterator for Letters<'_> {
    type Item = Letter;

    fn next(&mut self) -> Option<Letter> {
        loop {
            if let Some(letter) = self.waiting.pop_front() {
                return Some(letter);
            }
            let from = self.at;
            let rest = &self.text[from..];
            let first = rest.chars().next()?;
            // Most text is English.
            if first.is_ascii() && rest.as_bytes().get(1).is_none_or(u8::is_ascii) {
                self.at = from + 1;
                return Some(Letter { character: first, from, to: self.at });
            }
            let length = rest.char_indices().skip(1).find(|(_, character)| !joins_what_is_before(*character));
            let written = length.map_or(rest, |(length, _)| &rest[..length]);
            self.at = from + written.len();
            let to = self.at;
            self.waiting.extend(folded(written).into_iter().map(|character| Letter { character, from, to }));
        }
    }
}

/// A mark that is part of a word, such as the vowel signs, tones and viramas of Indic scripts and Thai.
pub(super) fn is_mark(character: char) -> bool {
    CanonicalCombiningClassMapBorrowed::new().get_u8(character) != 0
        || matches!(u32::from(character), 0x0E47..=0x0E4E | 0x0EC8..=0x0ECE | 0x17C9..=0x17D3)
}

/// Optional signs over, under or within letters: combining accents, Arabic vowel signs and the stretching
/// line, Hebrew points; and invisible characters: soft hyphens, joiners, direction marks, variation selectors.
fn is_left_out(character: char) -> bool {
    matches!(u32::from(character),
        0x00AD | 0x0300..=0x036F | 0x0483..=0x0489 | 0x0591..=0x05BD | 0x05BF | 0x05C1 | 0x05C2 | 0x05C4 | 0x05C5 | 0x05C7
        | 0x0610..=0x061A | 0x061C | 0x0640 | 0x064B..=0x065F | 0x0670 | 0x06D6..=0x06DC | 0x06DF..=0x06E4 | 0x06E7
        | 0x06E8 | 0x06EA..=0x06ED | 0x0730..=0x074A | 0x08D3..=0x08FF | 0x180B..=0x180D | 0x1AB0..=0x1AFF
        | 0x1DC0..=0x1DFF | 0x200C..=0x200F | 0x202A..=0x202E | 0x2060..=0x2064 | 0x2066..=0x2069 | 0x20D0..=0x20FF
        | 0xFE00..=0xFE0F | 0xFE20..=0xFE2F | 0xFEFF | 0xE0100..=0xE01EF)
}

/// Whether this character belongs to the letter before it.
fn joins_what_is_before(character: char) -> bool {
    is_left_out(character)
        || is_mark(character)
        // vowels and endings of Korean syllables; the voiced signs of half-width Katakana
        || matches!(u32::from(character), 0x1160..=0x11FF | 0xD7B0..=0xD7FF | 0xFF9E | 0xFF9F)
}

/// Normalises a character with its joined marks.
fn folded(written: &str) -> Vec<char> {
    let kept: String = written.chars().filter(|character| !is_left_out(*character)).collect();
    let Some(first) = kept.chars().next() else { return Vec::new() };
    // ™ must not become a word "tm"; ㎜ and similar characters are units, ⼈ is an old code of a letter.
    if !first.is_alphanumeric() && !matches!(u32::from(first), 0x2E80..=0x2FDF | 0x3300..=0x33FF) {
        return vec![first];
    }
    let composed = ComposingNormalizerBorrowed::new_nfkc().normalize(&kept);
    // 10³ is not the number 103.
    let is_raised = matches!(u32::from(first), 0xB2 | 0xB3 | 0xB9 | 0x2070..=0x2089);
    let is_fraction = composed.contains('\u{2044}') || is_raised;
    let mut letters = Vec::new();
    // 3½ is not 31/2.
    letters.extend(is_fraction.then_some(' '));
    for character in composed.chars() {
        if is_put_together(character) {
            letters.push(character);
            continue;
        }
        let parts = DecomposingNormalizerBorrowed::new_nfkd().normalize_iter(std::iter::once(character));
        letters.extend(parts.filter(|part| !is_left_out(*part)).map(same));
    }
    letters.extend(is_fraction.then_some(' '));
    letters
}

/// Kana and Korean syllables, whose parts are not accents.
fn is_put_together(character: char) -> bool {
    matches!(u32::from(character), 0x3040..=0x30FF | 0xAC00..=0xD7A3)
}

/// Unifies equivalent characters: digits of every script, the Greek final s, apostrophes.
fn same(character: char) -> char {
    /// The zeros of the scripts with decimal digits, each before its one to nine.
    const ZEROS: [u32; 35] = [
        0x0660, 0x06F0, 0x07C0, 0x0966, 0x09E6, 0x0A66, 0x0AE6, 0x0B66, 0x0BE6, 0x0C66, 0x0CE6, 0x0D66, 0x0DE6, 0x0E50,
        0x0ED0, 0x0F20, 0x1040, 0x1090, 0x17E0, 0x1810, 0x1946, 0x19D0, 0x1A80, 0x1A90, 0x1B50, 0x1BB0, 0x1C40, 0x1C50,
        0xA620, 0xA8D0, 0xA900, 0xA9D0, 0xA9F0, 0xAA50, 0xABF0,
    ];
    match character {
        '\u{3C2}' => '\u{3C3}',
        '\u{2BC}' => '\'',
        _ => {
            let code = u32::from(character);
            let digit = ZEROS.iter().find_map(|zero| code.checked_sub(*zero).filter(|digit| *digit < 10));
            digit.and_then(|digit| char::from_digit(digit, 10)).unwrap_or(character)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> String {
        Letters::new(text).map(|letter| letter.character).collect()
    }

    #[test]
    fn ways_to_write_a_letter_are_one() {
        for (one, other) in [
            ("폐렴", "\u{1111}\u{1168}\u{1105}\u{1167}\u{11B7}"),
            ("ガス", "カ\u{3099}ス"),
            ("ガラス", "ｶﾞﾗｽ"),
            ("й", "и\u{306}"),
            ("أعلى", "ا\u{654}على"),
            ("III", "Ⅲ"),
            ("12", "١٢"),
            ("12", "१२"),
            ("software", "soft\u{AD}ware"),
            ("5mm", "5㎜"),
            ("人", "⼈"),
            ("葛", "葛\u{E0100}"),
        ] {
            assert_eq!(read(one), read(other), "{one}");
        }
        for (one, other) in [("か", "が"), ("ป่า", "ปา"), ("कि", "की"), ("क", "ख")] {
            assert_ne!(read(one), read(other));
        }
        assert_eq!(read("3½ ™"), "3 1\u{2044}2  ™");
    }

    #[test]
    fn a_letter_stands_where_all_of_it_is_written() {
        let text = "aカ\u{3099}é\u{301}Ⅲ";
        let places: Vec<&str> = Letters::new(text).map(|letter| &text[letter.from..letter.to]).collect();
        assert_eq!(places, ["a", "カ\u{3099}", "é\u{301}", "Ⅲ", "Ⅲ", "Ⅲ"]);
    }
}

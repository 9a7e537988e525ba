//! Splits captions and queries into words, with one rule for all scripts.
//!
//! Runs of letters and digits are words, in lower case and without accents. In scripts without spaces between words, and
//! in Korean with its attached particles, every character is a word; a typed word of several characters is searched as a
//! phrase.

use super::letters::{Letters, is_mark};
use std::iter::Peekable;
use tantivy::tokenizer::{
    AsciiFoldingFilter, Language, LowerCaser, Stemmer, TextAnalyzer, Token, TokenStream, Tokenizer,
};

/// Name of the tokenizer, stored in the index; renamed when the rules change.
pub const TOKENIZER: &str =
    "words-2: lower case, no accents, English stems; single characters in scripts without spaces";

/// Tokenizer of captions: stems.
pub(super) const STEMS: &str = "dissent_stems_2";
/// Tokenizer of unstemmed words, for `word~` and `word*`.
pub(super) const WORDS: &str = "dissent_words_2";

/// Longer words are cut, because Tantivy drops words over 65,530 bytes.
const LONGEST_WORD: usize = 1000;

/// The stemming analyzer.
pub(super) fn stems() -> TextAnalyzer {
    TextAnalyzer::builder(WordTokenizer::default())
        .filter(LowerCaser)
        .filter(AsciiFoldingFilter)
        .filter(Stemmer::new(Language::English))
        .build()
}

/// The analyzer that normalises only case and accents.
pub(super) fn words() -> TextAnalyzer {
    TextAnalyzer::builder(WordTokenizer::default()).filter(LowerCaser).filter(AsciiFoldingFilter).build()
}

/// The words of a text.
pub(super) fn words_of(analyzer: &mut TextAnalyzer, text: &str) -> Vec<String> {
    let mut words = Vec::new();
    analyzer.token_stream(text).process(&mut |token| words.push(token.text.clone()));
    words
}

/// Whether this character is a word of its own.
pub(super) fn stands_alone(character: char) -> bool {
    matches!(u32::from(character),
        0x0E00..=0x0EFF // Thai, Lao
        | 0x1000..=0x109F // Myanmar
        | 0x1100..=0x11FF // Hangul Jamo
        | 0x1780..=0x17FF // Khmer
        | 0x3005..=0x3007 // ideographic iteration mark, closing mark, zero
        | 0x3040..=0x30FF // Hiragana, Katakana
        | 0x3130..=0x318F // Hangul compatibility Jamo
        | 0x31F0..=0x31FF // Katakana extensions
        | 0x3400..=0x4DBF | 0x4E00..=0x9FFF // Han
        | 0xA960..=0xA97F | 0xAC00..=0xD7FF // Hangul
        | 0xF900..=0xFAFF // Han, compatibility
        | 0x20000..=0x323AF // Han, extensions
    )
}

#[derive(Clone, Default)]
struct WordTokenizer {
    token: Token,
}

struct WordStream<'a> {
    letters: Peekable<Letters<'a>>,
    token: &'a mut Token,
}

impl Tokenizer for WordTokenizer {
    type TokenStream<'a> = WordStream<'a>;

    fn token_stream<'a>(&'a mut self, text: &'a str) -> WordStream<'a> {
        self.token.reset();
        WordStream { letters: Letters::new(text).peekable(), token: &mut self.token }
    }
}

impl TokenStream for WordStream<'_> {
    fn advance(&mut self) -> bool {
        self.token.text.clear();
        self.token.position = self.token.position.wrapping_add(1);
        let Some(first) = self.letters.find(|letter| letter.character.is_alphanumeric()) else { return false };
        self.token.text.push(first.character);
        self.token.offset_from = first.from;
        self.token.offset_to = first.to;
        let is_alone = stands_alone(first.character);
        while let Some(next) = self.letters.peek().copied() {
            let is_letter = !is_alone && next.character.is_alphanumeric() && !stands_alone(next.character);
            if !(is_letter || is_mark(next.character)) || self.token.text.len() >= LONGEST_WORD {
                break;
            }
            self.token.text.push(next.character);
            self.token.offset_to = next.to;
            self.letters.next();
        }
        true
    }

    fn token(&self) -> &Token {
        self.token
    }

    fn token_mut(&mut self) -> &mut Token {
        self.token
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(mut analyzer: TextAnalyzer, text: &str) -> Vec<String> {
        let mut found = Vec::new();
        analyzer.token_stream(text).process(&mut |token| found.push(token.text.clone()));
        found
    }

    #[test]
    fn english_is_cut_as_tantivy_cuts_it() {
        let text = "Bilateral pleural effusions, 3.5 cm; X-ray follow-up of T2 (10mm) — patient's no_1 left-sided.";
        let english = tantivy::tokenizer::TokenizerManager::default().get("en_stem").unwrap();
        assert_eq!(cut(stems(), text), cut(english, text));
    }

    #[test]
    fn scripts_without_spaces_are_cut_into_characters() {
        assert_eq!(cut(stems(), "右肺CT結節"), ["右", "肺", "ct", "結", "節"]);
        assert_eq!(cut(stems(), "すりガラス"), ["す", "り", "ガ", "ラ", "ス"]);
        assert_eq!(cut(stems(), "결절이 있다"), ["결", "절", "이", "있", "다"]);
        assert_eq!(cut(stems(), "ปอด 3"), ["ป", "อ", "ด", "3"]);
    }

    #[test]
    fn accents_points_and_widths_do_not_matter() {
        for text in ["œdème", "oede\u{300}me", "ŒDÈME"] {
            assert_eq!(cut(words(), text), ["oedeme"], "{text}");
        }
        assert_eq!(cut(words(), "انْصِباب"), cut(words(), "انصباب"));
        assert_eq!(cut(words(), "שָׁלוֹם"), cut(words(), "שלום"));
        assert_eq!(cut(words(), "ＣＴ１２"), ["ct12"]);
    }

    #[test]
    fn a_long_word_is_cut_and_not_dropped() {
        let long = "a".repeat(2500);
        let lengths: Vec<usize> = cut(words(), &long).iter().map(String::len).collect();
        assert_eq!(lengths, [1000, 1000, 500]);
    }
}

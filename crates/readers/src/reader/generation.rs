//! Answers in the reader's own words: how long they may be and where they end, whichever engine says them.

/// Tokens of an answer at most. The reference stops after 8, which cuts findings off in their middle (docs/method.md,
/// "Label scores").
pub(super) const MOST_TOKENS: usize = 32;
/// An answer is one line: what follows this is not said.
pub(super) const STOP: &str = "\n";

/// The answer in a generated text. The beginning of a letter that was cut off in its middle, which some engines write as
/// U+FFFD and others leave out, is left out.
pub(super) fn answer_in(text: &str) -> String {
    let line = text.split(STOP).next().unwrap_or_default();
    line.trim_end_matches(char::REPLACEMENT_CHARACTER).trim().to_owned()
}

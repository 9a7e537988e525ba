//! Answers in the reader's own words: how long they may be and where they end, whichever engine says them.

/// Tokens of an answer at most. The reference stops after 8 (reference.md §3.3), which cuts findings off in their middle.
pub(super) const MOST_TOKENS: usize = 32;
/// An answer is one line: what follows this is not said.
pub(super) const STOP: &str = "\n";

/// The answer in a generated text.
pub(super) fn answer_in(text: &str) -> String {
    text.split(STOP).next().unwrap_or_default().trim().to_owned()
}

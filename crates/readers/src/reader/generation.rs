//! Limits of open answers, the same for every kind of reader.

/// Most tokens of an answer. The reference stops after 8, which truncates findings (docs/method.md, "Label scores").
pub(super) const MOST_TOKENS: usize = 32;
/// Tokens added for each label that a set of labels may hold.
pub(super) const TOKENS_PER_LABEL: usize = 8;
/// An answer is one line and ends here.
pub(super) const STOP: &str = "\n";

/// The answer in a generated text. Removes the start of a letter that was cut off, which some engines write as U+FFFD
/// and others omit.
pub(super) fn answer_in(text: &str) -> String {
    let line = text.split(STOP).next().unwrap_or_default();
    line.trim_end_matches(char::REPLACEMENT_CHARACTER).trim().to_owned()
}

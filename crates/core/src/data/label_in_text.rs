//! The label that a generated text names, by the rule of the reference code (docs/method.md, "Parsing").

use super::{LabelIndex, Task, TaskKind};
use std::collections::BTreeSet;

/// A label that a text names, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NamedLabel {
    pub label: LabelIndex,
    pub how: HowNamed,
}

/// How a text names a label.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HowNamed {
    /// The text is the label.
    Equal,
    /// The label is a word of the text, or several words.
    WholeWord,
    /// The label is only a part of longer words: `no` in `cannot`. The reference counts this.
    WithinWord,
}

/// The label that equals the text, ignoring case, else the first one in order that occurs in it.
///
/// ```
/// use dissent_core::data::{HowNamed, label_in_text};
///
/// let labels = ["No", "Yes"];
/// let read = |text| label_in_text(&labels, text).map(|named| (labels[named.label], named.how));
/// assert_eq!(read(" yes"), Some(("Yes", HowNamed::Equal)));
/// assert_eq!(read("Yes, there is no doubt."), Some(("No", HowNamed::WholeWord)));
/// assert_eq!(read("I cannot tell."), Some(("No", HowNamed::WithinWord)));
/// assert_eq!(read("unclear"), None);
/// ```
pub fn label_in_text(labels: &[impl AsRef<str>], text: &str) -> Option<NamedLabel> {
    let trimmed = text.trim();
    if let Some(label) = labels.iter().position(|label| label.as_ref().trim().eq_ignore_ascii_case(trimmed)) {
        return Some(NamedLabel { label, how: HowNamed::Equal });
    }
    let lower = text.to_lowercase();
    let label = labels.iter().position(|label| lower.contains(&label.as_ref().to_lowercase()))?;
    let how = if has_whole_word(&lower, &labels[label].as_ref().to_lowercase()) {
        HowNamed::WholeWord
    } else {
        HowNamed::WithinWord
    };
    Some(NamedLabel { label, how })
}

/// All numbers in a text, sorted and without repeats, as a list: `0, 3`. So the reference reads sets of labels. `None` if there
/// are none.
pub fn numbers_in_text(text: &str) -> Option<String> {
    let numbers = text.split(|letter: char| !letter.is_ascii_digit());
    let numbers: BTreeSet<u32> = numbers.filter_map(|number| number.parse().ok()).collect();
    let list: Vec<String> = numbers.iter().map(u32::to_string).collect();
    (!list.is_empty()).then(|| list.join(", "))
}

/// As [`label_in_text`], but only labels that are whole words of the text count.
fn label_in_words(labels: &[impl AsRef<str>], text: &str) -> Option<NamedLabel> {
    let lower = text.to_lowercase();
    let label = labels.iter().position(|label| has_whole_word(&lower, &label.as_ref().trim().to_lowercase()))?;
    Some(NamedLabel { label, how: HowNamed::WholeWord })
}

/// Whether the word occurs with no letter or digit right before or after it.
fn has_whole_word(text: &str, word: &str) -> bool {
    let is_part = |letter: Option<char>| letter.is_some_and(char::is_alphanumeric);
    let mut places = text.match_indices(word);
    !word.is_empty()
        && places.any(|(start, found)| {
            !is_part(text[..start].chars().next_back()) && !is_part(text[start + found.len()..].chars().next())
        })
}

impl Task {
    /// The label that a generated text names: by its id, as the reference reads it, else by its name. With `whole_words`, a
    /// label that is only a part of longer words is not named.
    pub fn label_in_text(&self, text: &str, whole_words: bool) -> Option<NamedLabel> {
        let ids: Vec<&str> = self.labels.iter().map(|label| label.id.as_str()).collect();
        let names: Vec<&str> = self.labels.iter().map(|label| label.name.as_str()).collect();
        if self.kind == TaskKind::LabelSet {
            let of = |text: &str| ids.iter().position(|id| id.eq_ignore_ascii_case(text.trim()));
            let label = of(text).or_else(|| of(&numbers_in_text(text)?))?;
            return Some(NamedLabel { label, how: HowNamed::Equal });
        }
        let by_id = label_in_text(&ids, text);
        let by_name = label_in_text(&names, text);
        for named in [by_id, by_name].into_iter().flatten() {
            if named.how == HowNamed::Equal {
                return Some(named);
            }
        }
        if whole_words {
            return label_in_words(&ids, text).or_else(|| label_in_words(&names, text));
        }
        by_id.or(by_name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{Label, PromptTemplate};

    #[test]
    fn a_label_is_named_by_its_id_else_by_its_name() {
        let labels = [("0", "benign"), ("1", "malignant")].map(|(id, name)| Label::new(id, name)).to_vec();
        let prompt = PromptTemplate::default();
        let task = Task { id: "t".into(), kind: TaskKind::Classification, question: None, labels, prompt };
        let read = |text, whole| task.label_in_text(text, whole).map(|named| (named.label, named.how));
        assert_eq!(read("1", false), Some((1, HowNamed::Equal)));
        assert_eq!(read("Malignant", false), Some((1, HowNamed::Equal)));
        assert_eq!(read("grade 10", false), Some((0, HowNamed::WithinWord)), "as the reference reads it");
        assert_eq!(read("grade 10", true), None);
        assert_eq!(read("It is malignant.", true), Some((1, HowNamed::WholeWord)));
        assert_eq!(read("", true), None);
        assert_eq!(read("", false), None);
    }

    #[test]
    fn a_set_that_is_a_label_is_named_by_all_its_numbers() {
        let labels = ["0", "0, 3", "1"].map(|id| Label::new(id, id)).to_vec();
        let prompt = PromptTemplate::default();
        let task = Task { id: "t".into(), kind: TaskKind::LabelSet, question: None, labels, prompt };
        let read = |text| task.label_in_text(text, false).map(|named| named.label);
        assert_eq!((read("3 and 0"), read("0"), read("findings: 1"), read("0, 1")), (Some(1), Some(0), Some(2), None));
    }

    #[test]
    fn a_word_ends_where_no_letter_follows() {
        assert!(has_whole_word("the no, or yes", "no") && has_whole_word("(no)", "no") && has_whole_word("no", "no"));
        assert!(!has_whole_word("normal", "no") && !has_whole_word("éno", "no") && !has_whole_word("x", ""));
    }
}

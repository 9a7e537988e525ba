//! Answers as they are compared: a label of the task, a set of labels, or the words of an open answer.

use super::label::Label;
use super::label_set::LabelSet;
use crate::files::fingerprint::Fingerprint;
use std::borrow::Cow;

const ARTICLES: [&str; 3] = ["a", "an", "the"];

/// Position of a label in its task.
pub type LabelIndex = usize;

/// An answer to a case. Two answers are equal if they are the same label, the same set of labels or the same words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Answer {
    Label(LabelIndex),
    /// Several labels at once, or none of them.
    Set(LabelSet),
    /// An open answer.
    Text(AnswerKey),
}

/// The words of an open answer as a hash of [`answer_words`], so that answers compare without their text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct AnswerKey(u64);

impl Answer {
    /// The key of an open answer with these words; `None` for a text without a word.
    pub fn from_words(text: &str) -> Option<Self> {
        let words = answer_words(text);
        if words.is_empty() {
            return None;
        }
        Some(Self::Text(AnswerKey(Fingerprint::of_bytes(words.join(" ").as_bytes()).number())))
    }

    /// The label's position; `None` for a set of labels and for an open answer.
    pub fn label(self) -> Option<LabelIndex> {
        match self {
            Self::Label(label) => Some(label),
            Self::Set(_) | Self::Text(_) => None,
        }
    }

    /// The set of labels; `None` for a single label and for an open answer.
    pub fn label_set(self) -> Option<LabelSet> {
        match self {
            Self::Set(set) => Some(set),
            Self::Label(_) | Self::Text(_) => None,
        }
    }

    /// The label's id, or the ids of a set of labels as their text; `None` for an open answer.
    pub fn id_in(self, labels: &[Label]) -> Option<Cow<'_, str>> {
        match self {
            Self::Label(label) => Some(Cow::Borrowed(&labels.get(label)?.id)),
            Self::Set(set) => Some(Cow::Owned(set.text(labels))),
            Self::Text(_) => None,
        }
    }

    /// The answered label among those of the task; `None` for a set of labels and for an open answer.
    pub fn label_in(self, labels: &[Label]) -> Option<&Label> {
        labels.get(self.label()?)
    }
}

/// The words of an answer as they are compared: lower case, no punctuation, no articles (as in SQuAD's evaluation;
/// Rajpurkar et al. 2016). An answer that has nothing else ("A.") is compared unchanged.
pub fn answer_words(text: &str) -> Vec<String> {
    let lower = text.to_lowercase();
    let plain: String = lower.chars().filter(|letter| !letter.is_ascii_punctuation()).collect();
    let words: Vec<String> =
        plain.split_whitespace().filter(|word| !ARTICLES.contains(word)).map(str::to_owned).collect();
    if words.is_empty() { lower.split_whitespace().map(str::to_owned).collect() } else { words }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_of_the_same_words_are_the_same() {
        let answer = Answer::from_words("the left upper lobe");
        assert!(answer.is_some_and(|answer| answer.label().is_none()));
        for same in ["Left upper lobe.", " left  UPPER lobe", "A left, upper lobe"] {
            assert_eq!(Answer::from_words(same), answer, "{same}");
        }
        for other in ["left lower lobe", "upper left lobe", "lobe"] {
            assert_ne!(Answer::from_words(other), answer, "{other}");
        }
    }

    #[test]
    fn nothing_is_no_answer_and_an_article_alone_is_one() {
        assert_eq!((Answer::from_words(""), Answer::from_words(" \n")), (None, None));
        assert_eq!(answer_words("A."), ["a."]);
        assert_ne!(Answer::from_words("A"), Answer::from_words("the"));
        assert_eq!(answer_words("X-ray, 3 cm"), ["xray", "3", "cm"]);
    }
}

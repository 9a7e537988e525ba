//! The words that name splits in tables, folders and file names.

use crate::data::Split;

/// The split that a word names, in any case; `None` for other words.
pub fn split_of_word(word: &str) -> Option<Split> {
    match word.trim().to_ascii_lowercase().as_str() {
        "train" | "training" | "trn" => Some(Split::Train),
        "validation" | "validate" | "valid" | "val" | "dev" | "development" => Some(Split::Validation),
        "test" | "testing" | "tst" | "eval" | "evaluation" => Some(Split::Test),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn splits_are_known_by_their_usual_words() {
        assert_eq!(split_of_word(" Training"), Some(Split::Train));
        assert_eq!(split_of_word("dev"), Some(Split::Validation));
        assert_eq!(split_of_word("validate"), Some(Split::Validation));
        assert_eq!(split_of_word("EVAL"), Some(Split::Test));
        assert_eq!((split_of_word("fold1"), split_of_word("")), (None, None));
    }
}

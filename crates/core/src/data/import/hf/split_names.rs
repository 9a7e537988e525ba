//! Splits by the names of files and folders, with the keywords of `datasets` (`data_files.py`).

use crate::data::Split;

const KEYWORDS: [(&str, Split); 10] = [
    ("train", Split::Train),
    ("training", Split::Train),
    ("validation", Split::Validation),
    ("valid", Split::Validation),
    ("val", Split::Validation),
    ("dev", Split::Validation),
    ("test", Split::Test),
    ("testing", Split::Test),
    ("eval", Split::Test),
    ("evaluation", Split::Test),
];

/// What a name says about the split.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NamedSplit {
    None,
    One(Split),
    /// Words of two splits.
    Several,
}

/// The split whose keyword is a word of this name. Words end at `-`, `.`, `_`, spaces and digits.
pub(super) fn split_in(name: &str) -> NamedSplit {
    let mut found = NamedSplit::None;
    let is_end = |letter: char| matches!(letter, '-' | '.' | '_' | ' ') || letter.is_ascii_digit();
    for word in name.split(is_end) {
        let split = KEYWORDS.iter().find(|(keyword, _)| word.eq_ignore_ascii_case(keyword)).map(|(_, split)| *split);
        found = match (found, split) {
            (_, None) => found,
            (NamedSplit::None, Some(split)) => NamedSplit::One(split),
            (NamedSplit::One(before), Some(split)) if before == split => found,
            _ => NamedSplit::Several,
        };
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn splits_are_words_of_a_name() {
        for (name, expected) in [
            ("train-00000-of-00001.parquet", NamedSplit::One(Split::Train)),
            ("my_val2.parquet", NamedSplit::One(Split::Validation)),
            ("partial-train", NamedSplit::One(Split::Train)),
            ("Testing", NamedSplit::One(Split::Test)),
            ("contest.parquet", NamedSplit::None),
            ("trainval.parquet", NamedSplit::None),
            ("train_test.parquet", NamedSplit::Several),
            ("test-evaluation.parquet", NamedSplit::One(Split::Test)),
        ] {
            assert_eq!(split_in(name), expected, "{name}");
        }
    }
}

//! Open answers: words in place of a label, and when two of them are the same answer.

use crate::files::fingerprint::Fingerprint;

/// Set in the number of every open answer, so that it is no position in a list of labels.
const NO_POSITION: usize = 1 << (usize::BITS - 1);
const ARTICLES: [&str; 3] = ["a", "an", "the"];

/// The words of an answer as they are compared: small letters, no punctuation, no articles (as SQuAD's evaluation; Rajpurkar
/// et al. 2016). An answer of nothing else ("A.") is compared as it stands.
pub fn answer_words(text: &str) -> Vec<String> {
    let lower = text.to_lowercase();
    let plain: String = lower.chars().filter(|letter| !letter.is_ascii_punctuation()).collect();
    let words: Vec<String> =
        plain.split_whitespace().filter(|word| !ARTICLES.contains(word)).map(str::to_owned).collect();
    if words.is_empty() { lower.split_whitespace().map(str::to_owned).collect() } else { words }
}

/// Stands for an open answer where labels have their position: two answers of the same words have the same number, whoever
/// gave them and when. `None` for an answer without a word, which answers nothing.
pub fn answer_number(text: &str) -> Option<usize> {
    let words = answer_words(text);
    if words.is_empty() {
        return None;
    }
    let print = Fingerprint::of_bytes(words.join(" ").as_bytes());
    let number = u64::from_str_radix(print.as_str(), 16).ok()?;
    Some(number as usize | NO_POSITION)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_of_the_same_words_are_the_same() {
        let number = answer_number("the left upper lobe").unwrap();
        for same in ["Left upper lobe.", " left  UPPER lobe", "A left, upper lobe"] {
            assert_eq!(answer_number(same), Some(number), "{same}");
        }
        for other in ["left lower lobe", "upper left lobe", "lobe"] {
            assert_ne!(answer_number(other), Some(number), "{other}");
        }
        assert!(number > usize::MAX / 2, "no label has this position");
    }

    #[test]
    fn nothing_is_no_answer_and_an_article_alone_is_one() {
        assert_eq!((answer_number(""), answer_number(" \n")), (None, None));
        assert_eq!(answer_words("A."), ["a."]);
        assert_ne!(answer_number("A"), answer_number("the"));
        assert_eq!(answer_words("X-ray, 3 cm"), ["xray", "3", "cm"]);
    }
}

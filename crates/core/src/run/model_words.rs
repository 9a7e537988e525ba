//! Words for runs in which models stand in the place of documents.

use std::borrow::Cow;

/// What a text calls the candidates of other runs, and the word for models.
const WORDS: [(&str, &str); 9] = [
    ("retrieved documents", "models"),
    ("retrieved document", "model"),
    ("documents", "models"),
    ("document", "model"),
    ("hits", "models"),
    ("hit", "model"),
    ("Hits", "Models"),
    ("Hit", "Model"),
    ("HIT", "MODEL"),
];

/// The text with models in the place of hits and documents. Other words that contain these stay.
///
/// ```
/// use dissent_core::run::about_models;
///
/// assert_eq!(about_models("dropping hits 2 and 3 changes the answer"), "dropping models 2 and 3 changes the answer");
/// assert_eq!(about_models("white"), "white");
/// ```
pub fn about_models(text: &str) -> Cow<'_, str> {
    let mut text = Cow::Borrowed(text);
    for (word, model) in WORDS {
        if text.contains(word) {
            text = Cow::Owned(replace_word(&text, word, model));
        }
    }
    text
}

fn replace_word(text: &str, word: &str, by: &str) -> String {
    let is_letter = |letter: Option<char>| letter.is_some_and(char::is_alphanumeric);
    let mut replaced = String::with_capacity(text.len());
    let mut copied = 0;
    for (start, found) in text.match_indices(word) {
        let end = start + found.len();
        if is_letter(text[..start].chars().next_back()) || is_letter(text[end..].chars().next()) {
            continue;
        }
        replaced.push_str(&text[copied..start]);
        replaced.push_str(by);
        copied = end;
    }
    replaced.push_str(&text[copied..]);
    replaced
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_words_are_replaced() {
        assert_eq!(about_models("label HIT 2; no hit, every hit's"), "label MODEL 2; no model, every model's");
        assert_eq!(about_models("whitehits hitting documented"), "whitehits hitting documented");
        assert_eq!(about_models("the retrieved document"), "the model");
    }
}

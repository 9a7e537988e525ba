//! Input of users: filters, searches, themes, keys.

use super::check_message;
use super::folder::{folder, write};
use dissent::cases::filter::Filter;
use dissent::data::{Corpus, Document};
use dissent::index::TextIndex;
use dissent::tui::keymap::Keymap;
use dissent::tui::theme::Theme;

/// A filter; a valid one must parse again from how it is shown.
pub fn filter(bytes: &[u8]) {
    let Ok(line) = std::str::from_utf8(bytes) else { return };
    match line.parse::<Filter>() {
        Err(message) => check_message(&message),
        Ok(filter) => {
            let shown = filter.to_string();
            let again = shown.parse::<Filter>();
            assert_eq!(
                again.as_ref().map(ToString::to_string),
                Ok(shown),
                "a filter is read back from how it is shown"
            );
        }
    }
}

const CAPTIONS: [&str; 5] = [
    "Irregular hypoechoic mass with spiculated margin, effusions left.",
    "Round anechoic lesion; a simple cyst of 3.5 mm, T2-weighted",
    "\u{80ba}\u{708e}\u{306e}\u{6240}\u{898b}\u{3002}\u{80f8}\u{6c34}\u{3042}\u{308a}",
    "\u{627}\u{646}\u{635}\u{628}\u{627}\u{628} \u{62c}\u{646}\u{628}\u{64a}",
    "COVID-19 pneumonia",
];

/// A search of captions.
pub fn search(bytes: &[u8]) {
    thread_local! {
        static INDEX: TextIndex = {
            let folder = folder().join("captions");
            let document = |(row, caption): (usize, &&str)| Document {
                id: format!("d{row}"),
                image: format!("d{row}.png").into(),
                caption: (*caption).into(),
                source: Some(if row % 2 == 0 { "north" } else { "south" }.into()),
                group: None,
            };
            let corpus: Vec<Document> = CAPTIONS.iter().enumerate().map(document).collect();
            TextIndex::write(&folder, &Corpus::of(&corpus)).expect("an index");
            TextIndex::open(&folder, corpus.len()).expect("the index")
        };
    }
    let Ok(query) = std::str::from_utf8(bytes) else { return };
    INDEX.with(|index| {
        for source in [None, Some("north")] {
            match index.search(query, source, 10, &|_| true) {
                Err(error) => check_message(&error),
                Ok(results) => {
                    for result in &results {
                        assert!(result.score.is_finite(), "a score that is no number");
                        assert!(source.is_none() || result.row % 2 == 0, "a document of another source");
                        for place in &result.highlights {
                            assert!(CAPTIONS[result.row].get(place.clone()).is_some(), "a highlight within a letter");
                        }
                    }
                    // Signs such as ㎜ and Ⅲ are decomposed before the search.
                    let is_word = |letter: char| letter.is_alphanumeric() || !letter.is_ascii();
                    let nothing_to_find = !query.contains(is_word) && !query.contains('*');
                    assert!(results.is_empty() || !nothing_to_find, "found by {query:?}, in which is no word");
                }
            }
        }
        let _ = index.rows_with_words(query, None).map_err(|error| check_message(&error));
        let _ = index.search_plain(query, 10, &|_| true).map_err(|error| check_message(&error));
    });
}

/// A theme's file.
pub fn theme(bytes: &[u8]) {
    let path = folder().join("theme.toml");
    write(&path, bytes);
    let _ = Theme::load(&path.to_string_lossy()).map_err(|error| check_message(&error));
}

/// A file of keys; a valid one must be unchanged after writing and reading it.
pub fn keys(bytes: &[u8]) {
    let path = folder().join("keys.toml");
    write(&path, bytes);
    match Keymap::load(&path) {
        Err(error) => check_message(&error),
        Ok(keymap) => {
            let text = keymap.to_toml();
            write(&path, text.as_bytes());
            assert_eq!(Keymap::load(&path).expect("what was written is read").to_toml(), text);
        }
    }
}

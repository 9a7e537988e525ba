//! Tantivy: ranking, phrases, fields, filters, highlights, bad queries.

use super::support::{CAPTIONS, EVERYTHING};
use dissent::data::Document;
use dissent::index::{IndexError, TextIndex};
use std::collections::BTreeSet;

fn captions() -> (tempfile::TempDir, TextIndex) {
    let corpus: Vec<Document> = CAPTIONS
        .iter()
        .enumerate()
        .map(|(row, (caption, source))| Document {
            id: format!("d{row}"),
            image: format!("images/d{row}.png").into(),
            caption: (*caption).into(),
            source: Some((*source).into()),
            group: None,
        })
        .collect();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("text");
    TextIndex::write(&path, &corpus).unwrap();
    let index = TextIndex::open(&path, corpus.len()).unwrap();
    (folder, index)
}

fn rows(index: &TextIndex, query: &str) -> BTreeSet<usize> {
    index.search(query, None, 10, EVERYTHING).unwrap().iter().map(|result| result.row).collect()
}

#[test]
fn captions_with_both_words_come_before_those_with_one() {
    let (_folder, index) = captions();
    let results = index.search("pleural effusion", None, 10, EVERYTHING).unwrap();
    let found: Vec<usize> = results.iter().map(|result| result.row).collect();
    assert_eq!(found[..3].iter().collect::<BTreeSet<_>>(), [0, 1, 2].iter().collect());
    assert_eq!(found[3..], [4], "one word only");
    assert!(results.windows(2).all(|pair| pair[0].score >= pair[1].score));
    assert_eq!(index.search("pleural effusion", None, 2, EVERYTHING).unwrap().len(), 2);
}

#[test]
fn phrases_fields_and_signs_are_understood() {
    let (_folder, index) = captions();
    assert_eq!(rows(&index, "\"pleural effusion\""), [0, 1].into());
    assert_eq!(rows(&index, "effusion -pleural"), [4].into());
    assert_eq!(rows(&index, "effusion AND source:mimic"), [2].into());
    assert_eq!(rows(&index, "id:d3"), [3].into());
    assert_eq!(rows(&index, "EFFUSIONS"), [0, 1, 2, 4].into(), "case and plural do not matter");
    assert!(rows(&index, "cardiomegaly").is_empty());
}

#[test]
fn highlights_are_byte_ranges_of_the_whole_caption() {
    let (_folder, index) = captions();
    let marked = |query: &str, row: usize| -> Vec<&str> {
        let results = index.search(query, None, 10, EVERYTHING).unwrap();
        let result = results.iter().find(|result| result.row == row).unwrap();
        result.highlights.iter().map(|range| &CAPTIONS[row].0[range.clone()]).collect()
    };
    assert_eq!(marked("pleural effusion", 2), ["effusions", "pleural"]);
    // Behind a dash of three bytes.
    assert_eq!(marked("pneumothorax", 5), ["pneumothorax"]);
    assert!(marked("source:mimic", 3).is_empty());
}

#[test]
fn a_filter_decides_who_is_in_and_not_who_is_first() {
    let (_folder, index) = captions();
    let all = index.search("effusion left", None, 10, EVERYTHING).unwrap();
    let some = index.search("effusion left", Some("roco"), 10, EVERYTHING).unwrap();
    let expected: Vec<_> = all.into_iter().filter(|result| CAPTIONS[result.row].1 == "roco").collect();
    assert_eq!(some, expected);
    assert!(index.search("effusion", Some("ROCO"), 10, EVERYTHING).unwrap().is_empty(), "sources are exact");
    let allowed = index.search("pleural effusion", None, 1, &|row| row == 4).unwrap();
    assert_eq!(allowed[0].row, 4, "over-fetched until found");
}

#[test]
fn rows_with_words_have_all_of_them() {
    let (_folder, index) = captions();
    assert_eq!(index.rows_with_words("left pleural", None).unwrap(), [0].into());
    assert_eq!(index.rows_with_words("effusion", Some("roco")).unwrap(), [0, 1, 4].into());
    assert!(index.rows_with_words("left knee", None).unwrap().is_empty());
}

#[test]
fn plain_text_is_searched_whatever_is_in_it() {
    let (_folder, index) = captions();
    let text = "is there (an \"effusion: source:nowhere AND";
    assert!(index.search(text, None, 5, EVERYTHING).is_err());
    let found = index.search_plain(text, 5, EVERYTHING).unwrap();
    assert_eq!(found.iter().map(|result| result.row).collect::<BTreeSet<_>>(), [0, 1, 2, 4].into());
    assert!(index.search_plain("()", 5, EVERYTHING).unwrap().is_empty());
}

#[test]
fn a_bad_query_says_what_is_wrong_and_what_is_right() {
    let (_folder, index) = captions();
    for (query, expected) in [
        ("\"pleural", "not closed"),
        ("  ", "it is empty"),
        ("finding:effusion", "there is no field 'finding'"),
        ("-effusion", "it only says what not to find"),
    ] {
        let error = index.search(query, None, 5, EVERYTHING).unwrap_err();
        assert!(matches!(error, IndexError::Query { .. }), "{error}");
        assert!(error.to_string().contains(expected), "{error}");
        assert!(error.to_string().contains("source:NAME"), "{error}");
    }
}

#[test]
fn a_broken_folder_is_damaged() {
    let (folder, index) = captions();
    drop(index);
    let path = folder.path().join("text");
    assert!(matches!(TextIndex::open(&path, 7), Err(IndexError::Damaged { .. })), "another number of captions");
    std::fs::write(path.join("meta.json"), b"{").unwrap();
    assert!(matches!(TextIndex::open(&path, 6), Err(IndexError::Damaged { .. })));
}

#[test]
fn a_misspelt_word_is_found_where_it_says_so() {
    let (_folder, index) = captions();
    assert_eq!(rows(&index, "efusion"), BTreeSet::new());
    assert_eq!(rows(&index, "efusion~"), rows(&index, "effusion"));
    assert_eq!(rows(&index, "plural~2 efusion~"), rows(&index, "pleural effusion"));
    assert_eq!(rows(&index, "\"pleural effusion\""), [0, 1].into(), "a phrase keeps its own meaning");
}

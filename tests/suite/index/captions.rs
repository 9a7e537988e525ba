//! Tantivy: ranking, phrases, fields, filters, highlights, bad queries.

use super::support::{CAPTIONS, EVERYTHING, documents};
use crate::support::dataset::document;
use dissent::data::{Corpus, Document};
use dissent::index::{IndexError, TextIndex};
use std::collections::BTreeSet;

fn captions() -> (tempfile::TempDir, TextIndex) {
    index_of_documents(&documents())
}

fn index_of_documents(corpus: &[Document]) -> (tempfile::TempDir, TextIndex) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("text");
    TextIndex::write(&path, &Corpus::of(corpus)).unwrap();
    let index = TextIndex::open(&path, corpus.len()).unwrap();
    (folder, index)
}

pub(super) fn rows(index: &TextIndex, query: &str) -> BTreeSet<usize> {
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
        ("-effusion", "it only excludes words"),
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

/// An index of other captions.
pub(super) fn index_of(captions: &[&str]) -> (tempfile::TempDir, TextIndex) {
    let of = |(row, caption): (usize, &&str)| document(&format!("d{row}"), caption);
    index_of_documents(&captions.iter().enumerate().map(of).collect::<Vec<Document>>())
}

#[test]
fn every_misspelling_by_one_letter_is_found() {
    let (_folder, index) = index_of(&["Small effusion on the left.", "Normal chest.", "Bilateral effusions."]);
    let letters: Vec<char> = "effusion".chars().collect();
    let text = |letters: &[char]| letters.iter().collect::<String>();
    for place in 0..letters.len() {
        let (mut left_out, mut other, mut twice) = (letters.clone(), letters.clone(), letters.clone());
        left_out.remove(place);
        other[place] = 'x';
        twice.insert(place, 'q');
        let mut typos = vec![text(&left_out), text(&other), text(&twice)];
        if place > 0 {
            let mut turned = letters.clone();
            turned.swap(place - 1, place);
            typos.push(text(&turned));
        }
        for typo in typos {
            assert_eq!(rows(&index, &format!("{typo}~")), [0, 2].into(), "{typo}");
            assert_eq!(rows(&index, &format!("{}~", typo.to_uppercase())), [0, 2].into(), "{typo}");
        }
    }
    assert_eq!(rows(&index, "afuxion~"), BTreeSet::new(), "three letters");
    assert_eq!(rows(&index, "efuxion~2"), [0, 2].into());
}

#[test]
fn every_operator_is_understood_in_company() {
    let (_folder, index) = captions();
    for (query, expected) in [
        ("efusion~ -pleural", vec![4]),
        ("(efusion~ OR fractur*) AND left", vec![0, 5]),
        ("-efusion~ +left", vec![5]),
        ("NOT pneumon* AND left", vec![0, 5]),
        ("caption:pneumo*", vec![3, 5]),
        ("PNEUMO*", vec![3, 5]),
        ("+left +effusion", vec![0]),
        ("left AND (effusion OR clavicle)", vec![0, 5]),
        ("\"left pleural\" OR knee", vec![0, 4]),
        ("row:3", vec![3]),
    ] {
        assert_eq!(rows(&index, query), expected.into_iter().collect(), "{query}");
    }
    assert_eq!(index.rows_with_words("efusion~ plural~", None).unwrap(), [0, 1, 2].into());
    assert!(index.rows_with_words("efusion~ zzzz~", None).unwrap().is_empty());
    let marked = index.search("efusion~", None, 9, EVERYTHING).unwrap();
    assert!(marked.iter().all(|result| !result.highlights.is_empty()), "{marked:?}");
}

#[test]
fn words_are_found_in_every_script() {
    let captions = [
        "右肺中叶外侧段见一大小约二厘米结节影",
        "胸部 CT 右肺 结节",
        "右上肺野にすりガラス影を認める。",
        "우측 폐 상엽에 결절이 있다.",
        "انصباب جنبي في الجهة اليمنى",
        "תפליט פלאורלי משמאל",
        "พบน้ำในช่องเยื่อหุ้มปอดข้างขวา",
        "Œdème pulmonaire, 3.5 cm",
        "T2 lesion of 10mm, x-ray follow-up",
    ];
    let (_folder, index) = index_of(&captions);
    for (query, expected) in [
        ("右肺", vec![0, 1]),
        ("结节", vec![0, 1]),
        ("节结", vec![]),
        ("\"右肺\" -中叶", vec![1]),
        ("ct", vec![1]),
        ("すりガラス", vec![2]),
        ("ガラス影", vec![2]),
        ("결절", vec![3]),
        ("폐", vec![3]),
        ("انصباب", vec![4]),
        ("תפליט", vec![5]),
        ("ปอด", vec![6]),
        ("oedeme", vec![7]),
        ("OE\u{300}DEME", vec![7]),
        ("3.5", vec![7]),
        ("T2", vec![8]),
        ("10mm", vec![8]),
        ("x-ray", vec![8]),
        ("follow-up", vec![8]),
        ("انصبااب~", vec![4]),
        ("右肺*", vec![0, 1]),
    ] {
        assert_eq!(rows(&index, query), expected.into_iter().collect(), "{query}");
    }
    for (row, caption) in captions.iter().enumerate() {
        let found = index.search(caption, None, 1, EVERYTHING).unwrap();
        assert_eq!(found.first().map(|result| result.row), Some(row), "{caption}");
        let found = index.search_plain(caption, 1, EVERYTHING).unwrap();
        assert_eq!(found.first().map(|result| result.row), Some(row), "{caption}");
    }
    // Two neighbours are looked for, not the characters one by one.
    assert!(index.search_plain("节右", 9, EVERYTHING).unwrap().is_empty());
}

#[test]
fn a_long_word_is_found() {
    let long = "pneumonoultramicroscopicsilicovolcanoconiosis".repeat(30);
    let (_folder, index) = index_of(&[&long, "short"]);
    assert_eq!(rows(&index, "pneumono*"), [0].into());
    assert_eq!(rows(&index, &long), [0].into());
}

#[test]
fn hostile_queries_are_refused_in_one_line() {
    let (_folder, index) = captions();
    let nested = |depth: usize| format!("{}effusion{}", "(".repeat(depth), ")".repeat(depth));
    assert_eq!(rows(&index, &nested(8)), rows(&index, "effusion"));
    for (query, expected) in [
        ("(".repeat(20_000), "deep"),
        (nested(9_000), "deep"),
        ("NOT ".repeat(900) + "x", "deep"),
        ("-".repeat(900) + "x", "deep"),
        ("effusion ".repeat(1001), "1001 words; expected at most 1000"),
        ("effusion ".repeat(100_000), "bytes; expected at most"),
        ("effusion)".into(), "closed that was not opened"),
        ("(effusion".into(), "bracket is not closed"),
        ("?! ...".into(), "no word"),
        ("~9".into(), "expected a word before ~"),
        ("effusion~9".into(), "expected ~, ~1, ~2"),
        ("source:ro*".into(), "words of captions"),
        ("row:abc".into(), "expected a whole number"),
        ("row:99999999999999999999".into(), "expected a whole number"),
    ] {
        let message = index.search(&query, None, 5, EVERYTHING).unwrap_err().to_string();
        assert!(message.contains(expected), "{expected}: {message}");
        assert!(message.len() < 500 && !message.contains("invalid digit") && !message.contains('\n'), "{message}");
        assert!(index.rows_with_words(&query, None).is_err());
    }
}

//! Searches over scripts, ways of writing, hyphens, plurals and apostrophes: what is the same is found, and nothing is silent.

use super::captions::{index_of, rows};
use super::support::EVERYTHING;

const CAPTIONS: [&str; 14] = [
    "x-ray film of under_score, 5-year follow-up",
    "effusions, opacities and masses",
    "\u{1111}\u{1168}\u{1105}\u{1167}\u{11B7} \u{1109}\u{1169}\u{1100}\u{1167}\u{11AB}",
    "カ\u{3099}ス ｶﾞﾗｽ窓",
    "е\u{308}лка отёк",
    "άσθμα",
    "أيسر ا\u{654}على",
    "١٢ مم",
    "grade Ⅲ soft\u{AD}ware",
    "patient's O’Brien l'épanchement",
    "右肺结节",
    "क्षय रोग",
    "CT-guided biopsy",
    "film",
];

#[test]
fn a_letter_is_found_however_it_is_written() {
    let (_folder, index) = index_of(&CAPTIONS);
    for (query, expected) in [
        ("폐렴", vec![2]),
        ("\"폐렴 소견\"", vec![2]),
        ("ガス", vec![3]),
        ("ガラス窓", vec![3]),
        ("ｶﾞｽ", vec![3]),
        ("カス", vec![]),
        ("ёлка", vec![4]),
        ("ЕЛКА", vec![4]),
        ("отек -grade", vec![4]),
        ("елк*", vec![4]),
        ("ОТЕГ~", vec![4]),
        ("ΑΣΘΜΑ", vec![5]),
        ("ασθμα", vec![5]),
        ("ايسر", vec![6]),
        ("أعلى AND ايسر", vec![6]),
        ("أعل*", vec![6]),
        ("12", vec![7]),
        ("III", vec![8]),
        ("+software +III", vec![8]),
        ("softwore~", vec![8]),
        ("e\u{301}panchement", vec![9]),
        ("क्षय", vec![11]),
        ("क्ष*", vec![11]),
        ("क", vec![]),
    ] {
        assert_eq!(rows(&index, query), expected.into_iter().collect(), "{query}");
    }
    for (row, caption) in CAPTIONS.iter().enumerate() {
        let found = index.search_plain(caption, 1, EVERYTHING).unwrap();
        assert_eq!(found.first().map(|result| result.row), Some(row), "{caption}");
    }
    let marked = index.search("ガラス III", None, 9, EVERYTHING).unwrap();
    let texts = |row: usize| -> Vec<&str> {
        let result = marked.iter().find(|result| result.row == row).unwrap();
        result.highlights.iter().map(|range| &CAPTIONS[row][range.clone()]).collect()
    };
    assert_eq!(texts(8), ["Ⅲ"]);
    assert!(texts(3).contains(&"ｶﾞ"), "{:?}", texts(3));
}

#[test]
fn a_word_with_a_hyphen_has_variants() {
    let (_folder, index) = index_of(&CAPTIONS);
    for (query, expected) in [
        ("x-ra*", vec![0]),
        ("x-rey~", vec![0]),
        ("caption:X-RA*", vec![0]),
        ("5-yea*", vec![0]),
        ("under_scor*", vec![0]),
        ("film NOT x-ra*", vec![13]),
        ("-x-ra* film", vec![13]),
        ("-x-rey~ film", vec![13]),
        ("ct-giuded~", vec![12]),
        ("cx-guided~", vec![12]),
        ("右肺结*", vec![10]),
    ] {
        assert_eq!(rows(&index, query), expected.into_iter().collect(), "{query}");
    }
    for query in ["结巴~", "폐렴~", "-结巴~ film"] {
        let message = index.search(query, None, 9, EVERYTHING).unwrap_err().to_string();
        assert!(message.contains("every character is a word"), "{message}");
    }
    let many = format!("{}a~", "a-".repeat(9000));
    assert!(
        index
            .search(&many, None, 9, EVERYTHING)
            .unwrap_err()
            .to_string()
            .contains("9001 words before ~; expected at most 8")
    );
}

#[test]
fn a_misspelt_singular_finds_the_plural() {
    let (_folder, index) = index_of(&CAPTIONS);
    for query in ["effuson~", "efusion~", "opasity~", "opacit~", "mas~", "EFUSIONS~"] {
        assert_eq!(rows(&index, query), [1].into(), "{query}");
    }
    assert!(rows(&index, "film -efusion~").contains(&13));
}

#[test]
fn an_apostrophe_is_no_quotation_mark() {
    let (_folder, index) = index_of(&CAPTIONS);
    for query in [
        "patient's",
        "patient’s",
        "patient\u{2BC}s",
        "O'Brien",
        "l'épanchement",
        "l'epanch*",
        "o'brian~",
        "\"patient's O'Brien\"",
        "'patient's O'Brien'",
        "patients'",
        "'patient",
        "film's OR patient's",
    ] {
        assert_eq!(rows(&index, query), [9].into(), "{query}");
    }
    assert_eq!(rows(&index, "'follow up'"), [0].into());
    assert_eq!(rows(&index, "film NOT patient's*"), [0, 13].into());
    assert_eq!(rows(&index, "film -patient's"), [0, 13].into());
    // Exact fields keep them.
    assert_eq!(rows(&index, "id:o'brien"), [].into());
    assert_eq!(rows(&index, "film OR id:o'brien OR film"), [0, 13].into());
}

#[test]
fn an_excluded_phrase_excludes_what_it_finds() {
    let captions = [
        "left mass, smooth",
        "mass left of the film",
        "large mass",
        "left large mass",
        "film of a left mass",
        "smooth",
        "mass",
        "left",
        "mass mass left mass",
    ];
    let (_folder, index) = index_of(&captions);
    let phrases =
        ["\"left mass\"", "\"mass left\"", "\"mass smooth\"", "\"smooth left\"", "\"film mass\"~3", "left-mass"];
    for phrase in phrases {
        for words in ["mass", "left", "smooth OR film", "*", "mass left"] {
            let excluded = rows(&index, phrase);
            let expected = rows(&index, words).difference(&excluded).copied().collect();
            assert_eq!(rows(&index, &format!("({words}) NOT {phrase}")), expected, "{words} without {phrase}");
        }
    }
}

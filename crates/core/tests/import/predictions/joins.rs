//! Answers find their case by id, else by question and picture; what fits none or several is counted and named.

use super::{Small, options, said};
use crate::support::put;
use dissent_core::data::{Dataset, Split};
use dissent_core::predictions::{PredictionOptions, import_predictions};
use std::fs;

#[test]
fn answers_that_do_not_join_are_counted_and_named() {
    let small = Small::new();
    let lines = [
        r#"{"case": "c1", "text": "Yes"}"#,
        r#"{"case": "zzz", "text": "Yes"}"#,
        // The id is there, but another question was asked.
        r#"{"case": "c2", "question": "Is there a stone?", "text": "Yes"}"#,
        // Two cases have this question; pictures tell them apart.
        r#"{"question": "is there a  lesion?", "image": "b.png", "text": "Yes"}"#,
        r#"{"question": "Is there a lesion?", "text": "Yes"}"#,
        r#"{"question": "Is there a lesion?", "image": "z.png", "text": "Yes"}"#,
        // One case has this question.
        r#"{"question": "<image>\nIs it large?", "text": "No"}"#,
        r#"{"question": "Is it small?", "text": "No"}"#,
        r#"{"case": "c1", "document": "d9", "text": "Yes"}"#,
        r#"{"case": "c1", "text": "Yes"}"#,
    ];
    let file = small.file("some.jsonl", lines.join("\n"));
    let imported = small.import(&file, &options("x")).unwrap();
    assert_eq!((imported.answers, imported.joined), (10, 4));
    let said = said(&imported);
    for expected in [
        "1 left out: answers where no case has this id",
        "some.jsonl:2 zzz",
        "1 left out: answers where the case with this id has another question or picture",
        "1 left out: answers where several cases have this question, and the file names no picture",
        "1 left out: answers where no case has this question and picture",
        "1 left out: answers where no case has this question (",
        "1 left out: answers with a document that is not in the corpus",
        "1 answers stand in the files again",
    ] {
        assert!(said.contains(expected), "{expected}\n{said}");
    }
    let cases: Vec<usize> = small.answers("x").iter().map(|answer| answer.case).collect();
    assert_eq!(cases, [0, 1, 2]);
}

/// By the same rule as hits, judgements and vectors.
#[test]
fn ids_are_found_in_another_spelling() {
    let small = Small::new();
    put(&small.dataset.root, "cases.jsonl", cases_named(&["M\u{fc}ller", "12", "12.0"]));
    let dataset = Dataset::open(&small.dataset.root).unwrap();
    let lines = [
        r#"{"case": "Mu\u0308ller", "text": "Yes"}"#,
        r#"{"case": "Mu\u0308ller", "document": "'d1", "text": "No"}"#,
        r#"{"case": "+12", "text": "Yes"}"#,
    ];
    let file = small.file("spelt.jsonl", lines.join("\n"));
    let imported = import_predictions(&dataset, &[file], &options("x"), None).unwrap();
    assert_eq!((imported.answers, imported.joined), (3, 2));
    let said = said(&imported);
    assert!(said.contains("answers where the id may be that of several cases, in another spelling"), "{said}");
    let answers = small.run("x").into_answers(&dataset).unwrap();
    assert_eq!((answers.len(), answers[0].hits[0].document.as_str()), (1, "d1"));
}

/// Lines of test cases with these ids.
fn cases_named(ids: &[&str]) -> String {
    let line = |id: &&str| {
        format!(r#"{{"id": "{id}", "task": "lesion", "split": "test", "image": "images/a.png", "answer": "Yes"}}"#)
            + "\n"
    };
    ids.iter().map(line).collect()
}

#[test]
fn pictures_are_compared_by_content_where_their_files_are_there() {
    let small = Small::new();
    // The file of another name has the content of the second case's picture.
    let picture = fs::read(small.dataset.root.join("images/b.png")).unwrap();
    let images = small.file("pictures/first.png", picture).parent().unwrap().to_path_buf();
    let file = small.file("x.jsonl", r#"{"question": "Is there a lesion?", "image": "first.png", "text": "Yes"}"#);
    let with_images = PredictionOptions { images: Some(images.clone()), ..options("x") };
    small.import(&file, &with_images).unwrap();
    assert_eq!(small.answers("x")[0].case, 1);
    // An id whose case has another picture is not believed.
    let file = small.file("y.jsonl", r#"{"case": "c1", "image": "first.png", "text": "Yes"}"#);
    let with_images = PredictionOptions { images: Some(images), ..options("y") };
    let error = small.import(&file, &with_images).unwrap_err();
    assert!(error.contains("the case with this id has another question or picture"), "{error}");
}

#[test]
fn two_cases_of_one_question_and_picture_are_not_guessed() {
    let small = Small::new();
    let cases = r#"{"id": "a", "task": "lesion", "split": "test", "image": "images/a.png", "answer": "Yes"}
{"id": "b", "task": "lesion", "split": "test", "image": "images/a.png", "answer": "Yes"}
{"id": "c", "task": "lesion", "split": "train", "image": "images/b.png", "answer": "Yes"}
"#;
    put(&small.dataset.root, "cases.jsonl", cases);
    let small = Small { dataset: Dataset::open(&small.dataset.root).unwrap(), ..small };
    let error = small.error(r#"{"question": "Is there a lesion?", "image": "a.png", "text": "Yes"}"#);
    assert!(error.contains("several cases have this question and picture"), "{error}");
    let file = small.file("x.jsonl", r#"{"case": "c", "text": "Yes"}"#);
    let only_test = PredictionOptions { split: Some(Split::Test), ..options("x") };
    let error = small.import(&file, &only_test).unwrap_err();
    assert!(error.contains("answers where the case is in another split"), "{error}");
}

#[test]
fn texts_are_read_as_the_reference_reads_them_and_doubtful_ones_are_named() {
    let small = Small::new();
    let lines = concat!(
        r#"{"case": "c1", "text": "I cannot tell."}"#,
        "\n",
        r#"{"case": "c2", "answer": "Yes", "text": "Nothing to be seen: yes"}"#,
        "\n",
        r#"{"case": "c3", "prediction": "No", "label_log_probabilities": {"Yes": -0.1, "No": -3}}"#,
        "\n"
    );
    let file = small.file("x.jsonl", lines);
    let imported = small.import(&file, &options("x")).unwrap();
    let labels: Vec<Option<usize>> =
        small.answers("x").iter().map(|answer| answer.closed_book.as_ref().unwrap().label()).collect();
    assert_eq!(labels, [Some(0), Some(0), Some(0)], "No comes first, and cannot and nothing have it");
    let remarks = said(&imported);
    assert!(remarks.contains("2 of 2 texts name a label only inside of longer words"), "{remarks}");
    assert!(remarks.contains("x.jsonl:1: \"I cannot tell.\""), "{remarks}");
    assert!(remarks.contains("1 answers have another gold answer in the file than in the dataset"), "{remarks}");
    assert!(remarks.contains("1 answers are another one than that with the largest score"), "{remarks}");
    let whole_words = PredictionOptions { whole_words: true, ..options("y") };
    let imported = small.import(&file, &whole_words).unwrap();
    let labels: Vec<Option<usize>> =
        small.answers("y").iter().map(|answer| answer.closed_book.as_ref().unwrap().label()).collect();
    assert_eq!(labels, [None, Some(1), Some(0)]);
    assert!(said(&imported).contains("1 of 2 texts name no label"), "{}", said(&imported));
}

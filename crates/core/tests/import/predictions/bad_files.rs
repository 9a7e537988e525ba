//! Every wrong line is named with file, line and field, and no run is written.

use super::{Small, options};
use dissent_core::predictions::PredictionOptions;

#[test]
fn wrong_lines_are_named() {
    let small = Small::new();
    let good = r#"{"case": "c1", "model": "m", "text": "Yes"}"#;
    let wrong = [
        ("{", "not valid JSON"),
        ("[]", "expected a JSON object"),
        (r#"{"text": "Yes"}"#, "field case: the field is missing"),
        (r#"{"case": "c2"}"#, "expected an answer: text, prediction"),
        (r#"{"case": ["c2"], "text": "Yes"}"#, "field case: expected a text, found a list"),
        (r#"{"case": "c2", "text": {"a": 1}}"#, "field text: expected a text, found an object"),
        (r#"{"case": "c2", "text": "Yes", "text": "No"}"#, r#"the key "text" appears twice"#),
        (r#"{"case": "c2", "document": "d1", "rank": 1, "text": "Yes"}"#, "field head: the field is missing"),
        (r#"{"case": "c2", "document": "d1", "head": "image", "text": "Yes"}"#, "field rank: the field is missing"),
        (
            r#"{"case": "c2", "document": "d1", "head": "image", "rank": 0, "text": "Yes"}"#,
            "field rank: expected a whole number from 1",
        ),
        (r#"{"case": "c2", "document": "d1", "head": "two words", "rank": 1, "text": "Yes"}"#, "field head"),
        (
            r#"{"case": "c2", "document": "d1", "head": "image", "rank": 1, "score": NaN, "text": "Yes"}"#,
            "field score: expected a finite number, found NaN",
        ),
        (
            r#"{"case": "c2", "document": "d1", "heads": [{"head": "image", "rank": 1}, {"head": "image", "rank": 2}], "text": "Yes"}"#,
            "field heads: the head image is there twice",
        ),
        (
            r#"{"case": "c2", "document": "d1", "heads": [{"head": "image", "rank": 1}], "rank": 2, "text": "Yes"}"#,
            "field rank: expected either heads or rank, found both",
        ),
        (r#"{"case": "c2", "head": "image", "text": "Yes"}"#, "field head: expected it only beside a document"),
        (
            r#"{"case": "c2", "document": "d1", "fused": true, "text": "Yes"}"#,
            "field document: expected none in a line of the fused",
        ),
        (r#"{"case": "c2", "fused": 1, "text": "Yes"}"#, "field fused: expected true or false"),
        (r#"{"case": "c2", "ablation": "blind", "text": "Yes"}"#, "field ablation"),
        (r#"{"case": "c2", "ablation": "no-image", "text": "Yes"}"#, "field ablation: expected the same on every line"),
        (
            r#"{"case": "c2", "prediction": "Maybe"}"#,
            r#"field prediction: expected labels of the task lesion (No, Yes), found "Maybe""#,
        ),
        (r#"{"case": "c2", "predicted_set": ["Yes"]}"#, "field predicted_set: the task takes one label"),
        (r#"{"case": "c2", "label_log_probabilities": {"Yes": -1}}"#, "found none for No"),
        (r#"{"case": "c2", "label_log_probabilities": [-1]}"#, "expected 2 numbers, one per label of the task lesion"),
        (
            r#"{"case": "c2", "label_log_probabilities": {"Yes": -1, "no": -2, "No": -2}}"#,
            "the label No has two numbers",
        ),
        (r#"{"case": "c2", "label_log_probabilities": {"Yes": 0.9, "No": 0.1}}"#, "expected numbers of at most 0"),
        (
            r#"{"case": "c2", "label_log_probabilities": {"Yes": "-1", "No": -2}}"#,
            "label Yes: expected a finite number",
        ),
        (r#"{"case": "c2", "label_log_probabilities": {"Yes": -Infinity, "No": -Infinity}}"#, "found -Infinity alone"),
        (
            r#"{"case": "c2", "label_log_probabilities": {"Yes": {"at_least": 0}, "No": -2}}"#,
            "expected a number or at_most",
        ),
        (r#"{"case": "c2", "label_log_probabilities": [-1, -2], "labels": ["Yes"]}"#, "one per entry of labels"),
        (
            r#"{"case": "c2", "label_log_probabilities": [-1, -2], "label_probabilities": [0.5, 0.5]}"#,
            "expected either label_log_probabilities or label_probabilities",
        ),
        (
            r#"{"case": "c2", "label_probabilities": {"Yes": 0.9, "No": 0.9}}"#,
            "expected probabilities that sum to at most 1",
        ),
        (
            r#"{"case": "c2", "label_probabilities": {"Yes": 1.5, "No": 0}}"#,
            "expected probabilities between 0 and 1, found 1.5",
        ),
        (r#"{"case": "c2", "label_log_odds": [1, 2]}"#, "field label_log_odds: the task takes one label"),
        (r#"{"case": "f1", "prediction": "edema"}"#, "field prediction: the task takes several labels at once"),
        (r#"{"case": "f1", "label_log_odds": {"edema": {"at_most": 2}, "nodule": 0}}"#, "expected at_most below 0"),
        (r#"{"case": "w1", "label_log_probabilities": [-1]}"#, "the task's answers are open"),
        (r#"{"case": "c1", "model": "m", "text": "No"}"#, "has answered the case c1 already in"),
        (
            r#"{"case": "c2", "label_counts": {"Yes": 1.5, "No": 0}}"#,
            "label Yes: expected a number of answers, found 1.5",
        ),
        (r#"{"case": "c2", "label_counts": {"Yes": 0, "No": 0}}"#, "field label_counts: expected 1 to"),
        (r#"{"case": "c2", "text": "Yes", "no_label": 1}"#, "field no_label: expected it only beside label_counts"),
    ];
    for (line, expected) in wrong {
        let error = small.error(&format!("{good}\n\n{line}\n"));
        assert!(error.contains("wrong.jsonl:3") && error.contains(expected), "{line}\n{error}");
        assert!(!small.has_run("wrong"), "{line}");
    }
}

#[test]
fn samples_and_probabilities_are_not_mixed_in_one_run() {
    let small = Small::new();
    let lines = concat!(
        r#"{"case": "c1", "label_counts": {"Yes": 3, "No": 1}}"#,
        "\n",
        r#"{"case": "c2", "label_log_probabilities": {"Yes": -3, "No": -1}}"#
    );
    let error = small.error(lines);
    assert!(error.contains("wrong.jsonl:2: expected either label_counts or log-probabilities"), "{error}");
}

#[test]
fn candidates_have_no_documents_and_are_several() {
    let small = Small::new();
    let as_candidates = PredictionOptions { as_candidates: true, ..options("x") };
    let error = |lines: &str| small.import(&small.file("x.jsonl", lines), &as_candidates).unwrap_err();
    let with_document = error(r#"{"case": "c1", "document": "d1", "text": "Yes"}"#);
    assert!(with_document.contains("x.jsonl:1: field document: expected none, as models stand"), "{with_document}");
    let one = error(r#"{"case": "c1", "model": "m", "text": "Yes"}"#);
    assert!(one.contains("expected the answers of two models or more, found those of m alone"), "{one}");
}

#[test]
fn other_files_are_refused_by_name() {
    let small = Small::new();
    let error = |name: &str, content: &[u8]| small.import(&small.file(name, content), &options("x")).unwrap_err();
    let empty = error("empty.jsonl", b"");
    assert!(empty.contains("empty.jsonl: expected predictions, found an empty file"), "{empty}");
    let reference = error(
        "step-0.jsonl",
        br#"{"query": "q", "answers": "Yes", "generation": "Yes", "passages": [], "metadata": {}}"#,
    );
    assert!(
        reference.contains("predictions of the reference code; `dissent import predictions FILE DATASET`"),
        "{reference}"
    );
    let unknown = error("x.jsonl", br#"{"a": 1, "b": 2}"#);
    assert!(unknown.contains("found the fields a, b"), "{unknown}");
    let scores = error("m_d_acc.csv", b"split,Overall\n");
    assert!(scores.contains("VLMEvalKit's scores"), "{scores}");
    let pickle = error("m_d.pkl", b"x");
    assert!(pickle.contains("found a pickle"), "{pickle}");
    let folder = small.import(small.dataset.root.as_path(), &options("x")).unwrap_err();
    assert!(folder.contains("run folder of HELM"), "{folder}");
    let name = small.import(&small.file("ok.jsonl", r#"{"case": "c1", "text": "Yes"}"#), &options("a/b")).unwrap_err();
    assert!(name.contains("expected a run name"), "{name}");
    let nothing = error("none.jsonl", br#"{"case": "zzz", "text": "Yes"}"#);
    assert!(nothing.contains("no answer belongs to a case") && nothing.contains("no case has this id"), "{nothing}");
    let utf16 = error("utf16.jsonl", b"\xFF\xFE{\0");
    assert!(utf16.contains("UTF-16"), "{utf16}");
}

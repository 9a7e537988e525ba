//! Prediction files of the reference code: imported, explored and evaluated with no model.

use crate::support::program::dissent;
use dissent::data::{Dataset, Existing, Split};
use dissent::run::{CaseAnswer, Head, Prediction, Run};
use dissent::run_import::{ReferenceRunOptions, import_reference_run};
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};

/// Three cases of four candidates; the second one's first text names no label, the third's candidates share a document.
fn lines() -> Vec<Value> {
    let mut lines = Vec::new();
    for case in 0..3 {
        let texts = match case {
            0 => ["Yes", "Yes", "yes.", "Yes"],
            1 => ["unclear", "No", "No", "Yes"],
            _ => ["No", "Yes", "No", "Yes"],
        };
        for (place, text) in texts.iter().enumerate() {
            let document = if case == 2 && place == 2 { 0 } else { place };
            lines.push(json!({
                "query": "does this ultrasound show cancer?",
                "answers": if case == 1 { "No" } else { "Yes" },
                "generation": text,
                "logits": [[0.0, 1.0], [1.0, 0.0], [2.0, 0.0], [0.0, 3.0]],
                "passages": [{"id": document, "img_path": format!("corpus/{case}-{document}.png"),
                              "text": format!("document {document} of {case}"), "dataset_source": "roco"}],
                "metadata": {"image_path": format!("queries/{case}.png"), "query": "q", "target": "<extra_id_0> Yes"},
            }));
        }
    }
    lines
}

fn write(folder: &Path, name: &str, lines: &[Value]) -> PathBuf {
    let path = folder.join(name);
    let text = lines.iter().map(Value::to_string).collect::<Vec<_>>().join("\n") + "\n";
    fs::write(&path, text).unwrap();
    path
}

fn options() -> ReferenceRunOptions {
    ReferenceRunOptions {
        fused: None,
        closed_book: None,
        images: None,
        labels: Vec::new(),
        task: "cancer".into(),
        split: Split::Test,
        run: "imported".into(),
        heads: None,
    }
}

fn import(
    source: &Path,
    target: &Path,
    options: &ReferenceRunOptions,
) -> Result<(Vec<CaseAnswer>, Vec<String>), String> {
    let imported = import_reference_run(source, target, options, Existing::Refuse, None, &|_, _| {});
    let imported = imported.map_err(|error| format!("{error:#}"))?;
    let run = Run::open(&target.join(".dissent/runs/imported")).unwrap();
    Ok((run.into_answers(&Dataset::open(target).unwrap()).unwrap(), imported.remarks))
}

#[test]
fn candidates_become_hits_and_predictions() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("queries")).unwrap();
    image::GrayImage::new(8, 8).save(folder.path().join("queries/0.png")).unwrap();
    let source = write(folder.path(), "breast-step-0.jsonl", &lines());
    let fused: Vec<Value> = [0, 4, 8]
        .map(|first| {
            let mut line = lines()[first].clone();
            line["generation"] = json!(if first == 4 { "No" } else { "Yes" });
            line["passages"] = json!([]);
            line
        })
        .to_vec();
    let options = ReferenceRunOptions {
        fused: Some(write(folder.path(), "breast-step-0-fused.jsonl", &fused)),
        closed_book: Some(write(folder.path(), "closed.jsonl", &fused)),
        ..options()
    };
    let (answers, remarks) = import(&source, &folder.path().join("dataset"), &options).unwrap();
    let labels =
        |answer: &CaseAnswer| -> Vec<Option<usize>> { answer.predictions.iter().map(Prediction::label).collect() };
    assert_eq!(labels(&answers[0]), [Some(1); 4]);
    assert_eq!(labels(&answers[1]), [None, Some(0), Some(0), Some(1)]);
    assert_eq!(answers[1].predictions[0].text.as_deref(), Some("unclear"));
    // The second logit is larger by 1: log softmax.
    let scores = answers[0].predictions[0].scores.as_ref().unwrap();
    assert!((scores.log_probabilities()[1] - -0.313_26).abs() < 1e-4, "{scores:?}");
    let heads: Vec<(Head, usize)> = answers[0].hits.iter().map(|hit| (hit.first().head, hit.first().rank)).collect();
    assert_eq!(heads, [(Head::Image, 1), (Head::Image, 2), (Head::Caption, 1), (Head::Caption, 2)]);
    assert_eq!(answers[2].hits.len(), 3, "one document of both heads is one hit");
    assert_eq!(answers[2].hits[0].provenances.len(), 2);
    assert_eq!(answers[1].recorded_fusion.as_ref().unwrap().label(), Some(0));
    assert_eq!(answers[1].closed_book.as_ref().unwrap().label(), Some(0));
    assert!(folder.path().join("dataset/images/case-00001.png").is_file());
    let remarks = remarks.join("\n");
    assert!(remarks.contains("3 cases, 11 predictions") && remarks.contains("1 of 11 generated texts"), "{remarks}");
    assert!(remarks.contains("another label than the text's in 4 of 10 predictions"), "{remarks}");
    assert!(remarks.contains("13 images were not found"), "{remarks}");

    let evaluate = dissent()
        .args(["evaluate", "--runs", "imported", "--csv"])
        .arg(folder.path().join("dataset"))
        .output()
        .unwrap();
    let csv = String::from_utf8(evaluate.stdout).unwrap();
    let line = |begin: &str| {
        csv.lines().find(|line| line.starts_with(begin)).unwrap_or_else(|| panic!("{begin}: {csv}")).to_owned()
    };
    assert!(line("fusers,\"Fusers, cancer\",test,\"imported, as recorded\",all,").contains(",all,1,"));
    assert!(
        line("disagreement,\"Disagreement, cancer\",test,imported,inconsistent,")
            .contains(",inconsistent,0.6666666666666666,")
    );
}

#[test]
fn what_is_wrong_with_a_file_is_named_by_line() {
    let folder = tempfile::tempdir().unwrap();
    let message = |name: &str, lines: &[Value], options: &ReferenceRunOptions| {
        let source = write(folder.path(), "S-step-0.jsonl", lines);
        import(&source, &folder.path().join(name), options).unwrap_err()
    };
    let cut = &lines()[..11];
    let error = message("cut", cut, &options());
    assert!(error.contains("S-step-0.jsonl:9: expected 4 candidates as for the first case, found 3"), "{error}");
    let mut bad = lines();
    bad[5]["passages"] = json!([]);
    let error = message("fused", &bad, &options());
    assert!(error.contains("S-step-0.jsonl:6: field passages: expected one document per line, found 0"), "{error}");
    let mut bad = lines();
    for line in &mut bad[4..8] {
        line["logits"] = json!([[0.0, 1.0, 2.0], [0.0, 1.0, 2.0], [0.0, 1.0, 2.0], [0.0, 1.0, 2.0]]);
    }
    let error = message("logits", &bad, &options());
    assert!(error.contains("S-step-0.jsonl:5: field logits: expected 2 numbers a row"), "{error}");
    let mut bad = lines();
    bad[2].as_object_mut().unwrap().remove("generation");
    let error = message("field", &bad, &options());
    assert!(error.contains("S-step-0.jsonl:3:") && error.contains("generation"), "{error}");
    let labels = ReferenceRunOptions { labels: vec!["benign".into(), "malignant".into()], ..options() };
    let error = message("labels", &lines(), &labels);
    assert!(
        error.contains("S-step-0.jsonl:1: field answers: expected one of benign, malignant, found \"Yes\""),
        "{error}"
    );
    let other = write(folder.path(), "other-fused.jsonl", &[lines()[4].clone()]);
    let error = message("other", &lines(), &ReferenceRunOptions { fused: Some(other), ..options() });
    assert!(error.contains("other-fused.jsonl:1: expected the case of line 1"), "{error}");
    for name in ["cut", "fused", "logits", "field", "labels", "other"] {
        assert!(!folder.path().join(name).exists(), "nothing is left of {name}");
    }
}

#[test]
fn what_a_file_says_twice_in_two_ways_is_an_error_or_a_remark() {
    let folder = tempfile::tempdir().unwrap();
    for (name, place, field, value, expected) in [
        (
            "logits",
            1,
            "logits",
            json!([[9.0, 1.0], [1.0, 0.0], [2.0, 0.0], [0.0, 3.0]]),
            ":2: field logits: expected the numbers of line 1",
        ),
        ("answer", 0, "answer", json!("No"), "field answer: found \"No\", but answers says \"Yes\""),
        (
            "image",
            0,
            "passages",
            json!([{"img_path": "a.png", "image": "b.png", "text": "t"}]),
            "field passages.image: found \"b.png\"",
        ),
        (
            "caption",
            0,
            "passages",
            json!([{"img_path": "a.png", "text": "t", "caption": "u"}]),
            "field passages.caption: found \"u\"",
        ),
        (
            "source",
            0,
            "passages",
            json!([{"img_path": "a.png", "text": "t", "dataset_source": "roco", "source": "pmc"}]),
            "field passages.source: found \"pmc\"",
        ),
    ] {
        let mut bad = lines();
        bad[place][field] = value;
        let error =
            import(&write(folder.path(), "S-step-0.jsonl", &bad), &folder.path().join(name), &options()).unwrap_err();
        assert!(error.contains(expected), "{error}");
    }
    let mut doubled = lines();
    doubled[10]["generation"] = json!("Yes");
    let mut again = doubled[..4].to_vec();
    for line in &mut again {
        line["answers"] = json!("No");
    }
    doubled.extend(again);
    for (place, line) in doubled.iter_mut().enumerate() {
        line["metadata"]["id"] = json!(if place < 8 { 7 } else { place / 4 });
    }
    for line in &mut doubled[12..] {
        line["metadata"]["id"] = json!(7.0);
    }
    let source = write(folder.path(), "S-step-0.jsonl", &doubled);
    let (answers, remarks) = import(&source, &folder.path().join("doubled"), &options()).unwrap();
    let remarks = remarks.join("\n");
    assert_eq!((answers.len(), answers[2].predictions[0].label()), (4, Some(0)), "{remarks}");
    for expected in [
        "1 cases have question, image and id of an earlier one, 1 of them with another gold answer (the first is that of line 13, as on line 1)",
        "1 cases have the id of an earlier one, but another image (the first is \"7\" on lines 1 and 5)",
        "have another answer there 1 times and other logits 1 times (the first is \"corpus/2-0.png\", in the case of line 9)",
    ] {
        assert!(remarks.contains(expected), "{expected} is missing in {remarks}");
    }
}

#[test]
fn python_json_is_read_and_a_masked_label_has_no_chance() {
    let folder = tempfile::tempdir().unwrap();
    let path = write(folder.path(), "S-step-0.jsonl", &lines());
    let text = fs::read_to_string(&path).unwrap();
    let masked = text.replace("[[0.0,1.0],", "[[-Infinity,1.0],");
    assert_ne!(masked, text);
    fs::write(&path, format!("\u{feff}{masked}")).unwrap();
    let (answers, _) = import(&path, &folder.path().join("masked"), &options()).unwrap();
    let scores = answers[0].predictions[0].scores.as_ref().unwrap();
    assert_eq!(scores.probabilities(), [0.0, 1.0]);
    for (found, expected) in [
        (
            "[[NaN,1.0],",
            "S-step-0.jsonl:1: field logits: expected finite numbers, or -Infinity of a masked label, found NaN",
        ),
        ("[[Infinity,1.0],", "field logits: expected finite numbers"),
        ("[[1e999,1.0],", "field logits: expected finite numbers"),
        ("[[-Infinity,-Infinity],", "field logits: expected a finite number in each row"),
    ] {
        fs::write(&path, text.replace("[[0.0,1.0],", found)).unwrap();
        let error = import(&path, &folder.path().join("refused"), &options()).unwrap_err();
        assert!(error.contains(expected), "{error}");
    }
    fs::write(&path, text.replacen("\"answers\"", "\"answers\":\"No\",\"answers\"", 1)).unwrap();
    let error = import(&path, &folder.path().join("refused"), &options()).unwrap_err();
    assert!(error.contains("S-step-0.jsonl:1:") && error.contains("\"answers\" appears twice"), "{error}");
}

#[test]
fn lists_of_labels_are_compared_as_sets() {
    let folder = tempfile::tempdir().unwrap();
    let texts = [["3, 0", "0,3"], ["0", "0, 5"], ["none", "1"]];
    let mut lines = Vec::new();
    for (case, (gold, texts)) in ["0, 3", "1", "1"].iter().zip(texts).enumerate() {
        for (place, text) in texts.iter().enumerate() {
            lines.push(json!({
                "query": "which findings?", "answers": gold, "generation": text,
                "passages": [{"img_path": format!("{case}-{place}.png"), "text": "a document"}],
                "metadata": {"image_path": format!("{case}.png")},
            }));
        }
    }
    let source = write(folder.path(), "fundus-step-0.jsonl", &lines);
    let target = folder.path().join("dataset");
    let (answers, _) = import(&source, &target, &options()).unwrap();
    let labels: Vec<Vec<Option<usize>>> =
        answers.iter().map(|answer| answer.predictions.iter().map(Prediction::label).collect()).collect();
    // Sorted: "0", "0, 3", "0, 5", "1". Two different wrong sets are two answers.
    assert_eq!(labels, [[Some(1), Some(1)], [Some(0), Some(2)], [None, Some(3)]]);
    let evaluate = dissent()
        .args(["evaluate", "--runs", "imported", "--csv", "--tables", "accuracy,labels"])
        .arg(&target)
        .output()
        .unwrap();
    let text = String::from_utf8(evaluate.stdout).unwrap();
    // Accuracy is that of whole sets; label 3 is right in the one case that has it, label 5 is answered in no fused answer.
    for line in [
        "\"imported, all\",accuracy,0.3333333333333333,,,3,",
        "\"imported, label 0\",F1,0.6666666666666666,,,3,",
        "\"imported, label 3\",F1,1,,,3,",
        "\"imported, label 5\",F1,0,,,3,",
        "\"imported, all labels (micro)\",F1,0.5714285714285714,,,3,",
    ] {
        assert!(text.contains(line), "expected {line} in {text}");
    }

    lines[2]["answers"] = json!("drusen");
    lines[3]["answers"] = json!("drusen");
    let source = write(folder.path(), "named.jsonl", &lines);
    let error = import(&source, &folder.path().join("named"), &options()).unwrap_err();
    assert!(error.contains("named.jsonl:3: field answers: expected numbers parted by commas"), "{error}");
}

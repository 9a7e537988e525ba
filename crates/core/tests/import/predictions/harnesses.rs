//! Files of harnesses, made here with the fields of their programs.

use super::{Small, options, said};
use crate::support::put;
use base64::Engine;
use dissent_core::data::{Answer, Dataset, Split};
use dissent_core::predictions::{ImportedPredictions, PredictionOptions, import_predictions};
use dissent_core::run::Run;
use std::fs;
use std::io::{Cursor, Write};

fn labels(small: &Small, run: &str) -> Vec<(usize, Option<usize>)> {
    let answers = small.answers(run);
    answers.iter().map(|answer| (answer.case, answer.closed_book.as_ref().unwrap().label())).collect()
}

#[test]
fn lmms_eval_joins_by_the_id_in_a_metric_or_in_doc() {
    let small = Small::new();
    let lines = concat!(
        r#"{"doc_id": 0, "target": "Yes", "filtered_resps": "Yes", "slake_accuracy": {"id": "c1", "is_correct": true}, "input": "Is there a lesion?\nAnswer with one word."}"#,
        "\n",
        r#"{"doc_id": 1, "target": "No", "filtered_resps": [["Yes"]], "doc": {"qid": "c2", "question": "Is there a lesion?"}}"#,
        "\n",
        // doc_id is no id of the dataset, and two cases have this question.
        r#"{"doc_id": 2, "filtered_resps": "Yes", "input": "Is there a lesion?"}"#,
        "\n",
        // The harness ran again.
        r#"{"doc_id": 0, "target": "Yes", "filtered_resps": "No", "slake_accuracy": {"id": "c1"}, "input": "Is there a lesion?"}"#,
        "\n"
    );
    let file = small.file("out/org__model/20260101_samples_small.jsonl", lines);
    let imported = small.import(&file, &options("lmms")).unwrap();
    assert_eq!(imported.runs[0].models, ["org/model"]);
    assert_eq!(labels(&small, "lmms"), [(0, Some(0)), (1, Some(1))]);
    let said = said(&imported);
    assert!(said.contains("1 answers have another one to the same case further down"), "{said}");
    assert!(said.contains("1 left out: answers where several cases have this question"), "{said}");
    let several = small.file("out/m/x_samples_y.jsonl", r#"{"doc_id": 0, "filtered_resps": ["a", "b"]}"#);
    let error = small.import(&several, &options("x")).unwrap_err();
    assert!(error.contains("x_samples_y.jsonl:1: field filtered_resps: expected one answer, found 2"), "{error}");
    let two_ids = r#"{"doc_id": 0, "filtered_resps": "a", "doc": {"qid": "c1"}, "m": {"id": "c2"}}"#;
    let error = small.import(&small.file("out/m/x_samples_z.jsonl", two_ids), &options("x")).unwrap_err();
    assert!(error.contains("expected one id in doc and in the metrics, found c1 and c2"), "{error}");
}

#[test]
fn llava_joins_by_id_or_with_its_questions_by_picture() {
    let small = Small::new();
    let answers = concat!(
        r#"{"question_id": "c1", "prompt": "Is there a lesion?", "text": "Yes.", "answer_id": "x", "model_id": "llava", "metadata": {}}"#,
        "\n{\n  \"question_id\": 7,\n  \"prompt\": \"Is there a lesion?\", \"text\": \"No\", \"model_id\": \"llava\"}\n"
    );
    let file = small.file("answer.jsonl", answers);
    let imported = small.import(&file, &options("a")).unwrap();
    assert_eq!((labels(&small, "a"), imported.runs[0].models.clone()), (vec![(0, Some(1))], vec!["llava".to_owned()]));
    let questions = concat!(
        r#"{"question_id": "c1", "image": "a.png", "text": "Is there a lesion?\n<image>"}"#,
        "\n",
        r#"{"question_id": 7, "image": "b.png", "text": "Is there a lesion?\n<image>"}"#,
        "\n"
    );
    let questions = small.file("question.jsonl", questions);
    let with_questions = PredictionOptions { questions: Some(questions), ..options("b") };
    small.import(&file, &with_questions).unwrap();
    assert_eq!(labels(&small, "b"), [(0, Some(1)), (1, Some(0))]);
    let twice = small.file("twice.jsonl", r#"{"question_id": 1, "text": "a"} {"question_id": 1, "text": "b"}"#);
    let error = small.import(&file, &PredictionOptions { questions: Some(twice), ..options("c") }).unwrap_err();
    assert!(error.contains("twice.jsonl:1: field question_id: the question \"1\" is there twice"), "{error}");
    let no_text = small.file("bad.jsonl", r#"{"question_id": 1, "text": null}"#);
    let error = small.import(&no_text, &options("d")).unwrap_err();
    assert!(error.contains("bad.jsonl:1: field text: the field is missing"), "{error}");
}

/// An Excel file with one sheet; numbers stay numbers.
fn xlsx(rows: &[&[&str]]) -> Vec<u8> {
    let mut sheet = String::from(
        r#"<?xml version="1.0"?><worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>"#,
    );
    for (row, cells) in rows.iter().enumerate() {
        sheet.push_str(&format!(r#"<row r="{}">"#, row + 1));
        for (column, cell) in cells.iter().enumerate() {
            let place = format!("{}{}", char::from(b'A' + column as u8), row + 1);
            if cell.parse::<f64>().is_ok() {
                sheet.push_str(&format!(r#"<c r="{place}" t="n"><v>{cell}</v></c>"#));
            } else {
                sheet.push_str(&format!(r#"<c r="{place}" t="inlineStr"><is><t>{cell}</t></is></c>"#));
            }
        }
        sheet.push_str("</row>");
    }
    sheet.push_str("</sheetData></worksheet>");
    let parts = [
        (
            "[Content_Types].xml",
            r#"<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="xml" ContentType="application/xml"/><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Override PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/><Override PartName="/xl/worksheets/sheet1.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/></Types>"#,
        ),
        (
            "_rels/.rels",
            r#"<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="xl/workbook.xml"/></Relationships>"#,
        ),
        (
            "xl/workbook.xml",
            r#"<?xml version="1.0"?><workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets><sheet name="Sheet1" sheetId="1" r:id="rId1"/></sheets></workbook>"#,
        ),
        (
            "xl/_rels/workbook.xml.rels",
            r#"<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" Target="worksheets/sheet1.xml"/></Relationships>"#,
        ),
        ("xl/worksheets/sheet1.xml", sheet.as_str()),
    ];
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in parts {
        zip.start_file(name, zip::write::SimpleFileOptions::default()).unwrap();
        zip.write_all(content.as_bytes()).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

#[test]
fn vlmevalkit_is_read_from_excel_tabs_and_json() {
    let small = Small::new();
    let rows: [&[&str]; 5] = [
        &["index", "question", "A", "B", "answer", "prediction"],
        &["0", "Is it large?", "Yes", "No", "B", "(B) it is not"],
        &["c1", "Is there a lesion?", "Yes", "No", "A", "Failed to obtain answer via API."],
        &["c2", "Is there a lesion?", "Yes", "No", "B", "Yes"],
        &["9", "Is there a lesion?", "Yes", "No", "B", "2"],
    ];
    let tabs: Vec<String> = rows.iter().map(|row| row.join("\t")).collect();
    let objects: Vec<serde_json::Value> = rows[1..]
        .iter()
        .map(|row| rows[0].iter().zip(*row).map(|(name, cell)| ((*name).to_owned(), serde_json::json!(cell))).collect())
        .collect();
    let files = [
        small.file("Demo/T20260101-120000/Demo_SMALL.xlsx", xlsx(&rows)),
        small.file("Demo/Demo_SMALL.tsv", tabs.join("\n")),
        small.file("Demo/Demo_SMALL.json", serde_json::to_string_pretty(&objects).unwrap()),
    ];
    for (place, file) in files.iter().enumerate() {
        let name = format!("run{place}");
        let imported = small.import(file, &options(&name)).unwrap();
        assert_eq!(imported.runs[0].models, ["Demo"], "{}", file.display());
        assert_eq!(labels(&small, &name), [(0, None), (1, Some(1)), (2, Some(0))], "{}", file.display());
        let said = said(&imported);
        assert!(said.contains("say that the other program's call failed"), "{said}");
        assert!(said.contains("several cases have this question, and the file names no picture"), "{said}");
        assert!(!said.contains("another gold answer"), "{said}");
    }
}

#[test]
fn the_data_of_vlmevalkit_has_the_pictures() {
    let small = Small::new();
    let base64 = |name: &str| {
        let bytes = fs::read(small.dataset.root.join("images").join(name)).unwrap();
        base64::engine::general_purpose::STANDARD.encode(bytes)
    };
    let data = format!(
        "index\timage\tquestion\n0\t{}\tIs there a lesion?\n1\t0\tWhat is it?\n2\t{}\tIs there a lesion?\n",
        base64("a.png"),
        base64("b.png")
    );
    let data = small.file("LMUData/SMALL.tsv", data);
    let answers =
        "index\tquestion\tprediction\n0\tIs there a lesion?\tYes\n1\tWhat is it?\ta cyst\n2\tIs there a lesion?\tNo\n";
    let file = small.file("M/M_SMALL.tsv", answers);
    let with_data = PredictionOptions { questions: Some(data), ..options("x") };
    let imported = small.import(&file, &with_data).unwrap();
    assert_eq!(imported.joined, 3, "{}", said(&imported));
    let answers = small.answers("x");
    let cases: Vec<usize> = answers.iter().map(|answer| answer.case).collect();
    assert_eq!(cases, [0, 1, 3]);
    assert_eq!(answers[2].closed_book.as_ref().unwrap().answer, Answer::from_words("cyst"));
    let error = |name: &str, data: &str| {
        let questions = Some(small.file(name, data));
        small.import(&file, &PredictionOptions { questions, ..options("y") }).unwrap_err()
    };
    let reference = error("a.tsv", "index\timage\n0\t5\n");
    assert!(
        reference.contains("row 0: field image: expected the index of a row with a picture, found \"5\""),
        "{reference}"
    );
    let other = error("b.tsv", &format!("index\timage\n0\t{}\n", "?".repeat(80)));
    assert!(other.contains("b.tsv:2: field image: expected a picture in base64"), "{other}");
    let fields = small.import(&small.file("M/M_X.tsv", "index\tprediction\n0\n"), &options("z")).unwrap_err();
    assert!(fields.contains("M_X.tsv:2: expected 2 fields as in the header, found 1"), "{fields}");
    let columns = small.import(&small.file("M/M_Y.tsv", "index\tanswer\n0\tx\n"), &options("z")).unwrap_err();
    assert!(columns.contains("expected the column prediction, found index, answer"), "{columns}");
    let excel = small.import(&small.file("M/M_Z.xlsx", "no zip"), &options("z")).unwrap_err();
    assert!(excel.contains("M_Z.xlsx: expected an Excel file"), "{excel}");
}

#[test]
fn helm_joins_by_question_and_picture() {
    let small = Small::new();
    let instance = |id: &str, image: &str| {
        format!(
            r#"{{"id": "{id}", "split": "test", "input": {{"text": "", "multimedia_content": {{"media_objects": [
            {{"content_type": "image/png", "location": "{image}"}}, {{"content_type": "text/plain", "text": "Is there a lesion?"}}]}}}},
            "references": [{{"output": {{"text": "Yes"}}, "tags": ["correct"]}}]}}"#
        )
    };
    small.file("run/instances.json", format!("[{},{}]", instance("id0", "x/a.png"), instance("id1", "images/b.png")));
    small.file("run/run_spec.json", r#"{"name": "r", "adapter_spec": {"model": "org/m"}}"#);
    let answers = r#"[{"instance_id": "id1", "train_trial_index": 0, "predicted_text": "B", "mapped_output": "No"},
        {"instance_id": "id1", "train_trial_index": 1, "predicted_text": "Yes"},
        {"instance_id": "id0", "perturbation": {"name": "typos"}, "train_trial_index": 0, "predicted_text": "Yes"},
        {"instance_id": "id0", "train_trial_index": 0, "predicted_text": "Yes"}]"#;
    let folder = small.file("run/display_predictions.json", answers).parent().unwrap().to_path_buf();
    let imported = small.import(&folder, &options("helm")).unwrap();
    assert_eq!(imported.runs[0].models, ["org/m"]);
    assert_eq!(labels(&small, "helm"), [(1, Some(0))], "x/a.png is not images/a.png");
    let said = said(&imported);
    for expected in
        ["answers of a second trial", "(perturbation)", "no case has this question and picture", "another gold"]
    {
        assert!(said.contains(expected), "{expected}\n{said}");
    }
    small.import(&folder, &options("same")).unwrap();
    small.file("run/run_spec.json", r#"{"name": "r", "adapter_spec": {"model": "org/m", "temperature": 1}}"#);
    small.import(&folder, &options("other")).unwrap();
    let [first, same, other] = ["helm", "same", "other"].map(|name| small.run(name).identity.fingerprints.reader);
    assert!(first == same && first != other, "all files of the run decide its fingerprint");
    small.file("run/display_predictions.json", r#"[{"instance_id": "id7", "predicted_text": "Yes"}]"#);
    let error = small.import(&folder, &options("helm2")).unwrap_err();
    assert!(
        error.contains("display_predictions.json:1: field instance_id: \"id7\" is not in instances.json"),
        "{error}"
    );
}

/// Imports a result file of MedMNIST for two test cases whose answer is Yes.
fn medmnist(small: &Small, name: &str, content: &str) -> Result<ImportedPredictions, String> {
    let case = |id: &str| {
        format!(r#"{{"id": "{id}", "task": "lesion", "split": "test", "image": "images/a.png", "answer": "Yes"}}"#)
            + "\n"
    };
    put(&small.dataset.root, "cases.jsonl", case("t1") + &case("t2"));
    let dataset = Dataset::open(&small.dataset.root).unwrap();
    import_predictions(&dataset, &[small.file(name, content)], &options("m"), None)
        .map_err(|error| format!("{error:#}"))
}

#[test]
fn medmnist_has_probabilities_in_the_order_of_the_split() {
    let small = Small::new();
    let imported = medmnist(&small, "set_test_[AUC]1.000_[ACC]0.500@run3.csv", "0,0.25,0.75\n1,0.9,0.1\n").unwrap();
    assert_eq!((imported.runs[0].models[0].as_str(), imported.runs[0].without_scores), ("set_test@run3", 0));
    assert!(!said(&imported).contains("accuracy"), "{}", said(&imported));
    let run = Run::open(&imported.runs[0].folder).unwrap();
    let dataset = Dataset::open(&small.dataset.root).unwrap();
    let answers = run.into_answers(&dataset).unwrap();
    let probabilities: Vec<f32> =
        answers.iter().map(|answer| answer.closed_book.as_ref().unwrap().probability().unwrap()).collect();
    assert!((probabilities[0] - 0.75).abs() < 1e-6 && (probabilities[1] - 0.9).abs() < 1e-6, "{probabilities:?}");
}

#[test]
fn medmnist_traps_are_named() {
    let second = medmnist(&Small::new(), "set_test_[AUC]1_[ACC]0.987@1.csv", "0,0.75\n1,0.1\n").unwrap();
    assert_eq!(second.runs[0].without_scores, 0, "one column is the second class");
    assert!(said(&second).contains("says an accuracy of 0.987, on this dataset it is 0.500"), "{}", said(&second));
    let no_sum = medmnist(&Small::new(), "set_test_[AUC]1_[ACC]1@1.csv", "0,0.25,0.8\n1,0.2,0.9\n").unwrap();
    assert_eq!(no_sum.runs[0].without_scores, 2);
    assert!(said(&no_sum).contains(".csv:1 has scores that sum to 1.05"), "{}", said(&no_sum));
    let error = |name: &str, content: &str| medmnist(&Small::new(), name, content).unwrap_err();
    let count = error("set_test_[AUC]1_[ACC]1@1.csv", "0,0.25,0.75\n");
    assert!(count.contains("expected a row for each of the 2 cases of the split test, found 1"), "{count}");
    let header = error("set_test_[AUC]1_[ACC]1@1.csv", "index,a,b\n0,0.25,0.75\n");
    assert!(header.contains(".csv:1: expected the index within the split") && header.contains("no header"), "{header}");
    let width = error("set_test_[AUC]1_[ACC]1@1.csv", "0,0.25,0.75\n1,0.5\n");
    assert!(width.contains(".csv:2: expected 2 scores as in line 1, found 1"), "{width}");
    let number = error("set_test_[AUC]1_[ACC]1@1.csv", "0,0.25,nan\n1,0.5,0.5\n");
    assert!(number.contains(".csv:1: expected a score, found \"nan\""), "{number}");
    let classes = error("set_test_[AUC]1_[ACC]1@1.csv", "0,0.25,0.75,0\n1,0.5,0.5,0\n");
    assert!(classes.contains("expected 2 numbers, one per label of the task lesion"), "{classes}");
    let split = error("scores.csv", "0,0.25,0.75\n1,0.5,0.5\n");
    assert!(split.contains("expected a name with train, val or test in it"), "{split}");
    let twice = error("set_test_[AUC]1_[ACC]1@1.csv", "0,0.25,0.75\n0,0.5,0.5\n");
    assert!(twice.contains("has answered the case t1 already"), "{twice}");
}

#[test]
fn several_labels_at_once_have_odds() {
    let small = Small::new();
    let case = r#"{"id": "f1", "task": "findings", "split": "validation", "image": "images/b.png", "answer": "edema"}"#;
    put(&small.dataset.root, "cases.jsonl", case);
    let dataset = Dataset::open(&small.dataset.root).unwrap();
    let file = small.file("set_val_[AUC]1_[ACC]1@1.csv", "0,0.75,0.5\n");
    let only = PredictionOptions { split: Some(Split::Validation), ..options("m") };
    import_predictions(&dataset, &[file], &only, None).unwrap();
    let run = Run::open(&dataset.root.join(".dissent/runs/m")).unwrap();
    let answers = run.into_answers(&dataset).unwrap();
    let odds = answers[0].closed_book.as_ref().unwrap().odds.clone().unwrap();
    assert!((odds.log_odds()[0] - 3.0_f32.ln()).abs() < 1e-6 && odds.log_odds()[1] == 0.0, "{odds:?}");
}

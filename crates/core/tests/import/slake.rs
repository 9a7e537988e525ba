//! SLAKE: questions of both languages, choices, an empty answer, and pictures shared between splits.

use crate::support::{grey_png, opened, rows_as, shared_data};
use dissent_core::data::import::{ImportOptions, Imported, RowsAs, SlakeLanguage, SlakeOptions, import_slake};
use dissent_core::data::{Answer, Dataset, OnlyPart, Split};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::Path;

fn row(qid: u32, picture: u32, language: &str, kind: &str, question: &str, answer: &str) -> Value {
    json!({
        "img_id": picture, "img_name": format!("xmlab{picture}/source.jpg"), "question": question, "answer": answer,
        "q_lang": language, "location": "Lung", "modality": "CT", "answer_type": kind, "base_type": "vqa",
        "content_type": "Organ", "triple": ["vhead", "_", "_"], "qid": qid,
    })
}

/// Picture 3 is an English test picture and a Chinese training picture; picture 5 has no file.
fn rows() -> [(&'static str, Vec<Value>); 3] {
    let train = vec![
        row(0, 1, "en", "CLOSED", "Does the picture contain liver?", "Yes"),
        row(1, 1, "en", "CLOSED", "Which is bigger, lung or heart?", "Lung"),
        row(2, 1, "en", "OPEN", "Does the picture contain heart?", ""),
        row(3, 1, "zh", "CLOSED", "图像里包含肝脏吗?", "包含"),
        row(4, 3, "zh", "CLOSED", "图像里包含肺吗?", "不包含"),
        row(5, 3, "zh", "CLOSED", "肺和心脏哪个大?", "肺"),
        row(6, 5, "en", "OPEN", "What is it?", "A lung"),
        row(10, 1, "en", "CLOSED", "does the picture contain liver?", "yes"),
    ];
    let validation = vec![row(7, 2, "en", "CLOSED", "Does the picture contain liver?", "No.")];
    let test = vec![
        row(8, 3, "en", "CLOSED", "Does the picture contain liver?", "No"),
        row(9, 3, "en", "OPEN", "Where is the lung?", "Right Lung"),
    ];
    [("train", train), ("validate", validation), ("test", test)]
}

fn release() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (split, rows) in rows() {
        fs::write(folder.path().join(format!("{split}.json")), Value::from(rows).to_string()).unwrap();
    }
    for picture in 1..=3_u8 {
        let place = folder.path().join(format!("imgs/xmlab{picture}"));
        fs::create_dir_all(&place).unwrap();
        fs::write(place.join("source.jpg"), grey_png(picture * 50)).unwrap();
        fs::write(place.join("mask.png"), grey_png(0)).unwrap();
    }
    folder
}

fn import(
    folder: &Path,
    language: SlakeLanguage,
    drop: bool,
    options: &ImportOptions,
) -> anyhow::Result<(Imported, Dataset)> {
    let target = folder.join("out");
    let choices = SlakeOptions { language, drop_shared_images: drop };
    let imported = import_slake(folder, &target, choices, options, &|_, _| {})?;
    let dataset = opened(&imported, &target);
    Ok((imported, dataset))
}

fn cases(dataset: &Dataset) -> Vec<String> {
    let shown = |case: &dissent_core::data::Case| format!("{} {} {} {}", case.id, case.task, case.split, case.answer);
    dataset.cases.iter().map(shown).collect()
}

fn left_out(imported: &Imported) -> Vec<String> {
    imported.left_out.iter().map(ToString::to_string).collect()
}

#[test]
fn one_language_with_choices_in_a_task_of_their_own() {
    let folder = release();
    let (imported, dataset) = import(folder.path(), SlakeLanguage::En, false, &ImportOptions::default()).unwrap();
    assert_eq!(
        cases(&dataset),
        [
            "q0 slake train yes",
            "q1 slake-choice train Lung",
            "q10 slake train yes",
            "q7 slake validation no",
            "q8 slake test no",
            "q9 slake-open test Right Lung",
        ]
    );
    assert_eq!(
        left_out(&imported),
        [
            "1 left out: no answer (train.json: qid 2)",
            "3 left out: in Chinese (--language zh or both imports them) (train.json: qid 3, train.json: qid 4, \
             train.json: qid 5)",
            "1 left out: no image file (train.json: qid 6, xmlab5/source.jpg)",
        ]
    );
    let remarks = imported.remarks.join("\n");
    assert!(remarks.contains("1 closed questions are choices"), "{remarks}");
    assert!(remarks.contains("1 questions repeat an earlier one"), "{remarks}");
    // The caption is made of training answers; no picture of another split is a document.
    let documents: Vec<&str> = dataset.corpus.iter().map(|document| document.id).collect();
    assert_eq!(documents, ["xmlab1"]);
    assert_eq!(dataset.corpus.document(0).caption, "Lung, CT. Liver. Which is bigger, lung or heart? Lung.");
    assert_eq!(dataset.cases[0].image, folder.path().join("imgs/xmlab1/source.jpg"));
    assert!(!dataset.may_retrieve(&dataset.cases[0], 0), "a picture must not find itself");
    // Case and spelling of open answers do not matter.
    let open = dataset.tasks.iter().find(|task| task.id == "slake-open").unwrap();
    assert_eq!(open.answer_of("right lung"), open.gold_of(&dataset.cases[5]));
    assert!(matches!(open.answer_of("left lung"), Some(Answer::Text(_))));
}

#[test]
fn both_languages_are_grouped_by_picture() {
    let folder = release();
    let (imported, dataset) = import(folder.path(), SlakeLanguage::Both, false, &ImportOptions::default()).unwrap();
    let chinese: Vec<String> = cases(&dataset).into_iter().filter(|case| case.contains("-zh")).collect();
    assert_eq!(chinese, ["q3 slake-zh train 是", "q4 slake-zh train 否", "q5 slake-zh-choice train 肺"]);
    let test = dataset.cases.iter().find(|case| case.id == "q8").unwrap();
    assert_eq!(test.group.as_deref(), Some("xmlab3"));
    let documents: Vec<&str> = dataset.corpus.iter().map(|document| document.id).collect();
    assert_eq!(documents, ["xmlab1"], "a test picture of the other language is no document");
    let remarks = imported.remarks.join("\n");
    assert!(remarks.contains("2 questions are about 1 pictures that a later split also uses: kept"), "{remarks}");

    let strict = release();
    let (imported, dataset) = import(strict.path(), SlakeLanguage::Both, true, &ImportOptions::default()).unwrap();
    let mut splits: BTreeMap<&str, Split> = BTreeMap::new();
    for case in &dataset.cases {
        let group = case.group.as_deref().unwrap();
        assert_eq!(*splits.entry(group).or_insert(case.split), case.split, "{group} is in two splits");
    }
    let dropped = left_out(&imported).join("\n");
    assert!(dropped.contains("2 left out: about a picture that a later split also uses"), "{dropped}");
}

#[test]
fn chinese_alone_and_parts_alone() {
    let folder = release();
    let (imported, dataset) = import(folder.path(), SlakeLanguage::Zh, false, &rows_as(RowsAs::Corpus)).unwrap();
    assert_eq!((dataset.only, dataset.cases.len(), dataset.corpus.len()), (Some(OnlyPart::Corpus), 0, 2));
    assert_eq!(dataset.corpus.document(0).caption, "Lung, CT. 图像里包含肝脏吗? 包含。");
    // English rows are of another language, whatever else they lack.
    assert!(left_out(&imported)[0].starts_with("8 left out: in English"), "{:?}", imported.left_out);
}

#[test]
fn pictures_may_stay_in_a_zip_file() {
    let folder = release();
    let zip = fs::File::create(folder.path().join("imgs.zip")).unwrap();
    let mut zip = zip::ZipWriter::new(zip);
    for name in
        ["__MACOSX/imgs/xmlab1/source.jpg", "imgs/xmlab1/mask.png", "imgs/xmlab1/source.jpg", "imgs/xmlab3/source.jpg"]
    {
        zip.start_file(name, zip::write::SimpleFileOptions::default()).unwrap();
        zip.write_all(&grey_png(if name.starts_with("imgs") { 7 } else { 9 })).unwrap();
    }
    zip.finish().unwrap();
    fs::remove_dir_all(folder.path().join("imgs")).unwrap();
    fs::rename(folder.path().join("validate.json"), folder.path().join("validation.json")).unwrap();
    let (imported, dataset) = import(folder.path(), SlakeLanguage::En, false, &ImportOptions::default()).unwrap();
    assert_eq!(dataset.cases[0].image, folder.path().join("imgs.zip!/imgs/xmlab1/source.jpg"));
    assert_eq!(dataset.picture(&dataset.cases[0].image).unwrap().image.as_luma8().unwrap().get_pixel(0, 0).0, [7]);
    assert!(left_out(&imported).join("\n").contains("2 left out: no image file (train.json: qid 6"), "{imported:?}");
}

#[test]
fn repackaged_copies_and_wrong_rows_are_refused() {
    let first = |name: &str, value: Value| {
        let mut row = row(0, 1, "en", "CLOSED", "Is it?", "Yes");
        row[name] = value;
        json!([row])
    };
    for (train, expected) in [
        (json!([{"image_id": 1, "questions": []}]), "found image_id, questions: a repackaged copy"),
        (json!([{"image_id": 1, "image_name": "xmlab1/source.jpg", "question_id": 4}]), "BoKelvin/SLAKE"),
        (json!({"img_id": 1}), "expected a JSON list of objects, one per question, found an object"),
        (first("img_name", json!("../../secret.jpg")), "img_name: expected \"xmlab1/source.jpg\""),
        (first("q_lang", json!("fr")), "q_lang: expected en or zh, found \"fr\""),
        (first("answer_type", json!("YES/NO")), "answer_type: expected CLOSED or OPEN"),
        (first("img_id", json!(-1)), "img_id: expected a number, found \"-1\""),
        (first("answer", Value::Null), "answer: expected a text, found null"),
        (first("qid", json!(8)), "test.json: qid 8: expected every qid once in all files, found train.json: qid 8 too"),
    ] {
        let folder = release();
        fs::write(folder.path().join("train.json"), train.to_string()).unwrap();
        let error = import(folder.path(), SlakeLanguage::En, false, &ImportOptions::default()).unwrap_err();
        let error = format!("{error:#}");
        assert!(error.contains("json") && error.contains(expected), "{expected}\n{error}");
        assert!(!folder.path().join("out").exists());
    }
    let folder = release();
    fs::remove_file(folder.path().join("validate.json")).unwrap();
    let error = import(folder.path(), SlakeLanguage::En, false, &ImportOptions::default()).unwrap_err().to_string();
    assert!(error.contains("expected one file validate.json or validation.json, found none"), "{error}");
}

#[test]
fn the_real_cut_has_the_counts_of_its_json() {
    let Some(source) = shared_data("formats/slake") else { return };
    let folder = tempfile::tempdir().unwrap();
    let mut expected: BTreeMap<(Split, bool), usize> = BTreeMap::new();
    for (file, split) in [("train", Split::Train), ("validate", Split::Validation), ("test", Split::Test)] {
        let text = fs::read_to_string(source.join(format!("Slake1.0/{file}.json"))).unwrap();
        for row in serde_json::from_str::<Vec<Value>>(&text).unwrap() {
            if row["q_lang"] == "en" && row["answer"] != "" {
                *expected.entry((split, row["answer_type"] == "CLOSED")).or_default() += 1;
            }
        }
    }
    let target = folder.path().join("out");
    let imported =
        import_slake(&source, &target, SlakeOptions::default(), &ImportOptions::default(), &|_, _| {}).unwrap();
    let dataset = opened(&imported, &target);
    let mut found: BTreeMap<(Split, bool), usize> = BTreeMap::new();
    for case in &dataset.cases {
        *found.entry((case.split, case.task != "slake-open")).or_default() += 1;
    }
    assert_eq!(found, expected);
    assert!(left_out(&imported).contains(&"1 left out: no answer (train.json: qid 1622)".into()), "{imported:?}");
}

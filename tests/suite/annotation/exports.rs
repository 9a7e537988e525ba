//! Exports: Parquet read back, Label Studio and Argilla files against their documented form.

use crate::support::absent::absent;
use crate::support::annotated_dataset::{annotated_dataset, annotations};
use crate::support::fixtures;
use crate::support::program::{stderr_of, stdout_of};
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::Field;
use serde_json::{Value, json};
use std::collections::{BTreeSet, HashMap};
use std::fs::{self, File};
use std::path::Path;
use std::process::Command;

fn json_lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn read_json(path: &Path) -> Value {
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

/// The JSON of a Parquet field; times are in microseconds.
fn json_of(field: &Field) -> Value {
    match field {
        Field::Null => Value::Null,
        Field::Str(text) => json!(text),
        Field::Bool(flag) => json!(flag),
        Field::Double(number) => json!(number),
        Field::TimestampMicros(time) => json!(time),
        Field::ListInternal(list) => list.elements().iter().map(json_of).collect(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn parquet_holds_what_the_json_lines_hold() {
    let folder = annotated_dataset();
    for flags in [&[][..], &["--final"][..]] {
        let rows = json_lines(&stdout_of(&annotations(&[&["export"], flags].concat(), folder.path())));
        let path = folder.path().join("out.parquet");
        let output = annotations(&[&["export", "-o", path.to_str().unwrap()], flags].concat(), folder.path());
        assert!(stdout_of(&output).is_empty() && stderr_of(&output).contains("rows written to"));
        let reader = SerializedFileReader::new(File::open(&path).unwrap()).unwrap();
        let found: Vec<_> = reader.get_row_iter(None).unwrap().map(Result::unwrap).collect();
        assert_eq!(found.len(), rows.len());
        for (found, expected) in found.iter().zip(&rows) {
            let expected = expected.as_object().unwrap();
            assert_eq!(found.len(), expected.len());
            for (name, field) in found.get_column_iter() {
                let value = json_of(field);
                match &expected[name] {
                    // JSON in a string; a time in microseconds; a number with and without its point.
                    Value::Object(object) => {
                        let text: Value = serde_json::from_str(value.as_str().unwrap()).unwrap();
                        assert_eq!(text, Value::Object(object.clone()));
                    }
                    Value::String(text) if value.is_number() => {
                        let time = time::OffsetDateTime::parse(text, &time::format_description::well_known::Rfc3339);
                        assert_eq!(value.as_i64().unwrap(), (time.unwrap().unix_timestamp_nanos() / 1000) as i64);
                    }
                    Value::Number(number) => assert_eq!(value.as_f64(), number.as_f64()),
                    other => assert_eq!(value, *other, "{name}"),
                }
            }
        }
    }
    // No row is a file, too.
    fs::remove_dir_all(folder.path().join(".dissent/annotations")).unwrap();
    let path = folder.path().join("empty.parquet");
    stdout_of(&annotations(&["export", "-o", path.to_str().unwrap()], folder.path()));
    assert_eq!(SerializedFileReader::new(File::open(&path).unwrap()).unwrap().get_row_iter(None).unwrap().count(), 0);
}

#[test]
fn the_final_set_is_exported_as_rows() {
    let folder = annotated_dataset();
    let rows = json_lines(&stdout_of(&annotations(&["export", "--final"], folder.path())));
    let standing: Vec<&str> = rows.iter().map(|row| row["standing"].as_str().unwrap()).collect();
    assert_eq!(standing, ["agreed", "disputed", "single", "decided", "decided"]);
    assert_eq!((&rows[1]["categories"], &rows[1]["annotators"]), (&Value::Null, &json!(["ada", "bob"])));
    let csv = stdout_of(&annotations(&["export", "--final", "--format", "csv"], folder.path()));
    assert!(csv.lines().nth(4).unwrap().starts_with("c4,lesion,test,Yes,decided,other,"), "{csv}");
}

/// The documented task: `data` with what the configuration names, `annotations` and `predictions` of `result`s whose
/// `from_name`, `to_name` and `type` are tags of the configuration, and whose choices are aliases in it.
#[test]
fn label_studio_tasks_fit_their_configuration() {
    let folder = annotated_dataset();
    let out = folder.path().join("studio");
    let path = out.to_str().unwrap();
    stdout_of(&annotations(&["export", "--format", "label-studio", "-o", path, "--user", "ada=7"], folder.path()));
    let tasks = read_json(&out.join("tasks.json"));
    let config = fs::read_to_string(out.join("config.xml")).unwrap();
    let aliases: BTreeSet<&str> =
        config.split("alias=\"").skip(1).map(|rest| rest.split('"').next().unwrap()).collect();
    assert!(aliases.contains("look-alike") && config.contains("choice=\"multiple\""), "{config}");
    let check_result = |result: &Value| {
        for region in result.as_array().unwrap() {
            assert_eq!(region["to_name"], json!("image"));
            match (region["from_name"].as_str().unwrap(), region["type"].as_str().unwrap()) {
                ("category", "choices") => {
                    let chosen = region["value"]["choices"].as_array().unwrap();
                    assert!(!chosen.is_empty() && chosen.iter().all(|id| aliases.contains(id.as_str().unwrap())));
                }
                ("remarks", "choices") => assert_eq!(region["value"]["choices"], json!(["unsure"])),
                ("note", "textarea") => assert_eq!(region["value"]["text"], json!(["the cyst, \"again\";\n<b>"])),
                other => panic!("{other:?}"),
            }
        }
    };
    let tasks = tasks.as_array().unwrap();
    assert_eq!(tasks.len(), 5);
    for task in tasks {
        assert_eq!(
            task["data"]["image"],
            json!(format!("/data/local-files/?d=images/{}.png", task["data"]["case"].as_str().unwrap()))
        );
        assert!(task["data"]["question"].is_string() && task["data"].get("gold").is_none());
        let annotations = task["annotations"].as_array().unwrap();
        assert_eq!(annotations.len(), task["data"]["annotators"].as_array().unwrap().len());
        for (annotation, annotator) in annotations.iter().zip(task["data"]["annotators"].as_array().unwrap()) {
            check_result(&annotation["result"]);
            assert!(annotation["was_cancelled"].is_boolean());
            assert_eq!(annotation.get("completed_by"), (annotator == "ada").then(|| json!(7)).as_ref());
        }
        task["predictions"].as_array().unwrap().iter().for_each(|prediction| check_result(&prediction["result"]));
    }
    assert_eq!(tasks[1]["annotations"][2]["was_cancelled"], json!(true));
    assert_eq!((&tasks[1]["annotations"][0]["lead_time"], &tasks[1]["predictions"]), (&json!(12.5), &json!([])));
    assert_eq!(tasks[3]["predictions"][0]["result"][0]["value"]["choices"], json!(["other"]));

    stdout_of(&annotations(&["export", "--format", "label-studio", "-o", path, "--final"], folder.path()));
    let tasks = read_json(&out.join("tasks.json"));
    assert_eq!(tasks.as_array().unwrap().len(), 4, "c2 is disputed");
    assert_eq!(tasks[0]["annotations"][0]["ground_truth"], json!(true));
}

/// The documented record: `fields`, `metadata`, `suggestions` and `responses` by names of the settings.
#[test]
fn argilla_records_fit_their_settings() {
    let folder = annotated_dataset();
    let out = folder.path().join("argilla");
    let path = out.to_str().unwrap();
    let user = "ada=019364d2-5b1c-7a90-8a3e-0123456789ab";
    stdout_of(&annotations(&["export", "--format", "argilla", "-o", path, "--user", user], folder.path()));
    let settings = read_json(&out.join(".argilla/settings.json"));
    assert_eq!(read_json(&out.join(".argilla/dataset.json"))["name"], json!("tiny-set"));
    let names = |kind: &str| -> BTreeSet<&str> {
        settings[kind].as_array().unwrap().iter().map(|item| item["name"].as_str().unwrap()).collect()
    };
    let options: HashMap<&str, &str> = settings["questions"][0]["settings"]["options"]
        .as_array()
        .unwrap()
        .iter()
        .map(|option| (option["value"].as_str().unwrap(), option["text"].as_str().unwrap()))
        .collect();
    assert_eq!(settings["questions"][0]["type"], json!("multi_label_selection"));
    let records = read_json(&out.join("records.json"));
    let records = records.as_array().unwrap();
    assert_eq!(records.len(), 5);
    for record in records {
        for (part, kind) in
            [("fields", "fields"), ("metadata", "metadata"), ("suggestions", "questions"), ("responses", "questions")]
        {
            for name in record[part].as_object().unwrap().keys() {
                assert!(names(kind).contains(name.as_str()), "{part} {name}");
            }
        }
        let image = record["fields"]["image"].as_str().unwrap();
        assert!(Path::new(image).is_absolute() && Path::new(image).is_file(), "{image}");
        if let Some(suggestion) = record["suggestions"].get("category") {
            let chosen = suggestion["value"].as_array().unwrap();
            assert!(chosen.iter().all(|id| options.contains_key(id.as_str().unwrap())));
        }
        for response in record["responses"]["category"].as_array().into_iter().flatten() {
            assert_eq!(response["status"], json!("submitted"));
            assert!(user.ends_with(response["user_id"].as_str().unwrap()));
        }
    }
    assert_eq!(records[1]["metadata"]["said"], json!(["ada: look-alike", "bob: other, unsure", "cyd: skipped"]));
    assert_eq!(records[1]["suggestions"], json!({}));
    assert_eq!(records[3]["responses"]["category"][0]["value"], json!(["look-alike", "other"]));
}

/// The other tools' own Python packages read the files (`fixtures/annotation_exports/check.py`), where
/// `scripts/exports-packages` has installed them.
#[test]
fn the_tools_own_packages_take_the_files() {
    let python = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/exports/bin/python");
    if !python.exists() {
        absent("`make test-exports` installs the packages of Label Studio and Argilla", "DISSENT_REQUIRE_EXPORTS");
        return;
    }
    let folder = annotated_dataset();
    let out = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let user = "ada=019364d2-5b1c-7a90-8a3e-0123456789ab";
    stdout_of(&annotations(
        &["export", "--format", "label-studio", "-o", &out("studio"), "--user", "ada=7"],
        folder.path(),
    ));
    stdout_of(&annotations(&["export", "--format", "argilla", "-o", &out("argilla"), "--user", user], folder.path()));
    stdout_of(&annotations(&["export", "-o", &out("rows.parquet")], folder.path()));
    stdout_of(&annotations(&["export", "-o", &out("rows.jsonl")], folder.path()));
    let script = fixtures::path("annotation_exports/check.py");
    let output = Command::new(python).arg(script).arg(folder.path()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn options_that_cannot_be_are_refused() {
    let folder = annotated_dataset();
    let out = folder.path().join("out");
    let out = out.to_str().unwrap();
    for (arguments, expected) in [
        (vec!["export", "--format", "argilla"], "name their folder with --output"),
        (vec!["export", "--image-prefix", "x"], "need --format"),
        (
            vec!["export", "--format", "argilla", "-o", out, "--user", "zoe=1"],
            "no such annotator; expected one of ada, bob",
        ),
        (vec!["export", "--format", "argilla", "-o", out, "--user", "ada=1"], "expected the UUID"),
        (vec!["export", "--format", "label-studio", "-o", out, "--user", "ada=x"], "expected the number"),
    ] {
        let output = annotations(&arguments, folder.path());
        assert_eq!(output.status.code(), Some(1));
        assert!(stderr_of(&output).contains(expected), "{}", stderr_of(&output));
    }
    assert!(!Path::new(out).exists());
}

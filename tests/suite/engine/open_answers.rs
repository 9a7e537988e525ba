//! Answers in words: generated as transformers does, stored, fused, evaluated.

use super::support::{CountingReader, FixedHits, dataset, encoder_fixture, reader_fixture};
use crate::support::dataset::open_task;
use crate::support::fixtures;
use crate::support::pictures::{named_picture, noise_over_gradient};
use crate::support::program::{dissent, stdout_of};
use candle_core::{DType, Device};
use dissent::data::{Case, Dataset, Picture, Split, Task};
use dissent::evaluation::{SummaryCase, Verdict, fuse, scored_hits};
use dissent::pipeline::Pipeline;
use dissent::reader::{CandleReader, Evidence, ReadRequest, Reader};
use dissent::run::{CaseAnswer, Run};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

fn where_task() -> Task {
    open_task("where", "Where is it?")
}

fn picture([width, height, seed]: [u32; 3]) -> Arc<Picture> {
    let image = noise_over_gradient(width, height, seed.into());
    named_picture(&format!("{width}x{height}-{seed}"), image.into())
}

type Asked = ([u32; 3], Option<[u32; 3]>, Option<String>, String);

fn request(asked: &Value) -> ReadRequest {
    let (query, document, caption, question): Asked = serde_json::from_value(asked.clone()).unwrap();
    let evidence = document.map(|document| Evidence { image: Some(picture(document)), caption });
    ReadRequest { task: Arc::new(where_task()), question, query: picture(query), evidence }
}

fn generate(reader: &mut dyn Reader, requests: &[ReadRequest]) -> Vec<String> {
    reader.generate(requests, &|| false).unwrap()
}

/// Every family says what transformers has it say (`fixtures/generation/generate.py`), up to the first line break and without
/// what is cut off in the middle of a letter: alone,
/// and in a batch whose rows end at different times.
#[test]
fn answers_are_those_of_transformers() {
    let root = fixtures::path("");
    let answers: Value = serde_json::from_slice(&std::fs::read(root.join("generation/answers.json")).unwrap()).unwrap();
    for (family, answers) in answers.as_object().unwrap() {
        let folder =
            if family == "pixtral" { reader_fixture() } else { root.join("readers").join(family).join("checkpoint") };
        let mut reader = CandleReader::load(&folder, &Device::Cpu, DType::F32).unwrap();
        let answers = answers.as_array().unwrap();
        let requests: Vec<ReadRequest> = answers.iter().map(|answer| request(&answer["asked"])).collect();
        let said = answers.iter().map(|answer| answer["said"].as_str().unwrap().split('\n').next().unwrap());
        let theirs: Vec<&str> = said.map(|line| line.trim_end_matches('\u{fffd}').trim()).collect();
        assert_eq!(generate(&mut reader, &requests), theirs, "{family}");
        for (request, theirs) in requests.iter().zip(theirs) {
            assert_eq!(generate(&mut reader, std::slice::from_ref(request)), [theirs], "{family}");
        }
    }
}

fn open_dataset(root: &Path) -> Dataset {
    let mut dataset = dataset(root, 2);
    dataset.tasks.push(where_task());
    dataset.cases[1].task = "where".into();
    dataset.cases[1].answer = "in the upper lobe".into();
    dataset
}

/// A label for one case and words for the other, in one batch; the same words in other spellings are the same answer.
#[test]
fn open_and_closed_questions_are_answered_together_and_nobody_is_asked_twice() {
    let folder = tempfile::tempdir().unwrap();
    let dataset = Arc::new(open_dataset(folder.path()));
    let cache = folder.path().join("cache");
    let pipeline = |reader| Pipeline::new(dataset.clone(), Some(Box::new(FixedHits::new())), reader, &cache).unwrap();
    let reader = CountingReader::new();
    let asked = reader.asked.clone();
    let mut first = pipeline(Box::new(reader));
    let answers = first.answer_all(&[0, 1], &|| false).unwrap();
    let [closed, open] = &answers[..] else { panic!("two cases") };
    assert!(closed.as_ref().unwrap().predictions.iter().all(|prediction| prediction.text.is_none()));
    let open: &CaseAnswer = open.as_ref().unwrap();
    let texts: Vec<&str> = open.predictions.iter().map(|prediction| prediction.text.as_deref().unwrap()).collect();
    // By image 0 and 1, by caption 2.
    assert_eq!(texts, ["The upper lobe.", "lower lobe", "the Upper lobe"]);
    assert_eq!(open.predictions[0].answer, open.predictions[2].answer);
    let outcome = SummaryCase::of(open, &dataset).unwrap().outcome.unwrap();
    assert_eq!(outcome.verdict(), Verdict::Inconsistent);
    let fused = fuse(&scored_hits(open)).unwrap();
    assert_eq!(fused.prediction.text.as_deref(), Some("The upper lobe."), "the words said first");
    assert!(fused.prediction.scores.is_none() && !outcome.is_right(), "the gold answer has one word more");
    assert_eq!(asked.load(std::sync::atomic::Ordering::SeqCst), 8);

    let mut second = pipeline(Box::new(CountingReader::new()));
    assert_eq!(second.answer_all(&[0, 1], &|| false).unwrap().len(), 2);
    assert_eq!(second.asked(), 0, "both kinds of answers outlive the program");
}

fn dissent_on(arguments: &[&str], root: &Path) -> Command {
    let mut command = dissent();
    command.arg(arguments[0]).arg(root).args(&arguments[1..]);
    command
}

/// Half of the cases with a question of their own that is answered in words.
fn write_dataset(folder: &Path) -> PathBuf {
    let root = folder.join("dataset");
    let written = super::predict::write_dataset(&root, 6);
    let cases: Vec<String> = (written.cases.iter())
        .map(|case| {
            let open = case.id.ends_with(['3', '4', '5']);
            let case = Case {
                task: if open { "where".into() } else { case.task.clone() },
                answer: if open { "in the upper lobe".into() } else { case.answer.clone() },
                ..case.clone()
            };
            serde_json::to_string(&case).unwrap()
        })
        .collect();
    std::fs::write(root.join("cases.jsonl"), cases.join("\n") + "\n").unwrap();
    let manifest = root.join("dataset.toml");
    let tasks = std::fs::read_to_string(&manifest).unwrap();
    let open = "\n[[task]]\nid = \"where\"\nkind = \"open-vqa\"\nquestion = \"Where is it?\"\n";
    std::fs::write(&manifest, tasks + open).unwrap();
    assert!(Dataset::open(&root).unwrap().cases.iter().all(|case| case.split == Split::Test));
    root
}

#[test]
fn a_run_with_open_answers_is_predicted_read_back_evaluated_and_shown() {
    let folder = tempfile::tempdir().unwrap();
    let root = write_dataset(folder.path());
    let mut command = dissent_on(&["predict", "--run", "a", "--device", "cpu", "--json"], &root);
    command.arg("--encoder").arg(encoder_fixture()).arg("--reader").arg(reader_fixture());
    let report: Value = serde_json::from_str(&stdout_of(&command.output().unwrap())).unwrap();
    assert_eq!(report["cases"], 6, "{report}");

    let run = root.join(".dissent/runs/a");
    let lines = std::fs::read_to_string(run.join("predictions.jsonl")).unwrap();
    let open: Vec<Value> = lines
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .filter(|line: &Value| line["task"] == "where")
        .collect();
    assert!(open.len() >= 9, "hits and closed-book of three cases");
    for line in &open {
        assert!(line["generation"].is_string() && line["prediction"].is_null(), "{line}");
        assert!(line["label_log_probabilities"].is_null() && line["gold"] == "in the upper lobe", "{line}");
    }
    let dataset = Dataset::open(&root).unwrap();
    let answers = Run::open(&run).unwrap().into_answers(&dataset).unwrap();
    let said = answers.iter().flat_map(|answer| &answer.predictions).filter(|prediction| prediction.text.is_some());
    assert!(said.clone().count() >= 6 && said.clone().all(|prediction| prediction.answer.is_some()));

    let tables = stdout_of(&dissent_on(&["evaluate", "--runs", "a", "--tables", "all"], &root).output().unwrap());
    assert!(tables.contains("Open answers, where") && tables.contains("BLEU-1"), "{tables}");
    assert!(!tables.contains("Accuracy, where") && tables.contains("Accuracy, mass"), "{tables}");
    let html = folder.path().join("report.html");
    let mut command = dissent_on(&["evaluate", "--runs", "a", "--html"], &root);
    stdout_of(&command.arg(&html).output().unwrap());
    assert!(std::fs::read_to_string(html).unwrap().contains("Open answers, where"));

    let shown = stdout_of(&dissent_on(&["show", "case-4"], &root).output().unwrap());
    assert!(shown.contains("answer    in the upper lobe") && !shown.contains("labels"), "{shown}");
    let checked = stdout_of(&dissent_on(&["check"], &root).output().unwrap());
    assert!(checked.contains("(free text)"), "{checked}");
}

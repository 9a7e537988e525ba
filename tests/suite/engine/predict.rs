//! `dissent predict` as a program, with the tiny checkpoints of the fixtures.

use super::support::{encoder_fixture, reader_fixture};
use crate::support::dataset::{case, closed_task, document, manifest};
use crate::support::patience::{PATIENCE, wait_until};
use crate::support::program::{dissent, send, stderr_of};
use dissent::data::{Case, Dataset, DatasetWriter, Document, Existing};
use dissent::model::precision::Precision;
use dissent::pipeline::{Event, LoadingInterrupted, ModelChoice, load_models};
use dissent::retriever::HitsPerHead;
use dissent::run::{Ablation, PREDICTIONS_FILE, Run};
use dissent::worker::{Request, WorkerConfig, WorkerHandle};
use dissent::workspace::Workspace;
use serde_json::Value;
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::Arc;

/// A dataset on disk; case 0 and document 0 are of one patient, case 1 and document 1 are the same picture.
pub fn write_dataset(root: &Path, cases: usize) -> Dataset {
    let mut writer = DatasetWriter::create(root, Existing::Refuse).unwrap();
    let picture = |seed: usize| {
        let pixel = |x: u32, y: u32| {
            image::Luma([((x * 3 + y * 5 + x * y * (seed as u32 % 7) + seed as u32 * 31) % 251) as u8])
        };
        image::DynamicImage::ImageLuma8(image::GrayImage::from_fn(40, 40, pixel))
    };
    for number in 0..6 {
        let seed = if number == 1 { 101 } else { number };
        let image = writer.png(&format!("document-{number}.png"), &picture(seed)).unwrap();
        let group = (number == 0).then(|| "patient".to_string());
        let caption = format!("a hypoechoic mass, number {number}");
        let id = format!("document-{number}");
        writer.document(&Document { image, group, ..document(&id, &caption) }).unwrap();
    }
    for number in 0..cases {
        let image = writer.png(&format!("case-{number}.png"), &picture(100 + number)).unwrap();
        let group = (number == 0).then(|| "patient".to_string());
        let answer = if number % 2 == 0 { "Yes" } else { "No" };
        writer.case(&Case { image, group, ..case(&format!("case-{number}"), "mass", answer) }).unwrap();
    }
    let mass = closed_task("mass", "is there evidence of malignancy?", [("No", "No"), ("Yes", "Yes")]);
    writer.finish(&manifest("masses", vec![mass])).unwrap();
    Dataset::open(root).unwrap()
}

struct Setting {
    // Held so that the folder lives as long as the setting.
    _folder: tempfile::TempDir,
    root: PathBuf,
    dataset: Dataset,
}

impl Setting {
    fn new(cases: usize) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("dataset");
        let dataset = write_dataset(&root, cases);
        Self { _folder: folder, root, dataset }
    }

    fn run_folder(&self) -> PathBuf {
        self.root.join(".dissent/runs/a")
    }

    fn command(&self, arguments: &[&str]) -> Command {
        self.command_for("a", arguments)
    }

    fn command_for(&self, run: &str, arguments: &[&str]) -> Command {
        let mut command = dissent();
        command.arg("predict").arg(&self.root).args(["--run", run, "--device", "cpu"]).args(arguments);
        command.arg("--encoder").arg(encoder_fixture()).arg("--reader").arg(reader_fixture());
        command
    }

    fn predict(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }
}

fn report(output: &Output) -> Value {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn a_run_is_predicted_continued_and_guarded() {
    let setting = Setting::new(5);
    let first = report(&setting.predict(&["--json", "--limit", "3"]));
    assert_eq!((&first["cases"], &first["predicted_now"]), (&3.into(), &3.into()));
    let summary = &first["summary"]["tasks"][0];
    assert_eq!((&summary["fused_accuracy"]["n"], &summary["closed_book_accuracy"]["n"]), (&3.into(), &3.into()));

    // A kill in the middle of a line costs that case and no other.
    let predictions = setting.run_folder().join(PREDICTIONS_FILE);
    let content = fs::read(&predictions).unwrap();
    fs::write(&predictions, &content[..content.len() - 20]).unwrap();
    let output = setting.predict(&["--json"]);
    assert!(stderr_of(&output).contains("2 of 5 cases are in the run already"), "{}", stderr_of(&output));
    assert_eq!(report(&output)["predicted_now"], 3);
    assert!(fs::read(&predictions).unwrap().starts_with(&content), "the same answers as before the kill");

    let table = setting.predict(&[]);
    let text = String::from_utf8(table.stdout).unwrap();
    assert!(text.contains("mass, split test, 5 cases") && text.contains("oracle accuracy"), "{text}");

    let run = Run::open(&setting.run_folder()).unwrap();
    let answers = run.into_answers(&setting.dataset).unwrap();
    for answer in &answers {
        assert!((2..=4).contains(&answer.hits.len()), "{:?}", answer.hits);
        assert_eq!(answer.hits.iter().map(|hit| hit.provenances.len()).sum::<usize>(), 4, "two hits per head");
    }
    assert!(answers[0].hits.iter().all(|hit| hit.row != 0), "a case never sees its own patient");
    assert!(answers[1].hits.iter().all(|hit| hit.row != 1), "a case never sees its own picture");

    let refused = setting.predict(&["-k", "1"]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(stderr_of(&refused).contains("hits of the image head (2 then, 1 now)"), "{}", stderr_of(&refused));
}

#[test]
fn closed_book_retrieves_nothing() {
    let setting = Setting::new(2);
    let report = report(&setting.predict(&["--json", "--closed-book"]));
    let summary = &report["summary"]["tasks"][0];
    assert_eq!((&summary["fused_accuracy"]["n"], &summary["closed_book_accuracy"]["n"]), (&0.into(), &2.into()));
    assert!(!setting.root.join(".dissent/index").exists(), "no index is needed");
}

#[test]
fn without_models_a_stored_run_is_shown_and_captions_are_found() {
    let setting = Setting::new(2);
    report(&setting.predict(&["--json"]));
    let workspace = Workspace::open(&setting.root, None).unwrap();
    let run = Run::open(&workspace.run_dir("a").unwrap()).unwrap();
    let engine = WorkerHandle::spawn(WorkerConfig {
        dataset: Arc::new(Dataset::open(&setting.root).unwrap()),
        workspace,
        models: Err("no reader".into()),
        run: Some(("a".into(), run)),
    })
    .unwrap();
    engine.send(Request::SearchCaptions { ticket: 1, query: "mass".into(), limit: 3 });
    let mut events = Vec::new();
    while !matches!(events.last(), Some(Event::SearchResults { .. })) {
        events.push(engine.events.recv_timeout(PATIENCE).unwrap());
    }
    let answered = events.iter().filter(|event| matches!(event, Event::Stored(_))).count();
    assert_eq!(answered, 2);
    assert!(events.contains(&Event::Failed { case: None, message: "no reader".into() }), "{events:?}");
    assert!(matches!(events.last(), Some(Event::SearchResults { results, .. }) if results.len() == 3));
}

#[test]
fn wrong_wishes_are_named() {
    let setting = Setting::new(1);
    let task = setting.predict(&["--task", "grade"]);
    assert_eq!(task.status.code(), Some(1));
    assert!(stderr_of(&task).contains("--task grade: no such task; this dataset has mass"), "{}", stderr_of(&task));
    let split = setting.predict(&["--split", "validation"]);
    assert!(stderr_of(&split).contains("expected cases of the split validation, found"), "{}", stderr_of(&split));
    let output = dissent()
        .arg("predict")
        .arg(&setting.root)
        .args(["--run", "a", "--reader"])
        .arg(reader_fixture())
        .output()
        .unwrap();
    assert!(stderr_of(&output).contains("train one with `dissent train dual-encoder"), "{}", stderr_of(&output));
}

#[test]
fn loading_is_given_up_also_while_the_index_is_built() {
    let setting = Setting::new(1);
    let dataset = Arc::new(Dataset::open(&setting.root).unwrap());
    let workspace = Workspace::open(&setting.root, None).unwrap();
    for encoder in [None, Some(encoder_fixture().into())] {
        let choice = ModelChoice {
            encoder,
            given_vectors: false,
            store: None,
            heads: None,
            given: None,
            reader: reader_fixture().into(),
            device: "cpu".into(),
            precision: Precision::F32,
            hits: HitsPerHead { image: 2, caption: 2, lexical: 0 },
            ablation: Ablation::default(),
            confirm: |_| Ok(()),
        };
        let error = load_models(&dataset, &workspace, &choice, &|_| (), &|| true).err().unwrap();
        assert!(error.is::<LoadingInterrupted>(), "{error:#}");
    }
    assert!(!setting.root.join(".dissent/index").exists());
}

/// The signal comes as soon as the command says anything, while it loads.
#[cfg(unix)]
#[test]
fn ctrl_c_while_loading_exits_130() {
    let setting = Setting::new(200);
    let mut child = setting.command(&[]).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let mut said = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    said.read_line(&mut line).unwrap();
    send("-INT", &child);
    said.read_to_string(&mut line).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130), "{line}");
}

#[test]
fn a_case_without_its_image_is_named_and_the_others_are_predicted() {
    let setting = Setting::new(3);
    fs::remove_file(setting.root.join(&setting.dataset.cases[1].image)).unwrap();
    let output = setting.predict(&[]);
    assert_eq!(output.status.code(), Some(1));
    let message = stderr_of(&output);
    assert!(message.contains("1 of 3 cases could not be answered") && message.contains("case-1.png"), "{message}");
    assert_eq!(Run::open(&setting.run_folder()).unwrap().len(), 2);
}

/// Gives every case that `chosen` picks a question that is longer than the reader has positions.
fn ask_at_length(setting: &Setting, chosen: impl Fn(&str) -> bool) {
    let path = setting.root.join("cases.jsonl");
    let mut text = String::new();
    for line in fs::read_to_string(&path).unwrap().lines() {
        let mut case: Case = serde_json::from_str(line).unwrap();
        if chosen(&case.id) {
            case.question = Some("is it malignant? ".repeat(200));
        }
        text += &(serde_json::to_string(&case).unwrap() + "\n");
    }
    fs::write(path, text).unwrap();
}

#[test]
fn a_case_that_the_reader_cannot_read_is_named_and_the_others_are_predicted() {
    let setting = Setting::new(5);
    ask_at_length(&setting, |id| id == "case-1");
    for _ in 0..2 {
        let output = setting.predict(&[]);
        assert_eq!(output.status.code(), Some(1));
        let message = stderr_of(&output);
        assert!(
            message.contains("1 of 5 cases could not be answered") && message.contains("case case-1: "),
            "{message}"
        );
        assert_eq!(Run::open(&setting.run_folder()).unwrap().len(), 4);
    }
}

#[test]
fn a_reader_that_fails_on_everything_ends_the_command() {
    let setting = Setting::new(20);
    ask_at_length(&setting, |_| true);
    let output = setting.predict(&[]);
    assert_eq!(output.status.code(), Some(1));
    let message = stderr_of(&output);
    assert!(message.contains("error: reader ") && !message.contains("could not be read"), "{message}");
}

#[cfg(unix)]
#[test]
fn ctrl_c_keeps_what_is_done_and_exits_130() {
    let setting = Setting::new(200);
    let mut child = setting.command(&[]).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let predictions = setting.run_folder().join(PREDICTIONS_FILE);
    wait_until("a prediction is on disk", || {
        assert!(child.try_wait().unwrap().is_none(), "it ended by itself");
        fs::metadata(&predictions).is_ok_and(|metadata| metadata.len() > 0)
    });
    send("-INT", &child);
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130), "{}", stderr_of(&output));
    assert!(stderr_of(&output).contains("run the same command to continue"), "{}", stderr_of(&output));
    let kept = Run::open(&setting.run_folder()).unwrap().len();
    assert!(kept > 0 && kept < 200, "{kept} cases kept");
}

#[test]
fn ablations_are_runs_of_their_own_and_say_what_was_shown() {
    let setting = Setting::new(4);
    let run = |name: &str, flags: &[&str]| {
        let output = setting.command_for(name, flags).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let folder = setting.root.join(".dissent/runs").join(name);
        let text = fs::read_to_string(folder.join(PREDICTIONS_FILE)).unwrap();
        let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        (lines, Run::open(&folder).unwrap().identity)
    };
    let with_document =
        |lines: &[Value]| -> Vec<Value> { lines.iter().filter(|line| !line["document"].is_null()).cloned().collect() };
    let (whole, _) = run("whole", &[]);
    let (whole, whole_closed) = (with_document(&whole), whole.len());
    let (bare, identity) = run("bare", &["--no-caption", "--no-image"]);
    assert_eq!(identity.ablation, "no-caption, no-image");
    assert_eq!(bare.len(), whole_closed);
    let bare = with_document(&bare);
    for (one, other) in whole.iter().zip(&bare) {
        assert_eq!(one["document"], other["document"], "the same hits");
        assert_ne!(one["label_log_probabilities"], other["label_log_probabilities"]);
        assert_eq!(other["passages"][0]["text"], "");
        assert_eq!(one.get("shown"), None, "its own image and caption");
        assert_eq!(other["shown"], serde_json::json!({"image": "withheld", "caption": "withheld"}));
    }
    // Without caption and image every document is the same to the reader.
    assert_eq!(bare[0]["label_log_probabilities"], bare[1]["label_log_probabilities"]);
    let (random, identity) = run("random", &["--random-documents"]);
    assert_eq!(identity.ablation, "random-documents");
    for line in with_document(&random) {
        assert_eq!((&line["heads"][0]["head"], &line["score"]), (&Value::from("random"), &Value::Null));
        // Case 0 is of the patient of document 0, case 1 has document 1's picture.
        assert_ne!((&line["case"], &line["document"]), (&Value::from("case-0"), &Value::from("document-0")));
        assert_ne!((&line["case"], &line["document"]), (&Value::from("case-1"), &Value::from("document-1")));
    }
    let (again, _) = run("random-again", &["--random-documents"]);
    assert_eq!(with_document(&random), with_document(&again), "drawn the same each time");
    // No caption of this dataset names a label: nothing can contradict.
    let (swapped, _) = run("swapped", &["--swap-captions"]);
    let scores =
        |lines: &[Value]| -> Vec<Value> { lines.iter().map(|line| line["label_log_probabilities"].clone()).collect() };
    assert_eq!(scores(&with_document(&swapped)), scores(&whole));
    let output = setting.command_for("whole", &["--no-image"]).output().unwrap();
    let message = stderr_of(&output);
    assert!(message.contains("what is withheld from the reader (none then, no-image now)"), "{message}");
}

#[test]
fn the_lexical_head_finds_captions_by_the_words_of_the_question() {
    let setting = Setting::new(2);
    let output = setting.command_for("words", &["--heads", "image,caption,lexical"]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let run = Run::open(&setting.root.join(".dissent/runs/words")).unwrap();
    assert_eq!((run.identity.k_image, run.identity.k_lexical), (2, 2));
    let answers = run.into_answers(&setting.dataset).unwrap();
    for answer in &answers {
        assert!(answer.hits.len() <= 6 && answer.hits.len() >= 4, "{answer:?}");
    }
    let output = setting.command_for("image", &["--heads", "image"]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let answers = Run::open(&setting.root.join(".dissent/runs/image")).unwrap().into_answers(&setting.dataset).unwrap();
    assert!(answers.iter().all(|answer| answer.hits.len() == 2));
    let output = setting.command_for("person", &["--heads", "person"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn a_reranker_picks_one_of_the_hits_and_is_evaluated() {
    let setting = Setting::new(4);
    report(&setting.predict(&["--json"]));
    let dissent =
        |arguments: &[&str]| dissent().arg(arguments[0]).arg(&setting.root).args(&arguments[1..]).output().unwrap();
    let reader = reader_fixture();
    let rerank = ["rerank", "--run", "a", "--device", "cpu", "--reader", reader.to_str().unwrap()];
    let output = dissent(&rerank);
    assert!(output.status.success(), "{}", stderr_of(&output));
    let path = setting.run_folder().join("rerank-reranker.json");
    let choices: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    let run = Run::open(&setting.run_folder()).unwrap();
    for answer in run.into_answers(&setting.dataset).unwrap() {
        let choice = &choices["choices"][&setting.dataset.cases[answer.case].id];
        assert!(answer.hits.iter().any(|hit| choice["document"] == *hit.document), "{choice}");
        assert!(choice["probability"].as_f64().is_some_and(|value| value > 0.0 && value < 1.0), "{choice}");
    }
    let evaluate = ["evaluate", "--runs", "a", "--tables", "fusers", "--csv"];
    let output = dissent(&evaluate);
    assert!(String::from_utf8_lossy(&output.stdout).contains("\"a, reranker\",all,"), "{output:?}");
    // Another question is another answer, asked anew.
    let other = [&rerank[..], &["--name", "other", "--question", "Is it alike? {question}"]].concat();
    assert!(dissent(&other).status.success());
    let other: Value =
        serde_json::from_slice(&fs::read(setting.run_folder().join("rerank-other.json")).unwrap()).unwrap();
    assert_ne!(other["choices"], choices["choices"]);
    // Choices made for another run are named.
    let text = fs::read_to_string(&path).unwrap().replace(choices["run"].as_str().unwrap(), "0123456789abcdef");
    fs::write(&path, text).unwrap();
    let output = dissent(&evaluate);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        stderr_of(&output).contains("rerank-reranker.json: made for a run with fingerprint 0123456789abcdef"),
        "{}",
        stderr_of(&output)
    );
}

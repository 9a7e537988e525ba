//! Explanations with the sample's reader, for which the truth is known: the outcome word of the caption decides.

use super::support::{CountingReader, FixedHits, dataset};
use crate::support::patience::PATIENCE;
use crate::support::program::{dissent, stderr_of, stdout_of};
use candle_core::{DType, Device};
use dissent::data::Dataset;
use dissent::explain::{Explanation, Method, Wanted, without};
use dissent::files::fingerprint::Fingerprint;
use dissent::pipeline::{Event, ExplainOutcome, ExplainRequest, GridChoice, ModelDescription, Pipeline};
use dissent::reader::{CandleReader, Evidence, ReadRequest, Reader, ReaderError};
use dissent::run::{Ablation, Probe};
use dissent::worker::{LoadedPipeline, Request, WorkerHandle};
use serde_json::Value;
use std::cell::Cell;
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub(super) fn sample() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("sample-data")
}

fn sample_reader() -> CandleReader {
    CandleReader::load(&sample().join("models/reader"), &Device::Cpu, DType::F32).unwrap()
}

pub(super) fn sample_dataset() -> Arc<Dataset> {
    Arc::new(Dataset::open(&sample().join("dataset")).unwrap())
}

pub(super) fn pipeline(dataset: &Arc<Dataset>, cache: &Path) -> Pipeline {
    Pipeline::new(dataset.clone(), None, Box::new(sample_reader()), cache).unwrap()
}

/// A case and a document by their ids.
fn request(dataset: &Dataset, case: &str, document: &str, wanted: Wanted, method: Method) -> ExplainRequest {
    let case = dataset.cases.iter().position(|known| known.id == case).unwrap();
    let row = dataset.corpus.row_of(document).unwrap();
    let probe = Some(Probe { row, ablation: Ablation::default() });
    ExplainRequest { case, probe, label: None, wanted, method, grid: GridChoice::CoarseToFine }
}

fn explained(pipeline: &mut Pipeline, request: &ExplainRequest) -> Explanation {
    match pipeline.explain(request, None, &|| false, &mut |_| {}).unwrap() {
        ExplainOutcome::Explained(explanation) => *explanation,
        ExplainOutcome::Costly(cost) => panic!("no limit was given, but {cost:?}"),
    }
}

const WORDS: Wanted = Wanted { words: true, regions: false };
const ALL: Wanted = Wanted { words: true, regions: true };

#[test]
fn the_outcome_word_decides_and_each_weight_is_that_of_the_shortened_caption() {
    let folder = tempfile::tempdir().unwrap();
    let dataset = sample_dataset();
    let mut pipeline = pipeline(&dataset, folder.path());
    let mut reader = sample_reader();
    for (case, document) in [("us-t0001", "us-d0379"), ("us-t0002", "us-d0003"), ("us-t0007", "us-d0408")] {
        let explanation = explained(&mut pipeline, &request(&dataset, case, document, WORDS, Method::Occlusion));
        let words = explanation.words.unwrap();
        let strongest = words.text(words.strongest(1)[0]);
        assert!(matches!(strongest, "benign" | "malignant"), "{case} with {document}: {strongest}");

        let case = dataset.cases.iter().find(|known| known.id == case).unwrap();
        let document = dataset.corpus.document(dataset.corpus.row_of(document).unwrap());
        for part in &words.parts {
            let asked = ReadRequest {
                task: Arc::new(dataset.task(&case.task).unwrap().clone()),
                question: dataset.question_of(case).to_owned(),
                query: Arc::new(dataset.picture(&case.image).unwrap()),
                evidence: Some(Evidence {
                    image: Some(Arc::new(dataset.picture(document.image).unwrap())),
                    caption: Some(without(document.caption, &part.range)),
                }),
            };
            let scores = reader.score(&[asked], &|| false).unwrap().remove(0);
            let weight = explanation.log_odds - explanation.target.log_odds(&scores);
            let difference = (weight - part.weight).abs();
            assert!(difference < 1e-4, "{}: {} apart", words.text(part), difference);
        }
    }
}

#[test]
fn what_was_asked_once_is_not_asked_again() {
    let folder = tempfile::tempdir().unwrap();
    let dataset = sample_dataset();
    let request = request(&dataset, "us-t0004", "us-d0010", ALL, Method::Occlusion);
    let mut first = pipeline(&dataset, folder.path());
    let explanation = explained(&mut first, &request);
    let asked = first.asked();
    assert!((40..=120).contains(&asked), "coarse to fine asks {asked} questions");
    assert_eq!(explained(&mut first, &request), explanation);
    assert_eq!(first.asked(), asked);
    drop(first);
    let mut later = pipeline(&dataset, folder.path());
    assert_eq!(explained(&mut later, &request), explanation, "the answers outlive the program");
    assert_eq!(later.asked(), 0);
}

#[test]
fn cancelling_midway_keeps_what_was_answered() {
    let folder = tempfile::tempdir().unwrap();
    let dataset = sample_dataset();
    let request = request(&dataset, "us-t0005", "us-d0011", ALL, Method::Occlusion);
    let mut pipeline = pipeline(&dataset, folder.path());
    let is_cancelled = Cell::new(false);
    let outcome = pipeline.explain(&request, None, &|| is_cancelled.get(), &mut |progress| {
        is_cancelled.set(progress.done > 20);
    });
    assert!(matches!(outcome, Err(ReaderError::Cancelled)));
    let before = pipeline.asked();
    assert!((20..100).contains(&before), "{before}");
    explained(&mut pipeline, &request);
    let together = pipeline.asked();
    drop(pipeline);
    let other = tempfile::tempdir().unwrap();
    let mut whole = self::pipeline(&dataset, other.path());
    explained(&mut whole, &request);
    assert_eq!(together, whole.asked(), "no question was asked twice");
}

#[test]
fn an_explanation_that_would_take_too_long_says_its_cost_instead() {
    let folder = tempfile::tempdir().unwrap();
    let dataset = sample_dataset();
    let request = request(&dataset, "us-t0006", "us-d0012", ALL, Method::Occlusion);
    let mut pipeline = pipeline(&dataset, folder.path());
    let outcome = pipeline.explain(&request, Some(0.0), &|| false, &mut |_| {}).unwrap();
    let ExplainOutcome::Costly(cost) = outcome else { panic!("nothing takes no time") };
    assert!(cost.requests > 40 && cost.known < cost.requests && cost.seconds > 0.0, "{cost:?}");
    assert!(pipeline.asked() <= 3, "the prediction and what was measured");
    explained(&mut pipeline, &request);
    let again = pipeline.explain(&request, Some(0.0), &|| false, &mut |_| {}).unwrap();
    assert!(matches!(again, ExplainOutcome::Explained(_)), "what is in the cache takes no time");
}

#[test]
fn the_gradient_agrees_with_occlusion_on_the_word_that_decides() {
    let folder = tempfile::tempdir().unwrap();
    let dataset = sample_dataset();
    let mut pipeline = pipeline(&dataset, folder.path());
    let by =
        |pipeline: &mut Pipeline, method| explained(pipeline, &request(&dataset, "us-t0001", "us-d0002", ALL, method));
    let (gradient, occlusion) = (by(&mut pipeline, Method::Gradient), by(&mut pipeline, Method::Occlusion));
    assert_eq!((gradient.target, gradient.log_odds), (occlusion.target, occlusion.log_odds));
    let (estimated, measured) = (gradient.words.unwrap(), occlusion.words.unwrap());
    let ranges = |words: &dissent::explain::WordWeights| -> Vec<_> {
        words.parts.iter().map(|part| part.range.clone()).collect()
    };
    assert_eq!(ranges(&estimated), ranges(&measured));
    assert!(estimated.parts.iter().any(|part| part.weight != 0.0));
    assert!(gradient.document.is_some() && gradient.query.is_some());
}

fn command(arguments: &[&str]) -> std::process::Command {
    let mut command = dissent();
    command.arg("explain").arg(sample().join("dataset")).args(["--device", "cpu"]).args(arguments);
    command.arg("--reader").arg(sample().join("models/reader"));
    command
}

#[test]
fn the_command_prints_plain_words_and_complete_json() {
    let folder = tempfile::tempdir().unwrap();
    let workspace = folder.path().to_str().unwrap();
    let named = ["us-t0001", "--document", "us-d0002", "--workspace", workspace];
    let text = stdout_of(&command(&named).output().unwrap());
    assert!(text.contains("Case us-t0001 with document us-d0002") && text.contains("Strongest words"), "{text}");
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");

    let output = command(&named).arg("--json").output().unwrap();
    let json: Value = serde_json::from_str(&stdout_of(&output)).unwrap();
    assert_eq!(json["questions_asked"], 0, "the first call left the answers in the cache");
    assert_eq!(fields(&json), JSON_FIELDS);
    assert!(matches!(json["words"]["strongest"][0]["text"].as_str(), Some("benign" | "malignant")));
    let sizes: Vec<usize> = json["regions"]["query"]["weights"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row.as_array().unwrap().len())
        .collect();
    assert_eq!(sizes, [8; 8]);
}

#[test]
fn the_command_says_what_is_missing() {
    let folder = tempfile::tempdir().unwrap();
    let workspace = folder.path().to_str().unwrap();
    for (arguments, message) in [
        (["us-t9999", "--document", "us-d0002"], "the id of the first case is 'us-v0001'"),
        (["us-t0001", "--document", "us-d9999"], "no such document"),
    ] {
        let output = command(&arguments).args(["--workspace", workspace]).output().unwrap();
        assert_eq!(output.status.code(), Some(1));
        assert!(stderr_of(&output).contains(message), "{}", stderr_of(&output));
    }
}

/// Names of all fields, those of list entries once.
fn fields(value: &Value) -> Vec<String> {
    fn collect(value: &Value, place: &str, fields: &mut Vec<String>) {
        match value {
            Value::Object(entries) => {
                for (name, value) in entries {
                    collect(value, &format!("{place}.{name}"), fields);
                }
            }
            Value::Array(values) => {
                if let Some(first) = values.first() {
                    collect(first, &format!("{place}[]"), fields);
                }
            }
            _ => fields.push(place.trim_start_matches('.').to_owned()),
        }
    }
    let mut found = Vec::new();
    collect(value, "", &mut found);
    found.sort();
    found
}

const JSON_FIELDS: [&str; 36] = [
    "answer",
    "answer_set",
    "case",
    "document",
    "hit",
    "is_approximate",
    "label",
    "log_odds",
    "method",
    "question",
    "questions_asked",
    "reader",
    "regions.document.covered_alone[][]",
    "regions.document.is_approximate",
    "regions.document.strongest.column",
    "regions.document.strongest.row",
    "regions.document.strongest.weight",
    "regions.document.weights[][]",
    "regions.query.covered_alone[][]",
    "regions.query.is_approximate",
    "regions.query.strongest.column",
    "regions.query.strongest.row",
    "regions.query.strongest.weight",
    "regions.query.weights[][]",
    "runner_up",
    "words.caption",
    "words.parts[].end",
    "words.parts[].is_approximate",
    "words.parts[].start",
    "words.parts[].text",
    "words.parts[].weight",
    "words.strongest[].end",
    "words.strongest[].is_approximate",
    "words.strongest[].start",
    "words.strongest[].text",
    "words.strongest[].weight",
];

#[test]
fn the_worker_explains_in_the_background_and_the_newest_request_wins() {
    let folder = tempfile::tempdir().unwrap();
    let dataset = Arc::new(dataset(folder.path(), 2));
    let cache = folder.path().join("cache");
    let load = move |_: &dyn Fn(String), _: &dyn Fn() -> bool| {
        let reader = Box::new(CountingReader::new());
        let pipeline = Pipeline::new(dataset, Some(Box::new(FixedHits::new())), reader, &cache)?;
        let description = ModelDescription {
            heads: "fixed".into(),
            retriever: "fixed".into(),
            reader: "counting".into(),
            device: "cpu".into(),
            index: "none".into(),
            run_fingerprint: "none".into(),
            reader_fingerprint: Fingerprint::of_bytes(b"counting"),
            hosted: None,
            is_sampled: false,
        };
        Ok(LoadedPipeline { pipeline, description })
    };
    let no_search = Box::new(|| anyhow::bail!("nothing is searched here"));
    let worker = WorkerHandle::start(Vec::new(), Box::new(load), no_search).unwrap();
    let request = |row| ExplainRequest {
        case: 0,
        probe: Some(Probe { row, ablation: Ablation::default() }),
        label: None,
        wanted: WORDS,
        method: Method::Occlusion,
        grid: GridChoice::Auto,
    };
    for (ticket, row) in [(1, 0), (2, 1)] {
        worker.send(Request::Explain { ticket, request: request(row), most_seconds: None });
    }
    let explained = loop {
        // Ticket 1 may have been answered before the second request came.
        if let Event::Explained { ticket: 2, request, outcome } = worker.events.recv_timeout(PATIENCE).unwrap() {
            break (request, outcome.unwrap());
        }
    };
    let (asked, ExplainOutcome::Explained(explanation)) = explained else { panic!("no limit was given") };
    assert_eq!(asked, request(1));
    let words = explanation.words.unwrap();
    // The counting reader says No to "caption 1" alone.
    assert_eq!(words.caption, "caption 1");
    assert!(words.parts.iter().all(|part| (part.weight - 3.8).abs() < 1e-5), "{words:?}");
}

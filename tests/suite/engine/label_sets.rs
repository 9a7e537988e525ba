//! Answers that are sets of labels: each label asked with yes or no, or a set in words; predicted, stored, fused, evaluated.

use super::support::{FixedHits, dataset, reader_fixture};
use crate::support::dataset::{document, manifest, write_dataset};
use crate::support::fixtures;
use crate::support::pictures::grey_picture;
use crate::support::program::{dissent, stderr_of, stdout_of};
use candle_core::{DType, Device};
use dissent::data::{
    Answer, AskForSets, Case, Dataset, Document, Label, LabelSet, PromptTemplate, SetPrompt, Split, Task, TaskKind,
};
use dissent::evaluation::{SummaryCase, Verdict, fuse, scored_hits};
use dissent::explain::{Explanation, LabelOfSet, Method, Wanted};
use dissent::files::fingerprint::Fingerprint;
use dissent::pipeline::{ExplainOutcome, ExplainRequest, GridChoice, Pipeline};
use dissent::reader::{CandleReader, Evidence, ReadRequest, Reader, ReaderError};
use dissent::run::{Ablation, LabelScores, Probe, Run};
use serde_json::Value;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

const NAMES: [&str; 4] = ["Edema", "Nodule", "Lung, left", "Effusion"];

fn findings(sets: SetPrompt) -> Task {
    let labels = NAMES.map(|id| Label::new(id, id)).to_vec();
    let prompt = PromptTemplate { sets, ..PromptTemplate::default() };
    let question = Some("Which findings are there?".into());
    Task { id: "findings".into(), kind: TaskKind::MultiLabel, question, labels, prompt }
}

fn in_words() -> SetPrompt {
    SetPrompt { ask: AskForSets::Words, ..SetPrompt::default() }
}

/// Says yes to Edema always, to Nodule with caption 1 only, in its text as well.
struct FindingReader {
    fingerprint: Fingerprint,
    asked: Arc<AtomicUsize>,
    questions: Arc<Mutex<Vec<String>>>,
}

impl FindingReader {
    fn new() -> Self {
        Self { fingerprint: Fingerprint::of_bytes(b"findings"), asked: Arc::default(), questions: Arc::default() }
    }
}

impl Reader for FindingReader {
    fn name(&self) -> &'static str {
        "findings"
    }

    fn fingerprint(&self) -> &Fingerprint {
        &self.fingerprint
    }

    fn score(&mut self, requests: &[ReadRequest], _: &dyn Fn() -> bool) -> Result<Vec<LabelScores>, ReaderError> {
        self.asked.fetch_add(requests.len(), Ordering::SeqCst);
        let mut questions = self.questions.lock().unwrap();
        questions.extend(requests.iter().map(|request| request.question.clone()));
        let answer = |request: &ReadRequest| {
            let words: Vec<&str> = request.task.labels.iter().map(|label| label.id.as_str()).collect();
            assert_eq!(words, ["Yes", "No"]);
            let odds = match (request.question.contains("Edema"), request.question.contains("Nodule")) {
                (true, _) => 2.0_f32,
                (_, true) if caption_of(request) == "caption 1" => 0.5,
                _ => -1.5,
            };
            // Other texts have half of the probability.
            let yes = 0.5 / (1.0 + (-odds).exp());
            LabelScores::exact(vec![yes.ln(), (0.5 - yes).ln()])
        };
        Ok(requests.iter().map(answer).collect())
    }

    fn generate(&mut self, requests: &[ReadRequest], _: &dyn Fn() -> bool) -> Result<Vec<String>, ReaderError> {
        self.asked.fetch_add(requests.len(), Ordering::SeqCst);
        let answer = |request: &ReadRequest| match caption_of(request) {
            "caption 0" => "edema.",
            "caption 1" => "Nodule and edema",
            "caption 2" => "I cannot tell.",
            _ => "None",
        };
        Ok(requests.iter().map(|request| answer(request).to_owned()).collect())
    }
}

fn caption_of(request: &ReadRequest) -> &str {
    request.evidence.as_ref().and_then(|evidence| evidence.caption.as_deref()).unwrap_or_default()
}

/// Two cases with the gold sets {Edema} and {}.
fn findings_dataset(root: &Path, sets: SetPrompt) -> Arc<Dataset> {
    let mut dataset = dataset(root, 2);
    dataset.tasks = vec![findings(sets)];
    for (case, answer) in dataset.cases.iter_mut().zip(["Edema", "[]"]) {
        (case.task, case.answer) = ("findings".into(), answer.into());
    }
    Arc::new(dataset)
}

fn set(labels: &[usize]) -> Answer {
    Answer::Set(LabelSet::of(labels.iter().copied()))
}

#[test]
fn each_label_is_asked_with_yes_or_no_and_the_sets_compare_as_sets() {
    let folder = tempfile::tempdir().unwrap();
    let dataset = findings_dataset(folder.path(), SetPrompt::default());
    let reader = FindingReader::new();
    let (asked, questions) = (reader.asked.clone(), reader.questions.clone());
    let cache = folder.path().join("cache");
    let open = |reader| Pipeline::new(dataset.clone(), Some(Box::new(FixedHits::new())), reader, &cache).unwrap();
    let mut pipeline = open(Box::new(reader));
    let answers = pipeline.answer_all(&[0, 1], &|| false).unwrap();
    let [first, second] = &answers[..] else { panic!("two cases") };
    let first = first.as_ref().unwrap();
    // By image 0 and 1, by caption 2.
    let sets: Vec<Option<Answer>> = first.predictions.iter().map(|prediction| prediction.answer).collect();
    assert_eq!(sets, [Some(set(&[0])), Some(set(&[0, 1])), Some(set(&[0]))]);
    assert_eq!(first.closed_book.as_ref().unwrap().answer, Some(set(&[0])));
    assert_eq!(asked.load(Ordering::SeqCst), 2 * 4 * NAMES.len(), "three hits and closed-book, each label");
    let expected: Vec<String> =
        NAMES.map(|name| format!("Which findings are there? Finding: {name}. Answer Yes or No.")).to_vec();
    assert_eq!(questions.lock().unwrap()[..NAMES.len()], expected);
    let probability = first.predictions[0].odds.as_ref().unwrap().probability_of_yes(0).unwrap();
    assert!((probability - 0.880_797).abs() < 1e-5, "between yes and no: {probability}");

    let outcome = SummaryCase::of(first, &dataset).unwrap().outcome.unwrap();
    assert_eq!(outcome.verdict(), Verdict::Inconsistent);
    assert!(outcome.is_right() && outcome.is_ruined_by(1) && !outcome.is_ruined_by(0));
    let fused = fuse(&scored_hits(first)).unwrap();
    let odds = fused.prediction.odds.as_ref().unwrap().log_odds().to_vec();
    assert!((odds[0] - 2.0).abs() < 1e-5, "{odds:?}");
    let nodule = 0.5 * fused.weights[1] - 1.5 * (fused.weights[0] + fused.weights[2]);
    assert!((odds[1] - nodule).abs() < 1e-5, "late fusion of yes and no");
    let outcome = SummaryCase::of(second.as_ref().unwrap(), &dataset).unwrap().outcome.unwrap();
    assert!(!outcome.oracle_is_right(), "nobody answers with the empty set");

    let mut again = open(Box::new(FindingReader::new()));
    assert_eq!(again.answer_all(&[0, 1], &|| false).unwrap()[0].as_ref().unwrap(), first);
    assert_eq!(again.asked(), 0, "each label's answer outlives the program");
}

#[test]
fn a_set_in_words_is_read_from_the_text_and_the_empty_set_has_a_word() {
    let folder = tempfile::tempdir().unwrap();
    let dataset = findings_dataset(folder.path(), in_words());
    let hits = Some(Box::new(FixedHits::new()) as Box<dyn dissent::retriever::HitSource>);
    let cache = folder.path().join("cache");
    let mut pipeline = Pipeline::new(dataset.clone(), hits, Box::new(FindingReader::new()), &cache).unwrap();
    let answers = pipeline.answer_all(&[0, 1], &|| false).unwrap();
    let first = answers[0].as_ref().unwrap();
    let sets: Vec<Option<Answer>> = first.predictions.iter().map(|prediction| prediction.answer).collect();
    assert_eq!(sets, [Some(set(&[0])), Some(set(&[0, 1])), None], "what names no label is an answer of its own");
    let closed_book = first.closed_book.as_ref().unwrap();
    assert_eq!((closed_book.answer, closed_book.text.as_deref()), (Some(set(&[])), Some("None")));
    let second = SummaryCase::of(answers[1].as_ref().unwrap(), &dataset).unwrap();
    assert_eq!(second.closed_book, Some(second.gold), "the empty set is right");
    assert_eq!(fuse(&scored_hits(first)).unwrap().prediction.answer, Some(set(&[0])), "a vote with the weights");
}

#[test]
fn the_threshold_decides_which_labels_are_in_the_set() {
    let folder = tempfile::tempdir().unwrap();
    let dataset = findings_dataset(folder.path(), SetPrompt { threshold: 0.15, ..SetPrompt::default() });
    let cache = folder.path().join("cache");
    let mut pipeline = Pipeline::new(dataset, None, Box::new(FindingReader::new()), &cache).unwrap();
    let answer = pipeline.answer_all(&[0], &|| false).unwrap().remove(0).unwrap();
    assert_eq!(answer.closed_book.unwrap().answer, Some(set(&[0, 1, 2, 3])), "P(yes) is 0.18 for the other labels");
}

/// The prompts of all labels share what comes before the label; the scores are those of each prompt alone.
#[test]
fn labels_scored_together_have_the_scores_of_each_alone() {
    let root = fixtures::path("readers");
    let families = ["qwen2_vl", "qwen2_5_vl", "qwen3_vl", "smolvlm", "gemma3", "internvl", "paligemma", "llava"];
    let families = families.map(|family| root.join(family).join("checkpoint"));
    for folder in families.into_iter().chain([reader_fixture(), fixtures::sample("models/reader")]) {
        let mut reader = CandleReader::load(&folder, &Device::Cpu, DType::F32).unwrap();
        let task = Arc::new(findings(SetPrompt::default()));
        let request = |evidence: Option<(u32, &str)>| ReadRequest {
            task: task.clone(),
            question: "Which findings?".into(),
            query: grey_picture(64, 64, 1),
            evidence: evidence.map(|(seed, caption)| Evidence {
                image: Some(grey_picture(140, 84, seed)),
                caption: Some(caption.into()),
            }),
        };
        let asked = [request(Some((2, "a hypoechoic mass"))), request(None), request(Some((3, "no mass")))];
        let all: Vec<ReadRequest> = asked.iter().flat_map(ReadRequest::about_each_label).collect();
        let together = reader.score(&all, &|| false).unwrap();
        assert_eq!(together.len(), 3 * NAMES.len());
        for (request, scores) in all.iter().zip(&together) {
            let alone = reader.score(std::slice::from_ref(request), &|| false).unwrap().remove(0);
            for (one, other) in scores.log_probabilities().iter().zip(alone.log_probabilities()) {
                assert!((one - other).abs() < 1e-4, "{}: {scores:?} {alone:?}", folder.display());
            }
        }
        let differs = together.windows(2).any(|pair| pair[0] != pair[1]);
        assert!(differs, "{}: the labels have different scores", folder.display());
    }
}

/// The sample's images with sets of findings: the first twelve test cases; one has the empty set, one an unknown label.
fn write_findings(root: &Path, sets: SetPrompt) {
    write_findings_with_validation(root, sets, 0);
}

/// The same, and the test cases after them as this many validation cases.
fn write_findings_with_validation(root: &Path, sets: SetPrompt, validation: usize) {
    let sample = Dataset::open(&fixtures::sample("dataset")).unwrap();
    let mut cases = Vec::new();
    let own = sample.cases.iter().filter(|case| case.split == Split::Test).take(12 + validation);
    for (number, case) in own.enumerate() {
        let answer = ["Edema", "[]", r#"["Nodule","Lung, left"]"#][number % 3];
        let unknown = if number == 3 { vec!["Effusion".to_owned()] } else { Vec::new() };
        let split = if number < 12 { Split::Test } else { Split::Validation };
        let case = case.clone();
        cases.push(Case { task: "findings".into(), split, answer: answer.into(), unknown, question: None, ..case });
    }
    let corpus: Vec<Document> = sample
        .corpus
        .iter()
        .take(20)
        .map(|own| Document { image: own.image.into(), ..document(own.id, own.caption) })
        .collect();
    write_dataset(root, &manifest("findings", vec![findings(sets)]), &cases, &corpus);
    for image in cases.iter().map(|case| &case.image).chain(corpus.iter().map(|document| &document.image)) {
        fs::copy(sample.image_path(image), root.join(image)).unwrap();
    }
}

fn command(name: &str, root: &Path, arguments: &[&str]) -> Command {
    let mut command = dissent();
    command.arg(name).arg(root).args(arguments);
    command
}

fn predict(root: &Path) -> Command {
    let mut command = command("predict", root, &["--run", "a", "--device", "cpu", "--json"]);
    command.arg("--encoder").arg(fixtures::sample("models/encoder"));
    command.arg("--reader").arg(fixtures::sample("models/reader"));
    command
}

#[test]
fn a_run_of_sets_is_predicted_read_back_evaluated_and_shown() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("dataset");
    write_findings(&root, SetPrompt::default());
    let checked = stdout_of(&command("check", &root, &[]).output().unwrap());
    for expected in [
        "12 cases ((no label) 4, (one label) 3, (several labels) 4, (some unknown) 1)",
        "cases with each label: Edema 4",
    ] {
        assert!(checked.contains(expected), "{checked}");
    }
    let report: Value = serde_json::from_str(&stdout_of(&predict(&root).output().unwrap())).unwrap();
    assert_eq!(report["cases"], 12, "{report}");
    assert_eq!(report["summary"]["tasks"][0]["n_unknown"], 1, "{report}");
    assert_eq!(report["summary"]["tasks"][0]["fused_accuracy"]["n"], 11, "{report}");

    let lines = fs::read_to_string(root.join(".dissent/runs/a/predictions.jsonl")).unwrap();
    let lines: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(lines.len() >= 3 * 12);
    for line in &lines {
        let odds: Vec<f64> = serde_json::from_value(line["label_log_odds"].clone()).unwrap();
        let likely = NAMES.iter().zip(&odds).filter(|(_, odds)| **odds > 0.0).map(|(name, _)| *name);
        assert_eq!(line["predicted_set"], Value::from(likely.collect::<Vec<_>>()), "{line}");
        assert!(line["prediction"].is_null() && line["label_log_probabilities"].is_null(), "{line}");
    }
    let dataset = Dataset::open(&root).unwrap();
    let answers = Run::open(&root.join(".dissent/runs/a")).unwrap().into_answers(&dataset).unwrap();
    assert!(answers.iter().flat_map(|answer| &answer.predictions).all(|prediction| {
        prediction.answer == Some(Answer::Set(prediction.odds.as_ref().unwrap().label_set()))
            && prediction.text.is_none()
    }));

    let tables = stdout_of(&command("evaluate", &root, &["--runs", "a", "--tables", "all"]).output().unwrap());
    for expected in [
        "findings: 1 of 12 cases have an unknown label",
        "Accuracy, findings",
        "Labels, findings",
        "label Lung, left",
        "all labels (micro)",
        "Oracle, findings",
        "Fusers, findings",
    ] {
        assert!(tables.contains(expected), "{expected}\n{tables}");
    }
    assert!(!tables.contains("Calibration, findings") && !tables.contains("Confusion, findings"), "{tables}");
    // The last row of a label is that of the run, after the closed-book one.
    let counts = |label: &str| -> Vec<String> {
        let row = tables.lines().filter_map(|line| line.trim_start().strip_prefix(label)).next_back().unwrap();
        row.split_whitespace().take(2).map(str::to_owned).collect()
    };
    assert_eq!(
        (counts("label Effusion"), counts("label Edema")),
        (vec!["11".into(), "0".into()], vec!["12".into(), "4".into()])
    );
    assert_eq!(counts("all labels (micro)"), ["47", "12"], "{tables}");
    stdout_of(&command("evaluate", &root, &["--runs", "a", "--json"]).output().unwrap());
    let html = folder.path().join("report.html");
    stdout_of(&command("evaluate", &root, &["--runs", "a", "--html"]).arg(&html).output().unwrap());
    assert!(fs::read_to_string(html).unwrap().contains("Labels, findings"));

    let id = |number: usize| dataset.cases[number].id.clone();
    let shown = stdout_of(&command("show", &root, &[&id(2)]).output().unwrap());
    assert!(shown.contains("Edema  *Nodule  *Lung, left  Effusion   * gold"), "{shown}");
    let shown = stdout_of(&command("show", &root, &[&id(3)]).output().unwrap());
    assert!(shown.contains("*Edema  Nodule  Lung, left  ?Effusion   * gold, ? unknown"), "{shown}");

    // Another question for the labels makes another run.
    let changed = fs::read_to_string(root.join("dataset.toml")).unwrap();
    fs::write(root.join("dataset.toml"), changed + "[task.prompt.sets]\nquestion = \"{label}?\"\n").unwrap();
    let refused = stderr_of(&predict(&root).output().unwrap());
    assert!(refused.contains("questions for sets of labels"), "{refused}");
}

/// The rows of the table of thresholds, and that of labels.
fn thresholds_and_labels(root: &Path) -> (Value, Value) {
    let arguments = ["--runs", "a", "--thresholds", "validation", "--tables", "thresholds,labels", "--json"];
    let output = command("evaluate", root, &arguments).output().unwrap();
    let report: Value = serde_json::from_str(&stdout_of(&output)).unwrap();
    let table = |key: &str| {
        let tables = report["tables"].as_array().unwrap().iter();
        tables.clone().find(|table| table["key"] == key).unwrap_or_else(|| panic!("{key}: {report}")).clone()
    };
    assert!(report["remarks"].to_string().contains("chosen on 18 validation cases"), "{report}");
    let note = table("labels")["note"].as_str().unwrap().lines().next().unwrap().to_owned();
    assert!(note.ends_with("above a threshold of its own (table thresholds)."), "{note}");
    (table("thresholds")["rows"].clone(), table("labels")["rows"].clone())
}

#[test]
fn thresholds_are_chosen_on_the_validation_split_alone() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("dataset");
    write_findings_with_validation(&root, SetPrompt::default(), 18);
    stdout_of(&predict(&root).output().unwrap());
    let evaluate =
        |arguments: &[&str]| command("evaluate", &root, &[&["--runs", "a"][..], arguments].concat()).output();
    let refused = stderr_of(&evaluate(&["--thresholds", "validation"]).unwrap());
    assert!(refused.contains("expected validation cases in the run a, found none; add them with"), "{refused}");
    let before: Value = serde_json::from_str(&stdout_of(&evaluate(&["--json"]).unwrap())).unwrap();
    let tables = before["tables"].as_array().unwrap();
    assert!(tables.iter().all(|table| table["key"] != "thresholds"));
    let labels = tables.iter().find(|table| table["key"] == "labels").unwrap();
    let note = labels["note"].as_str().unwrap().lines().next().unwrap();
    assert!(note.ends_with("its probability of yes is above 0.5."), "{note}");

    stdout_of(&predict(&root).args(["--split", "validation"]).output().unwrap());
    let refused = stderr_of(&evaluate(&["--thresholds", "validation", "--split", "validation"]).unwrap());
    assert!(refused.contains("expected another --split"), "{refused}");
    let (rows, of_labels) = thresholds_and_labels(&root);
    let rows = rows.as_array().unwrap();
    assert_eq!(rows.len(), NAMES.len());
    let text = |row: &Value, column: usize| row[column]["text"].as_str().unwrap().to_owned();
    for (row, name) in rows.iter().zip(NAMES) {
        assert_eq!((text(row, 0), text(row, 1)), ("a".into(), format!("label {name}")));
        assert_eq!(row[3]["count"], 18);
        if name == "Effusion" {
            // No case has it.
            assert_eq!(text(row, 2), "0.500 (kept: too few cases)");
            continue;
        }
        assert_eq!(row[4]["count"], 6);
        let (there, before): (f64, f64) = (text(row, 5).parse().unwrap(), text(row, 6).parse().unwrap());
        assert!(there >= before && there > 0.0, "{row}");
    }
    // Each label is answered with its own threshold: other answers than those of 0.5, unless that was the best.
    let is_changed = rows.iter().any(|row| !text(row, 2).starts_with("0.500"));
    assert_eq!(is_changed, of_labels != labels["rows"], "{rows:?}");
    assert!(
        is_changed,
        "the reader was not trained on findings, so that 0.5 is not the best for all of them: {rows:?}"
    );

    // Other gold answers in the test split change its figures, and no threshold.
    let cases = fs::read_to_string(root.join("cases.jsonl")).unwrap();
    let is_test = |line: &&str| line.contains("\"split\":\"test\"");
    assert_eq!(cases.lines().filter(is_test).count(), 12);
    let other = cases.lines().map(|line| {
        let line =
            if is_test(&line) { line.replace("\"answer\":\"Edema\"", "\"answer\":\"Nodule\"") } else { line.into() };
        line + "\n"
    });
    fs::write(root.join("cases.jsonl"), other.collect::<String>()).unwrap();
    let (same, changed) = thresholds_and_labels(&root);
    assert_eq!(same.as_array().unwrap(), rows);
    assert_ne!(changed, of_labels);
}

/// The weights of the words of the document's caption in the answer about a label.
fn explained(pipeline: &mut Pipeline, label: Option<usize>, method: Method) -> Result<Explanation, ReaderError> {
    let request = ExplainRequest {
        case: 0,
        probe: Some(Probe { row: 1, ablation: Ablation::default() }),
        label,
        wanted: Wanted { words: true, regions: false },
        method,
        grid: GridChoice::Auto,
    };
    match pipeline.explain(&request, None, &|| false, &mut |_| {})? {
        ExplainOutcome::Explained(explanation) => Ok(*explanation),
        ExplainOutcome::Costly(cost) => panic!("{cost:?}"),
    }
}

#[test]
fn the_probability_of_one_label_of_a_set_is_explained() {
    let folder = tempfile::tempdir().unwrap();
    let dataset = findings_dataset(folder.path(), SetPrompt::default());
    let cache = folder.path().join("cache");
    let mut pipeline = Pipeline::new(dataset, None, Box::new(FindingReader::new()), &cache).unwrap();
    // With document 1 the answer is Edema and Nodule; Edema is the more probable, and no word matters to it.
    let edema = explained(&mut pipeline, None, Method::Occlusion).unwrap();
    let whole = LabelSet::of([0, 1]);
    assert_eq!(edema.of_label, Some(LabelOfSet { label: 0, set: whole }));
    assert!((edema.log_odds - 2.0).abs() < 1e-5);
    assert!(edema.words.unwrap().parts.iter().all(|part| part.weight.abs() < 1e-5));
    // Nodule is answered with "caption 1" alone: without either word, its log-odds fall from 0.5 to -1.5.
    let nodule = explained(&mut pipeline, Some(1), Method::Occlusion).unwrap();
    assert_eq!(nodule.of_label, Some(LabelOfSet { label: 1, set: whole }));
    assert_eq!((nodule.target.answer, nodule.target.runner_up), (0, Some(1)), "yes, not no");
    let words = nodule.words.unwrap();
    let weights: Vec<(&str, f32)> = words.parts.iter().map(|part| (words.text(part), part.weight)).collect();
    assert_eq!(weights.iter().map(|(word, _)| *word).collect::<Vec<_>>(), ["caption", "1"]);
    assert!(weights.iter().all(|(_, weight)| (weight - 2.0).abs() < 1e-5), "{weights:?}");
    // A label that is not in the answer: why not.
    let effusion = explained(&mut pipeline, Some(3), Method::Occlusion).unwrap();
    assert_eq!((effusion.target.answer, effusion.log_odds > 0.0), (1, true), "no, not yes");

    let folder = tempfile::tempdir().unwrap();
    let dataset = findings_dataset(folder.path(), in_words());
    let mut pipeline = Pipeline::new(dataset, None, Box::new(FindingReader::new()), &folder.path().join("c")).unwrap();
    let Err(ReaderError::Failed(error)) = explained(&mut pipeline, None, Method::Occlusion) else { panic!() };
    assert!(error.to_string().contains("no label has a probability that could be explained"), "{error}");
}

#[test]
fn the_command_explains_one_label_by_occlusion_and_by_gradient() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("dataset");
    write_findings(&root, SetPrompt::default());
    let dataset = Dataset::open(&root).unwrap();
    let (case, document) = (&dataset.cases[0].id, dataset.corpus.document(0).id);
    let explain = |more: &[&str]| {
        let arguments = [&[case.as_str(), "--document", document, "--words", "--device", "cpu"][..], more].concat();
        let mut command = command("explain", &root, &arguments);
        command.arg("--reader").arg(fixtures::sample("models/reader")).output().unwrap()
    };
    let report: Value = serde_json::from_str(&stdout_of(&explain(&["--label", "nodule", "--json"]))).unwrap();
    assert_eq!(report["label"], "Nodule", "{report}");
    assert!(
        [("Yes", "No"), ("No", "Yes")].iter().any(|pair| report["answer"] == pair.0 && report["runner_up"] == pair.1)
    );
    assert!(report["answer_set"].is_string() && report["log_odds"].as_f64().unwrap() >= 0.0, "{report}");
    let by_default: Value = serde_json::from_str(&stdout_of(&explain(&["--json"]))).unwrap();
    assert!(by_default["label"].is_string(), "{by_default}");
    let text = stdout_of(&explain(&["--label", "Nodule", "--method", "gradient"]));
    assert!(text.contains("\nLabel: Nodule, of the answer "), "{text}");
    let refused = stderr_of(&explain(&["--label", "Cough"]));
    assert!(refused.contains("--label Cough: expected a label of task findings (Edema, Nodule, Lung, left, Effusion)"));

    let sample = fixtures::sample("dataset");
    let mut other = command("explain", &sample, &["us-t0001", "--document", "us-d0001", "--label", "benign"]);
    let refused = stderr_of(&other.arg("--reader").arg(fixtures::sample("models/reader")).output().unwrap());
    assert!(refused.contains("--label: expected a case that is answered with several labels at once"), "{refused}");
}

#[test]
fn a_run_of_sets_in_words_is_read_back() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("dataset");
    write_findings(&root, in_words());
    let report: Value = serde_json::from_str(&stdout_of(&predict(&root).output().unwrap())).unwrap();
    assert_eq!(report["cases"], 12, "{report}");
    let dataset = Dataset::open(&root).unwrap();
    let answers = Run::open(&root.join(".dissent/runs/a")).unwrap().into_answers(&dataset).unwrap();
    for prediction in answers.iter().flat_map(|answer| &answer.predictions) {
        let text = prediction.text.as_deref().unwrap();
        assert_eq!(prediction.answer, dataset.tasks[0].set_in_words(text).map(Answer::Set), "{text}");
        assert!(prediction.odds.is_none());
    }
    let tables = stdout_of(&command("evaluate", &root, &["--runs", "a"]).output().unwrap());
    assert!(tables.contains("Labels, findings") && tables.contains("Accuracy, findings"), "{tables}");
}

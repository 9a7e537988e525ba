//! `dissent predict`, `rerank` and `doctor` with a server.

use super::fault_proxy::{Fault, FaultProxy};
use super::llama_server::LlamaServer;
use super::support::{sample_dataset, sample_encoder, sample_reader};
use crate::support::patience::wait_until;
use crate::support::program;
use dissent::data::{Dataset, Manifest, Task, TaskKind};
use dissent::evaluation::{fuse, scored_hits};
use dissent::run::{Prediction, Run};
use serde_json::Value;
use std::path::Path;
use std::process::{Command, Output, Stdio};

pub fn dissent(arguments: &[&str]) -> Command {
    let mut command = program::dissent();
    command.args(arguments);
    command
}

pub fn predict(workspace: &Path, run: &str, url: &str, limit: &str) -> Command {
    let mut command = dissent(&["predict", "--run", run, "--limit", limit, "--json", "--device", "cpu"]);
    command.arg(sample_dataset()).arg("--workspace").arg(workspace).arg("--encoder").arg(sample_encoder());
    command.args(["--reader", url, "--reader-processor"]).arg(sample_reader());
    command
}

pub fn stdout(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// Label log-probabilities of a run, line by line.
pub fn values(workspace: &Path, run: &str) -> Vec<(Value, Vec<f64>)> {
    let text = std::fs::read_to_string(workspace.join("runs").join(run).join("predictions.jsonl")).unwrap();
    text.lines()
        .map(|line| {
            let line: Value = serde_json::from_str(line).unwrap();
            let scores = line["label_log_probabilities"].as_array().unwrap();
            let scores = scores.iter().map(|value| value.as_f64().unwrap()).collect();
            (serde_json::json!([line["case"], line["document"], line["prediction"]]), scores)
        })
        .collect()
}

#[test]
fn a_run_goes_on_after_its_server_died_and_is_what_it_would_have_been() {
    let Some(mut server) = LlamaServer::start() else { return };
    let folder = tempfile::tempdir().unwrap();
    let workspace = folder.path();
    stdout(&predict(workspace, "undisturbed", &server.url(), "24").output().unwrap());
    let identity = std::fs::read_to_string(workspace.join("runs/undisturbed/run.toml")).unwrap();
    assert!(identity.contains("[reader_service]") && identity.contains("llama.cpp"), "{identity}");

    // The cache would answer everything.
    std::fs::remove_file(workspace.join("cache/predictions.jsonl")).unwrap();
    let proxy = FaultProxy::start(Some(server.port), |_, _| Fault::Pass);
    let mut command = predict(workspace, "disturbed", &proxy.url(), "24");
    let mut running = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let prompts = |proxy: &FaultProxy| proxy.seen().iter().filter(|seen| seen.what.contains("/chat/")).count();
    for death in 1..=3 {
        wait_until("another 25 prompts came", || prompts(&proxy) >= death * 25);
        assert!(running.try_wait().unwrap().is_none(), "the run was over before the server died");
        server.kill();
        let before = proxy.seen().len();
        wait_until("the dead server is asked", || proxy.seen().len() > before);
        server.restart();
    }
    let ended = running.wait_with_output().unwrap();
    stdout(&ended);
    let (before, after) = (values(workspace, "undisturbed"), values(workspace, "disturbed"));
    assert_eq!(before.len(), after.len());
    for ((what, then), (same, now)) in before.iter().zip(&after) {
        assert_eq!(what, same);
        // llama.cpp's own repeats differ by what its cache held.
        assert!(then.iter().zip(now).all(|(then, now)| (then - now).abs() < 1e-3), "{what}: {then:?} {now:?}");
    }
}

/// Every answer and every fused answer of a case, but for ties, is that of this process.
#[test]
fn fused_answers_are_those_of_this_process_case_by_case() {
    let Some(server) = LlamaServer::start() else { return };
    assert_same_fused_answers(&server.url(), 100, 0.1);
}

/// The same with vLLM, which is nearer.
#[test]
#[ignore = "needs vLLM: `make test-engines` starts one"]
fn fused_answers_of_vllm_are_those_of_this_process_case_by_case() {
    let url = super::vllm::address();
    let _alone = super::vllm::ALONE.lock();
    assert_same_fused_answers(&url, 700, 1e-3);
}

/// `predict` of the first `limit` cases of the sample's test split by a server and here. Where log-probabilities differ by
/// `tolerance` at most, an answer may differ only if its two best labels are within twice that: a tie.
fn assert_same_fused_answers(url: &str, limit: usize, tolerance: f32) {
    let folder = tempfile::tempdir().unwrap();
    let workspace = folder.path();
    stdout(&predict(workspace, "there", url, &limit.to_string()).output().unwrap());
    let here = sample_reader();
    let mut command = predict(workspace, "here", here.to_str().unwrap(), &limit.to_string());
    stdout(&command.output().unwrap());
    let dataset = Dataset::open(&sample_dataset()).unwrap();
    let answers = |run: &str| Run::open(&workspace.join("runs").join(run)).unwrap().into_answers(&dataset).unwrap();
    let (theirs, own) = (answers("there"), answers("here"));
    assert_eq!((theirs.len(), own.len()), (limit, limit));
    let (mut ties, mut largest, mut predictions) = (0, 0.0_f32, 0);
    for (theirs, own) in theirs.iter().zip(&own) {
        let id = &dataset.cases[own.case].id;
        assert_eq!(theirs.hits, own.hits, "{id}");
        let fused = [theirs, own].map(|answer| fuse(&scored_hits(answer)).unwrap().prediction);
        let closed_book = [theirs, own].map(|answer| answer.closed_book.clone().unwrap());
        let each = theirs.predictions.iter().cloned().zip(own.predictions.iter().cloned()).map(|(a, b)| [a, b]);
        for [theirs, own] in each.chain([closed_book, fused]) {
            let log_probabilities =
                |prediction: &Prediction| prediction.scores.as_ref().unwrap().log_probabilities().to_vec();
            let (scores, own_scores) = (log_probabilities(&theirs), log_probabilities(&own));
            let difference = scores.iter().zip(&own_scores).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
            largest = largest.max(difference);
            assert!(difference < tolerance, "{id}: {scores:?} there, {own_scores:?} here");
            let mut sorted = own_scores;
            sorted.sort_by(f32::total_cmp);
            let is_tie = sorted[sorted.len() - 1] - sorted[sorted.len() - 2] <= 2.0 * tolerance;
            ties += usize::from(is_tie && theirs.answer != own.answer);
            assert!(is_tie || theirs.answer == own.answer, "{id}: {:?} there, {:?} here", theirs.answer, own.answer);
            predictions += 1;
        }
    }
    println!(
        "{url}: {limit} cases, {predictions} answers with the fused ones; log p differs by {largest:e} at most, {ties} ties differ"
    );
}

#[test]
fn a_run_whose_server_stays_away_is_kept_and_goes_on_later() {
    let Some(mut server) = LlamaServer::start() else { return };
    let folder = tempfile::tempdir().unwrap();
    let workspace = folder.path();
    stdout(&predict(workspace, "run", &server.url(), "8").output().unwrap());
    let url = server.url();
    server.kill();
    let output = predict(workspace, "run", &url, "12").args(["--reader-patience", "1"]).output().unwrap();
    let message = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success() && message.contains("is the server running there"), "{message}");
    server.restart();
    let report: Value =
        serde_json::from_str(&stdout(&predict(workspace, "run", &url, "12").output().unwrap())).unwrap();
    assert_eq!((&report["predicted_now"], &report["cases"]), (&4.into(), &12.into()));
}

/// The sample's dataset with every question open.
pub fn open_dataset(folder: &Path) -> std::path::PathBuf {
    let root = folder.join("open");
    std::fs::create_dir(&root).unwrap();
    for file in ["cases.jsonl", "corpus.jsonl"] {
        std::fs::copy(sample_dataset().join(file), root.join(file)).unwrap();
    }
    std::os::unix::fs::symlink(sample_dataset().join("images"), root.join("images")).unwrap();
    let dataset = Dataset::open(&sample_dataset()).unwrap();
    let open = |task: &Task| Task { kind: TaskKind::OpenVqa, labels: Vec::new(), ..task.clone() };
    let manifest = Manifest::new("open", dataset.tasks.iter().map(open).collect());
    std::fs::write(root.join("dataset.toml"), toml::to_string(&manifest).unwrap()).unwrap();
    root
}

/// The text generated for each case and document.
fn generated(workspace: &Path, run: &str) -> Vec<[Value; 3]> {
    let text = std::fs::read_to_string(workspace.join("runs").join(run).join("predictions.jsonl")).unwrap();
    let line = |line| -> Value { serde_json::from_str(line).unwrap() };
    text.lines().map(line).map(|line| ["case", "document", "generation"].map(|field| line[field].clone())).collect()
}

#[test]
fn open_questions_are_predicted_by_a_server_in_the_words_of_this_process() {
    let Some(server) = LlamaServer::start() else { return };
    let folder = tempfile::tempdir().unwrap();
    let workspace = folder.path().join("workspace");
    let root = open_dataset(folder.path());
    let predict = |run: &str, reader: &str| {
        let mut command = dissent(&["predict", "--run", run, "--limit", "20", "--json", "--device", "cpu"]);
        command.arg(&root).arg("--workspace").arg(&workspace).arg("--encoder").arg(sample_encoder());
        command.args(["--reader", reader]).output().unwrap()
    };
    let there: Value = serde_json::from_str(&stdout(&predict("there", &server.url()))).unwrap();
    let here: Value = serde_json::from_str(&stdout(&predict("here", sample_reader().to_str().unwrap()))).unwrap();
    assert_eq!((&there["cases"], &here["cases"]), (&20.into(), &20.into()));
    let (theirs, own) = (generated(&workspace, "there"), generated(&workspace, "here"));
    assert_eq!(theirs.len(), own.len());
    let other = theirs.iter().zip(&own).filter(|(theirs, own)| theirs != own).count();
    assert!(other * 20 <= own.len(), "{other} of {} answers differ: more than near ties", own.len());
    assert!(own.iter().all(|[_, _, said]| said.as_str().is_some_and(|said| !said.is_empty())));
}

#[test]
fn a_served_reader_reranks() {
    let Some(server) = LlamaServer::start() else { return };
    let folder = tempfile::tempdir().unwrap();
    let workspace = folder.path();
    stdout(&predict(workspace, "run", &server.url(), "4").output().unwrap());
    let mut command = dissent(&["rerank", "--run", "run", "--reader", &server.url(), "--reader-processor"]);
    command.arg(sample_reader()).arg(sample_dataset()).arg("--workspace").arg(workspace);
    let text = stdout(&command.output().unwrap());
    assert!(text.contains("4 cases reranked by sample-reader"), "{text}");
}

#[test]
fn doctor_tells_what_a_server_can_do_in_one_screen() {
    let Some(server) = LlamaServer::start() else { return };
    let mut command = dissent(&["doctor", "--reader", &server.url(), "--reader-processor"]);
    let text = stdout(&command.arg(sample_reader()).output().unwrap());
    assert!(text.lines().count() <= 24 && text.lines().all(|line| line.chars().count() <= 80), "{text}");
    for expected in ["llama.cpp", "sample-reader", "exact", "2048 tokens", "the number of tokens", "not encrypted"] {
        assert!(text.contains(expected), "{expected}: {text}");
    }
    let json = stdout(&dissent(&["doctor", "--json", "--reader", &server.url()]).output().unwrap());
    let facts: Vec<Value> = serde_json::from_str(&json).unwrap();
    assert!(facts.iter().any(|fact| fact["name"] == "engine"), "{json}");
}

#[test]
fn a_served_reader_is_explained_like_the_same_reader_here() {
    let Some(server) = LlamaServer::start() else { return };
    let folder = tempfile::tempdir().unwrap();
    let explain = |name: &str, reader: &[&str]| -> Value {
        let mut command = dissent(&["explain", "--document", "us-d0379", "--words", "--json", "--device", "cpu"]);
        command.arg("--workspace").arg(folder.path().join(name)).args(reader);
        command.arg(sample_dataset()).arg("us-t0001");
        serde_json::from_str(&stdout(&command.output().unwrap())).unwrap()
    };
    let checkpoint = sample_reader();
    let checkpoint = checkpoint.to_str().unwrap();
    let there = explain("there", &["--reader", &server.url(), "--reader-processor", checkpoint]);
    let here = explain("here", &["--reader", checkpoint]);
    assert_eq!(there["words"]["strongest"][0]["text"], "malignant");
    let weights = |report: &Value| -> Vec<f64> {
        report["words"]["parts"].as_array().unwrap().iter().map(|part| part["weight"].as_f64().unwrap()).collect()
    };
    assert_eq!(weights(&there).len(), 10);
    for (there, here) in weights(&there).iter().zip(&weights(&here)) {
        assert!((there - here).abs() < 0.05, "{there}, not {here}");
    }
}

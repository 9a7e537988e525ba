//! The mode `answers`: labels counted in sampled answers of hosted servers, Ollama and llama.cpp.

use super::commands::{dissent, stdout};
use super::fault_proxy::{Fault, FaultProxy};
use super::hosted_servers::{
    PROMPT_TOKENS, anthropic, google, ollama, openai, sglang, start, thinking, thinking_in_silence, used_up,
};
use super::llama_server::LlamaServer;
use super::support::{
    connect, generate, requests, sample_dataset, sample_encoder, sample_reader, score, served, whole, with_timeout,
};
use dissent::data::{Answer, TaskKind};
use dissent::reader::remote::{ReaderMode, RemoteReader, SampleSettings, ServedModel};
use dissent::reader::{ReadRequest, Reader, SampledAnswer};
use dissent::run::{LabelScores, Run};
use serde_json::Value;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

fn settings(samples: u32) -> SampleSettings {
    SampleSettings::new(ReaderMode::Auto, samples, None)
}

/// A model on a hosted server, of which nothing is known here.
fn hosted(url: &str, model: Option<&str>, answers: SampleSettings) -> ServedModel {
    let mut hosted = ServedModel { processor: None, answers, ..served(url) };
    hosted.connection.model = model.map(str::to_owned);
    hosted
}

fn sample(reader: &mut RemoteReader, asked: &[ReadRequest]) -> Vec<SampledAnswer> {
    reader.sample(asked, &|| false).unwrap_or_else(|error| panic!("{}", whole(error)))
}

/// One question with the labels Yes and No.
fn one_question() -> Vec<ReadRequest> {
    let found = requests(10).into_iter().find(|request| request.task.labels[0].id == "Yes");
    vec![found.unwrap()]
}

/// Shares of Yes, No and no label.
fn shares(answer: &SampledAnswer) -> [f32; 3] {
    [Some(0), Some(1), None].map(|label| answer.samples.share(label).unwrap())
}

#[test]
fn each_hosted_server_is_asked_in_a_form_that_it_takes() {
    type Row = (fn(&str, &str) -> String, fn(String) -> String, &'static str, &'static str, [f32; 3], u64);
    let google_path = |url: String| format!("{url}/v1beta/openai");
    let root = |url: String| url;
    let rows: [Row; 6] = [
        (openai, root, "gpt-4o", "JSON schema", [0.8, 0.2, 0.0], 1),
        (thinking, root, "gpt-4o", "JSON schema", [0.8, 0.2, 0.0], 1),
        (thinking_in_silence, root, "gpt-4o", "JSON schema", [0.8, 0.2, 0.0], 1),
        (google, google_path, "gemini-2.5-flash", "JSON schema", [0.8, 0.2, 0.0], 1),
        (ollama, root, "llama3.2-vision:latest", "JSON schema", [0.8, 0.2, 0.0], 5),
        (anthropic, root, "claude-sonnet-4-5", "short answer", [0.6, 0.2, 0.2], 5),
    ];
    for (respond, address, model, asked_by, expected, requests) in rows {
        let server = start(respond);
        let mut reader = connect(&hosted(&address(server.url()), Some(model), settings(5))).unwrap_or_else(|error| {
            panic!("{model}: {}", whole(error));
        });
        let answers = reader.record().answers.clone().unwrap();
        assert!(answers.asked_by.contains(asked_by), "{model}: {answers:?}");
        assert!(reader.record().short().contains("(≈ of 5 answers)"), "{:?}", reader.record());
        let before = reader.usage().unwrap();
        let found = sample(&mut reader, &one_question()).remove(0);
        assert_eq!(shares(&found), expected, "{model}");
        let used = reader.usage().unwrap().since(before);
        assert_eq!(
            (used.requests, used.prompt_tokens, used.not_counted),
            (requests, requests * PROMPT_TOKENS, 0),
            "{model}"
        );
        assert_eq!(used.answer_tokens, 30, "{model}: what each answer took is summed");
        // No log-probabilities: whatever needs them says why there are none.
        let Err(error) = reader.score(&one_question(), &|| false) else { panic!("{model}: no scores") };
        let message = whole(error);
        assert!(message.contains("gives answers and no log-probabilities (the server "), "{model}: {message}");
    }
}

/// What is no label is counted, and the text is kept.
#[test]
fn an_answer_without_a_label_is_an_outcome_with_its_text() {
    let server = start(anthropic);
    let mut reader = connect(&hosted(&server.url(), None, settings(5))).unwrap();
    let found = sample(&mut reader, &one_question()).remove(0);
    assert_eq!(shares(&found), [0.6, 0.2, 0.2]);
    assert_eq!(found.unnamed_text.as_deref(), Some("I cannot say from these images."));
    // Open questions are answered by the same server.
    let mut open = one_question();
    let task = dissent::data::Task { kind: TaskKind::OpenVqa, labels: Vec::new(), ..open[0].task.as_ref().clone() };
    open[0].task = Arc::new(task);
    assert_eq!(generate(&mut reader, &open), ["Yes, the margin is spiculated."]);
}

#[test]
fn the_mode_is_chosen_by_the_server_and_can_be_forced() {
    let server = start(openai);
    let exact = SampleSettings { mode: ReaderMode::Exact, ..settings(5) };
    let Err(error) = connect(&hosted(&server.url(), Some("gpt-4o"), exact)) else { panic!("it gives no token ids") };
    let message = whole(error);
    assert!(message.contains("does not understand the request"), "{message}");
    let server = start(ollama);
    let Err(error) = connect(&hosted(&server.url(), None, exact)) else { panic!("it gives no token ids") };
    let message = whole(error);
    assert!(message.contains("names no token ids") && message.contains("--reader-mode answers"), "{message}");
    let reason = |mode| {
        let settings = SampleSettings { mode, ..settings(5) };
        connect(&hosted(&server.url(), None, settings)).unwrap().record().answers.clone().unwrap().reason
    };
    assert_eq!(reason(ReaderMode::Auto), "the server names no token ids");
    assert_eq!(reason(ReaderMode::Answers), "asked for by --reader-mode");
    let print = |settings| connect(&hosted(&server.url(), None, settings)).unwrap().fingerprint().clone();
    assert_ne!(print(settings(5)), print(settings(4)), "other samples are another reader");
}

#[test]
fn faults_on_the_way_lose_and_double_no_answer() {
    let hosted_server = start(ollama);
    let upstream = hosted_server.port;
    for fault in [
        Fault::answer("429 Too Many Requests", "Retry-After: 0\r\n", r#"{"error": {"message": "rate limit"}}"#),
        Fault::answer("503 Service Unavailable", "", "overloaded"),
        Fault::Cut,
        Fault::HalfBody,
    ] {
        let name = format!("{fault:?}");
        let proxy = FaultProxy::start(Some(upstream), |_, _| Fault::Pass);
        let model = hosted(&proxy.url(), Some("llama3.2-vision:latest"), settings(5));
        let mut reader = connect(&model).unwrap_or_else(|error| panic!("{name}: {}", whole(error)));
        proxy.plan(
            move |number, path| if path.ends_with("completions") && number < 3 { fault.clone() } else { Fault::Pass },
        );
        let found = sample(&mut reader, &one_question()).remove(0);
        assert_eq!(shares(&found), [0.8, 0.2, 0.0], "{name}");
        assert_eq!(found.samples.size(), 5.0, "{name}");
    }
}

#[test]
fn an_answer_of_another_shape_or_model_is_an_error() {
    let wrong = |fault: Fault| {
        let hosted_server = start(ollama);
        let proxy = FaultProxy::start(Some(hosted_server.port), |_, _| Fault::Pass);
        let mut reader = connect(&hosted(&proxy.url(), Some("llama3.2-vision:latest"), settings(1))).unwrap();
        proxy.plan(move |_, path| if path.ends_with("completions") { fault.clone() } else { Fault::Pass });
        let Err(error) = reader.sample(&one_question(), &|| false) else { panic!("should be refused") };
        whole(error)
    };
    let body = |text: &str| Fault::answer("200 OK", "", text);
    for (fault, expected) in [
        (body(r#"{"choices": []}"#), "no list of 1 answers"),
        (
            body(r#"{"choices": [{"message": {"content": "Yes"}}, {"message": {"content": "No"}}]}"#),
            "no list of 1 answers",
        ),
        (body(r#"{"choices": [{"message": {"content": ["Yes"]}}]}"#), "another shape"),
        (
            body(r#"{"model": "llama4", "choices": [{"message": {"content": "Yes"}}]}"#),
            "llama3.2-vision:latest then, llama4 now",
        ),
        (
            Fault::answer("400 Bad Request", "", r#"{"error": {"message": "credit balance is too low"}}"#),
            "credit balance",
        ),
    ] {
        let message = wrong(fault);
        assert!(message.contains(expected), "{expected}: {message}");
    }
}

/// SGLang's `/generate` is asked by token ids, in which each image is one token, and says how many tokens it read.
#[test]
fn sglang_is_exact_with_a_processor_and_sampled_without() {
    let server = start(sglang);
    let exact = SampleSettings { mode: ReaderMode::Exact, ..settings(5) };
    let mut reader = connect(&ServedModel { answers: exact, ..served(&server.url()) }).unwrap();
    assert_eq!(reader.record().log_probabilities, "exact, by token id (/generate)");
    for (scores, request) in score(&mut reader, &requests(5)).iter().zip(requests(5)) {
        let labels = request.task.labels.len();
        let each = -0.1 - (labels as f32).ln();
        for (label, value) in scores.log_probabilities().iter().enumerate() {
            assert!((value - (each - label as f32)).abs() < 1e-5, "{scores:?}");
        }
    }
    let message = match connect(&hosted(&server.url(), None, exact)) {
        Ok(_) => panic!("it needs the processor"),
        Err(error) => whole(error),
    };
    assert!(message.contains("--reader-processor DIR"), "{message}");
    let proxy = FaultProxy::start(Some(server.port), |_, path| match path {
        // A placeholder more than there are images.
        "/generate" => Fault::Rewrite(|body| body.replacen("\"input_ids\":[", "\"input_ids\":[1,", 1)),
        _ => Fault::Pass,
    });
    let message = match connect(&ServedModel { answers: exact, ..served(&proxy.url()) }) {
        Ok(_) => panic!("it reads another prompt"),
        Err(error) => whole(error),
    };
    assert!(message.contains("reads another prompt"), "{message}");
}

/// Samples of llama.cpp under a grammar have the shares that its log-probabilities say.
#[test]
fn shares_on_llama_cpp_are_those_of_its_log_probabilities() {
    let Some(server) = LlamaServer::start() else { return };
    compare_with_exact(&server.url(), 60);
}

/// The measurement: `cargo test --test suite answers_of_500 -- --ignored --nocapture`; DISSENT_TEST_VLLM names a vLLM to ask, too.
#[test]
#[ignore = "asks 10,500 prompts of each server: some minutes"]
fn labels_of_500_questions_beside_the_exact_ones() {
    if let Ok(url) = std::env::var("DISSENT_TEST_VLLM") {
        compare_with_exact(&url, 500);
    }
    if let Some(server) = LlamaServer::start() {
        compare_with_exact(&server.url(), 500);
    }
}

/// Compares labels and shares of the mode `answers` with the log-probabilities of the same server.
fn compare_with_exact(url: &str, count: usize) {
    let asked = requests(count);
    let exact = score(&mut connect(&served(url)).unwrap(), &asked);
    for samples in [1, 5, 15] {
        let answers = SampleSettings::new(ReaderMode::Answers, samples, None);
        let mut reader = connect(&ServedModel { answers, ..served(url) }).unwrap();
        let found = sample(&mut reader, &asked);
        let same = found.iter().zip(&exact).filter(|(found, exact)| is_same(found, exact)).count();
        let (mut named, mut expected, mut variance, mut covered) = (0.0, 0.0, 0.0, 0);
        for (found, exact) in found.iter().zip(&exact) {
            let probability = f64::from(exact.probabilities()[exact.arg_max()]);
            named += f64::from(found.samples.share(Some(exact.arg_max())).unwrap()) * f64::from(samples);
            expected += probability * f64::from(samples);
            variance += probability * (1.0 - probability) * f64::from(samples);
            let (low, high) = found.samples.interval(Some(exact.arg_max())).unwrap();
            covered += usize::from((f64::from(low)..=f64::from(high)).contains(&probability));
            assert_eq!(found.samples.share(None), Some(0.0), "a constrained answer names a label: {found:?}");
        }
        let off = (named - expected) / f64::sqrt(variance.max(1e-9));
        println!(
            "{}: {count} questions, {samples} answers each: {same} labels equal the exact ones ({:.1} %); the likeliest label \
             has {named:.0} of {} answers, {expected:.1} expected ({off:+.2} standard errors); {covered} intervals hold the \
             exact probability",
            reader.record().engine,
            100.0 * same as f64 / count as f64,
            count * samples as usize,
        );
        if samples == 1 {
            // A single answer is the likeliest one; only ties may differ.
            assert!(same * 100 >= count * 98, "{same} of {count}");
        } else {
            assert!(off.abs() < 4.5, "the shares are not those of the probabilities: {off}");
            assert!(covered * 100 >= count * 85, "{covered} of {count} intervals hold the probability");
        }
    }
}

fn is_same(found: &SampledAnswer, exact: &LabelScores) -> bool {
    found.samples.answer() == Some(Answer::Label(exact.arg_max()))
}

fn predict(workspace: &Path, run: &str, url: &str, limit: &str) -> Command {
    let mut command = dissent(&["predict", "--run", run, "--limit", limit, "--json", "--device", "cpu", "-k", "1"]);
    command.arg(sample_dataset()).arg("--workspace").arg(workspace).arg("--encoder").arg(sample_encoder());
    command.args(["--reader", url]);
    command
}

fn failure(command: &mut Command) -> String {
    let output = command.output().unwrap();
    assert!(!output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn a_run_is_of_one_mode_has_its_costs_and_stops_at_a_budget() {
    let server = start(ollama);
    let folder = tempfile::tempdir().unwrap();
    let workspace = folder.path();
    // Each case has two documents and the closed-book prompt, three samples each.
    let case = 9 * (PROMPT_TOKENS + 6);
    let budget = (3 * case + case / 2 + 2000).to_string();
    let command = |limit: &str, more: &[&str]| {
        let mut command = predict(workspace, "run", &server.url(), limit);
        command.args(["--samples", "3"]).args(more);
        command
    };
    let report: Value = serde_json::from_str(&stdout(&command("6", &["--budget", &budget]).output().unwrap())).unwrap();
    assert_eq!((&report["predicted_now"], &report["beyond_budget"]), (&3.into(), &3.into()), "{report}");
    assert!(report["usage"]["prompt_tokens"].as_u64().unwrap() + 200 < budget.parse().unwrap(), "{report}");
    let report: Value = serde_json::from_str(&stdout(&command("6", &[]).output().unwrap())).unwrap();
    assert_eq!((&report["predicted_now"], &report["cases"]), (&3.into(), &6.into()), "{report}");
    let sum = &report["identity"]["reader_usage"];
    assert!(sum["prompt_tokens"].as_u64() >= Some(6 * 9 * PROMPT_TOKENS), "{sum}");
    let identity = std::fs::read_to_string(workspace.join("runs/run/run.toml")).unwrap();
    for expected in ["[reader_service.answers]", "samples = 3", "names no token ids", "[reader_usage]", "JSON schema"] {
        assert!(identity.contains(expected), "{expected}: {identity}");
    }
    let lines = std::fs::read_to_string(workspace.join("runs/run/predictions.jsonl")).unwrap();
    let first: Value = serde_json::from_str(lines.lines().next().unwrap()).unwrap();
    assert!(first["label_log_probabilities"].is_null(), "{first}");
    assert_eq!(first["label_samples"]["no_label"], 0, "{first}");
    let run = Run::open(&workspace.join("runs/run")).unwrap();
    assert!(run.identity.is_sampled());

    // The same run is not continued with log-probabilities.
    let mut exact = predict(workspace, "run", sample_reader().to_str().unwrap(), "7");
    let message = failure(&mut exact);
    assert!(message.contains("≈ shares of sampled answers then, log-probabilities now"), "{message}");
    let text = stdout(&predict(workspace, "exact", sample_reader().to_str().unwrap(), "6").output().unwrap());
    assert!(serde_json::from_str::<Value>(&text).unwrap()["usage"].is_null(), "{text}");
    let evaluate = |runs: &str| {
        let mut command = dissent(&["evaluate", "--runs", runs, "--resamples", "200"]);
        command.arg(sample_dataset()).arg("--workspace").arg(workspace);
        stdout(&command.output().unwrap())
    };
    let text = evaluate("exact,run");
    assert!(text.contains("run: ≈ shares of sampled answers stand for probabilities"), "{text}");
    assert!(text.contains("log-probabilities then, ≈ shares of sampled answers now"), "{text}");
    assert!(!evaluate("exact").contains('≈'));
}

#[test]
fn doctor_and_predict_say_that_answers_are_sampled() {
    let server = start(ollama);
    let text = stdout(&dissent(&["doctor", "--reader", &server.url()]).output().unwrap());
    for expected in
        ["Ollama 0.12.11", "answers (≈): the server names no token ids", "shares of 5 answers", "JSON schema"]
    {
        assert!(text.contains(expected), "{expected}: {text}");
    }
    let message = failure(&mut dissent(&["doctor", "--reader", "/nowhere", "--samples", "3"]));
    assert!(message.contains("are for a server"), "{message}");
    let folder = tempfile::tempdir().unwrap();
    let mut command = predict(folder.path(), "run", sample_reader().to_str().unwrap(), "1");
    assert!(failure(command.args(["--budget", "5"])).contains("--budget counts the tokens of a server"));
}

#[test]
fn a_server_that_hangs_is_named() {
    let server = start(ollama);
    let proxy = FaultProxy::start(Some(server.port), |_, _| Fault::Pass);
    let model = hosted(&proxy.url(), Some("llama3.2-vision:latest"), settings(2));
    let mut reader = connect(&with_timeout(model, Some(Duration::from_secs(1)))).unwrap();
    proxy.plan(
        |_, path| if path.ends_with("completions") { Fault::Delay(Duration::from_secs(600)) } else { Fault::Pass },
    );
    let Err(error) = reader.sample(&one_question(), &|| false) else { panic!("it never answers") };
    assert!(whole(error).contains("within 1 s, as --reader-timeout has it"));
}

/// An empty answer is no answer: counted as one without a label, it would fill a run with them.
#[test]
fn a_model_that_only_thinks_is_refused() {
    let server = start(used_up);
    let Err(error) = connect(&hosted(&server.url(), Some("gpt-4o"), settings(5))) else { panic!("it was taken") };
    let message = whole(error);
    assert!(message.contains("its tokens ended before, most likely because the model thinks"), "{message}");
}

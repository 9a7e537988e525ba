//! Limits in time, size and number, and answers of other shapes: one line each, and nothing counted.

use super::fault_proxy::{Fault, FaultProxy};
use super::support::{connect, refusal, requests, served, whole, with_timeout};
use dissent::reader::Reader;
use dissent::reader::remote::ServedModel;
use std::time::Duration;

const CHAT: &str = "/v1/chat/completions";
const MODELS: &str = r#"{"data": [{"id": "m", "owned_by": "KIND", "max_model_len": 8192}]}"#;
const PROPS: &str = r#"{"eos_token": "</s>", "default_generation_settings": {"n_ctx": 8192}}"#;
const PLACE: &str = r#"{"choices": [{"logprobs": {"content": [{"id": 10, "logprob": -1.0, "top_logprobs": [
    {"id": 10, "logprob": -1.0}, {"id": 11, "logprob": -2.0}]}]}}]}"#;

/// The answer of a working server.
fn usual(kind: &str, path: &str) -> Fault {
    let text = match path {
        "/v1/models" => MODELS.replace("KIND", kind),
        "/version" => r#"{"version": "1"}"#.into(),
        "/props" => PROPS.into(),
        "/tokenize" => r#"{"tokens": [10]}"#.into(),
        CHAT => PLACE.into(),
        _ => "{}".into(),
    };
    Fault::answer("200 OK", "", &text)
}

/// A server with one wrong answer.
fn with(kind: &'static str, at: &'static str, wrong: Fault) -> FaultProxy {
    FaultProxy::start(None, move |_, path| if path == at { wrong.clone() } else { usual(kind, path) })
}

fn without_processor(server: &FaultProxy) -> ServedModel {
    ServedModel { processor: None, ..served(&server.url()) }
}

/// The message if one answer is wrong, at the start or at the first question.
fn said(kind: &'static str, at: &'static str, wrong: Fault, timeout: Option<Duration>) -> String {
    let server = with(kind, at, wrong);
    let model = with_timeout(without_processor(&server), timeout);
    let message = match connect(&model) {
        Err(error) => whole(error),
        Ok(mut reader) => match reader.score(&requests(1), &|| false) {
            Err(error) => whole(error),
            Ok(scores) => panic!("{kind} {at}: answered with {scores:?}"),
        },
    };
    assert!(!message.contains('\n') && message.chars().count() < 700, "{message}");
    assert!(!message.chars().any(char::is_control), "{message:?}");
    message
}

#[test]
fn reader_timeout_bounds_every_request() {
    let head = "HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n";
    for (kind, at) in [
        ("vllm", "/v1/models"),
        ("vllm", "/version"),
        ("vllm", CHAT),
        ("vllm", "/tokenize"),
        ("llamacpp", "/props"),
        ("llamacpp", "/health"),
        ("x", CHAT),
    ] {
        for wrong in [
            // Without the limit of a second the request would end after 30 s at the earliest, and say so.
            Fault::Delay(Duration::from_secs(600)),
            Fault::Endless(head.into()),
            Fault::Endless("HTTP/1.1 200 OK\r\nX-".into()),
        ] {
            let message = said(kind, at, wrong, Some(Duration::from_secs(1)));
            assert!(message.contains("within 1 s, as --reader-timeout has it"), "{kind} {at}: {message}");
        }
    }
}

#[test]
fn answers_have_a_length_by_their_kind() {
    for (at, body) in [
        ("/v1/models", format!("[{}0]", "0,".repeat(3 << 20))),
        ("/version", format!("\"{}\"", "a".repeat(5 << 20))),
        ("/tokenize", format!("{{\"tokens\": [{}1]}}", "1,".repeat(1 << 20))),
        (CHAT, format!("[{}]", "{},".repeat(3 << 20))),
    ] {
        let message = said("vllm", at, Fault::answer("200 OK", "", &body), None);
        assert!(message.contains("is longer than the"), "{at}: {message}");
    }
    let endless = Fault::Endless(format!("HTTP/1.1 200 OK\r\n\r\n{}", " ".repeat(5 << 20)));
    assert!(said("vllm", "/v1/models", endless, None).contains("is longer than the"));
}

#[test]
fn lists_of_a_server_are_cut() {
    let models: Vec<String> = (0..30_000).map(|number| format!(r#"{{"id": "\u001b]0;x\u0007{number}"}}"#)).collect();
    let list = format!("{{\"data\": [{}]}}", models.join(","));
    let message = said("vllm", "/v1/models", Fault::answer("200 OK", "", &list), None);
    assert!(message.contains("and 29995 more") && message.contains("--reader-model"), "{message}");
    let long = format!(r#"{{"data": [{{"id": "{}"}}]}}"#, "x".repeat(1_000_000));
    assert!(said("vllm", "/v1/models", Fault::answer("200 OK", "", &long), None).contains("no name of a model"));
}

#[test]
fn other_shapes_are_one_line_each() {
    let ok = |text: &str| Fault::answer("200 OK", "", text);
    for (at, wrong, expected) in [
        ("/v1/models", ok("[]"), "another shape"),
        ("/v1/models", ok("null"), "another shape"),
        ("/v1/models", ok(""), "found nothing"),
        ("/v1/models", ok(r#"{"data": {}}"#), "another shape"),
        ("/v1/models", ok(r#"{"data": [], "data": []}"#), "duplicate field"),
        ("/v1/models", ok(r#"{"data": [{"id": 5}]}"#), "another shape"),
        ("/v1/models", ok(r#"{"data": [{"id": "m", "max_model_len": 9223372036854775808}]}"#), "another shape"),
        ("/v1/models", ok(&"[".repeat(1_000_000)), "another shape"),
        ("/v1/models", Fault::answer("200 OK", "Content-Encoding: gzip\r\n", "x"), "compressed as gzip"),
        ("/v1/models", Fault::answer("101 Switching Protocols", "", ""), "HTTP 101"),
        ("/version", ok("\u{1b}]0;x\u{7}"), "expected JSON"),
        (CHAT, ok(r#"{"error": {"message": "out of memory"}}"#), "out of memory"),
        (CHAT, ok(r#"{"choices": []}"#), "no log-probabilities"),
        (CHAT, ok(r#"{"choices": {}}"#), "another shape"),
        (CHAT, ok(r#"{"choices": [{}, {}]}"#), "expected one"),
        (CHAT, ok(&PLACE.replace("-1.0", "5.0")), "log-probabilities are wrong (expected at most 0, found 5)"),
        (CHAT, ok(&PLACE.replace("-1.0", "1e300")), "log-probabilities are wrong"),
        (CHAT, ok(&PLACE.replace("-2.0", "-0.1").replace("-1.0", "-0.1")), "sum to 1.8"),
        (CHAT, ok(&PLACE.replace("-1.0", "NaN")), "expected JSON"),
        (CHAT, ok(&PLACE.replace("-1.0", "\"-1.0\"")), "another shape"),
        (CHAT, ok(&PLACE.replace("10", "4294967296")), "no token ids"),
        (CHAT, ok(&PLACE.replace("\"id\": 10", "\"id\": -1")), "another shape"),
        (CHAT, ok(&format!(r#"{{"usage": {{"prompt_tokens": -1}}, {}"#, &PLACE[1..])), "another shape"),
        ("/tokenize", ok(r#"{"tokens": [-1]}"#), "another shape"),
        ("/tokenize", ok(r#"{"tokens": [1.5]}"#), "another shape"),
        ("/tokenize", ok(r#"{"tokens": [4294967296]}"#), "another shape"),
        ("/tokenize", ok(r#"{"tokens": []}"#), "has no token"),
        ("/tokenize", ok(r#"{"tokens": [10], "count": 2}"#), "as many tokens as it counts"),
        ("/tokenize", ok(r#"{"tokens": [5]}"#), "no token that ends an answer"),
    ] {
        let name = format!("{wrong:?}");
        let message = said("vllm", at, wrong, None);
        assert!(message.contains(expected), "{at} {}: {message}", &name[..name.len().min(200)]);
    }
}

#[test]
fn a_byte_order_mark_is_passed_over_and_utf16_named() {
    let list = MODELS.replace("KIND", "x");
    let server = with("x", "/v1/models", Fault::answer("200 OK", "", &format!("\u{feff}{list}")));
    assert!(connect(&without_processor(&server)).is_ok());
    let server = with("x", "/v1/models", Fault::Raw("HTTP/1.1 200 OK\r\n\r\n\u{feff}\u{feff}{}".into()));
    assert!(refusal(&without_processor(&server)).contains("expected JSON"));
}

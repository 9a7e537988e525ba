//! Keys, redirects and certificates: a listener that answers by rule is what they are about, so no model is needed.

use super::fault_proxy::{Fault, FaultProxy};
use super::support::{refusal, served};
use crate::support::fixtures;
use dissent::reader::remote::{ApiKey, ServedModel, ServerRole};
use std::sync::Arc;

const KEY: &str = "sk-hunter2";

fn with_key(url: &str) -> ServedModel {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("key");
    std::fs::write(&file, KEY).unwrap();
    let mut model = served(url);
    model.connection.key = ApiKey::find(Some(&file), ServerRole::Reader).unwrap();
    model
}

#[test]
fn the_key_is_sent_and_shown_nowhere() {
    let echo = format!(r#"{{"error": {{"message": "Incorrect API key provided: {KEY}."}}}}"#);
    for status in ["401 Unauthorized", "403 Forbidden", "500 Internal Server Error", "400 Bad Request", "404 Not Found"]
    {
        let answer = Fault::answer(status, "", &echo);
        let server = FaultProxy::start(None, move |_, _| answer.clone());
        let model = with_key(&server.url());
        let message = refusal(&model);
        assert!(!message.contains(KEY), "{message}");
        assert!(!format!("{model:?}").contains(KEY));
        assert!(server.seen()[0].headers.to_lowercase().contains(&format!("authorization: bearer {KEY}")));
        if status.starts_with("401") {
            assert!(message.contains("[key]") && message.contains("DISSENT_READER_KEY"), "{message}");
        }
    }
    let garbage = Fault::answer("200 OK", "", &format!("you said {KEY}"));
    let server = FaultProxy::start(None, move |_, _| garbage.clone());
    let message = refusal(&with_key(&server.url()));
    assert!(message.contains("[key]") && !message.contains(KEY), "{message}");
}

#[test]
fn another_host_gets_nothing() {
    let other = FaultProxy::start(None, |_, _| Fault::answer("200 OK", "", r#"{"data": []}"#));
    for status in ["301 Moved Permanently", "302 Found", "307 Temporary Redirect", "308 Permanent Redirect"] {
        let answer = Fault::answer(status, &format!("Location: {}/v1/models\r\n", other.url()), "");
        let server = FaultProxy::start(None, move |_, _| answer.clone());
        let message = refusal(&with_key(&server.url()));
        assert!(message.contains("another host") && message.contains(&other.url()), "{message}");
    }
    assert!(other.seen().is_empty(), "not even a question");

    let circle = Fault::answer("307 Temporary Redirect", "Location: /v1/models\r\n", "");
    let server = FaultProxy::start(None, move |_, _| circle.clone());
    let message = refusal(&served(&server.url()));
    assert!(message.contains("redirects too often"), "{message}");
    assert!(server.seen().len() < 10);
}

/// Tokens by text alone, as in OpenAI's and SGLang's chat completions. The mode `exact` refuses them.
#[test]
fn a_server_that_names_tokens_by_their_texts_alone_is_refused_with_one_that_does_not() {
    let models = r#"{"object": "list", "data": [{"id": "m", "object": "model", "created": 0, "owned_by": "me", "root": "m",
        "parent": null, "max_model_len": 2048}]}"#;
    let answer = r#"{"id": "1", "object": "chat.completion", "created": 0, "model": "m", "choices": [{"index": 0,
        "message": {"role": "assistant", "content": "Yes"}, "finish_reason": "length", "logprobs": {"content": [
        {"token": "Yes", "bytes": [89, 101, 115], "logprob": -0.1, "top_logprobs": [
        {"token": "Yes", "bytes": [89, 101, 115], "logprob": -0.1}]}]}}]}"#;
    let server = FaultProxy::start(None, move |_, path| match path {
        "/v1/models" => Fault::answer("200 OK", "", models),
        _ => Fault::answer("200 OK", "", answer),
    });
    let message = refusal(&served(&server.url()));
    assert!(message.contains("no token ids") && message.contains("vLLM or llama.cpp"), "{message}");
}

#[test]
fn what_is_no_server_of_models_is_said_to_be_none() {
    for (answer, expected) in [
        (Fault::answer("200 OK", "", "<html>It works!</html>"), "expected JSON, found <html>It works!"),
        (Fault::answer("200 OK", "", "{}"), "missing field `data`"),
        (Fault::answer("404 Not Found", "", "nope"), "does not know /v1/models"),
        (Fault::answer("200 OK", "", r#"{"data": []}"#), "--reader-model"),
        (Fault::Cut, "broke"),
        (Fault::Raw("\u{1b}]0;title\u{7}\r\n\r\n".into()), "broke"),
    ] {
        let server = FaultProxy::start(None, move |_, _| answer.clone());
        let message = refusal(&served(&server.url()));
        assert!(message.contains(expected) && message.contains(&server.url()), "{expected}: {message}");
        assert!(!message.chars().any(char::is_control), "{message:?}");
    }
    let nobody = FaultProxy::start(None, |_, _| Fault::Cut).port;
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    assert_ne!(nobody, free);
    let message = refusal(&served(&format!("http://127.0.0.1:{free}")));
    assert!(message.contains("no connection") && message.contains("is the server running there"), "{message}");
    let message = refusal(&served("http://no-such-host.invalid:1"));
    assert!(message.contains("no connection"), "{message}");
}

/// A certificate that nobody signed.
#[test]
fn a_certificate_that_is_not_trusted_is_refused() {
    let folder = fixtures::path("tls");
    let certificate = pem(&folder.join("certificate.pem"));
    let key = pem(&folder.join("key.pem"));
    let config = rustls::ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![rustls::pki_types::CertificateDer::from(certificate)],
            rustls::pki_types::PrivatePkcs8KeyDer::from(key).into(),
        )
        .unwrap();
    let config = Arc::new(config);
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            let mut connection = rustls::ServerConnection::new(config.clone()).unwrap();
            let _ = connection.complete_io(&mut stream);
        }
    });
    let message = refusal(&with_key(&format!("https://localhost:{port}")));
    let has_no_certificates = message.contains("cannot set up HTTPS");
    assert!(has_no_certificates || message.contains("certificate is not trusted"), "{message}");
}

fn pem(path: &std::path::Path) -> Vec<u8> {
    use base64::Engine as _;
    let text = std::fs::read_to_string(path).unwrap();
    let body: String = text.lines().filter(|line| !line.starts_with("-----")).collect();
    base64::engine::general_purpose::STANDARD.decode(body).unwrap()
}

//! Every refusal that vLLM and llama.cpp were measured to give, had from the real server by a request that a proxy changes on
//! its way: each must be shown in the server's words and say what to do.

use super::fault_proxy::{Fault, FaultProxy};
use super::llama_server::LlamaServer;
use super::support::{connect, requests, score, served, whole};
use dissent::reader::Reader;
use serde_json::{Value, json};

/// Outcome of a request.
enum Outcome {
    /// Refused with these words of the server, and this advice.
    Refused(&'static str, &'static str),
    /// Answered as if nothing had been changed.
    AsBefore,
}
use Outcome::{AsBefore, Refused};

type Row = (&'static str, fn(String) -> String, Outcome);

const LOOK_AT_IMAGE: &str = "look at the image with `dissent show`";
const CHANGED_ON_THE_WAY: &str = "something between us changed it";
const LONGER_CONTEXT: &str = "start it with a context of some tokens more";

fn changed(body: String, change: impl FnOnce(&mut Value)) -> String {
    let mut value: Value = serde_json::from_str(&body).unwrap();
    change(&mut value);
    value.to_string()
}

/// The data of every image after the comma, changed.
fn with_images(body: String, change: fn(&str) -> String) -> String {
    changed(body, |body| {
        for part in body["messages"][0]["content"].as_array_mut().unwrap() {
            if let Some(url) = part["image_url"]["url"].as_str() {
                part["image_url"]["url"] = json!(change(url));
            }
        }
    })
}

fn data(url: &str) -> &str {
    url.split_once(',').unwrap().1
}

fn bad_base64(body: String) -> String {
    with_images(body, |_| "data:image/png;base64,????".into())
}

fn no_image(body: String) -> String {
    with_images(body, |_| "data:image/png;base64,bm8gaW1hZ2U=".into())
}

fn called_jpeg(body: String) -> String {
    with_images(body, |url| format!("data:image/jpeg;base64,{}", data(url)))
}

fn half_an_image(body: String) -> String {
    with_images(body, |url| format!("data:image/png;base64,{}", &data(url)[..data(url).len() / 8 * 4]))
}

fn by_address(body: String) -> String {
    with_images(body, |_| "http://127.0.0.1:9/image.png".into())
}

fn by_file(body: String) -> String {
    with_images(body, |_| "file:///etc/hostname".into())
}

fn five_images(body: String) -> String {
    changed(body, |body| {
        let content = body["messages"][0]["content"].as_array_mut().unwrap();
        let image = content.iter().find(|part| part["type"] == "image_url").unwrap().clone();
        content.extend(std::iter::repeat_n(image, 4));
    })
}

fn too_long(body: String) -> String {
    changed(body, |body| {
        let content = body["messages"][0]["content"].as_array_mut().unwrap();
        content.push(json!({"type": "text", "text": "Is it? ".repeat(1500)}));
    })
}

fn twenty_one(body: String) -> String {
    changed(body, |body| {
        body["top_logprobs"] = json!(21);
        body["logprob_token_ids"] = Value::Null;
    })
}

fn list_without_log_probabilities(body: String) -> String {
    changed(body, |body| {
        body["logprobs"] = json!(false);
        body["top_logprobs"] = json!(5);
    })
}

fn many_tokens(body: String) -> String {
    changed(body, |body| body["max_tokens"] = json!(5000))
}

fn no_token(body: String) -> String {
    changed(body, |body| body["max_tokens"] = json!(0))
}

fn another_model(body: String) -> String {
    changed(body, |body| body["model"] = json!("nope"))
}

fn no_content(body: String) -> String {
    changed(body, |body| body["messages"][0]["content"] = json!(5))
}

/// Asks through the proxy, once for each row.
fn assert_table(port: u16, rows: &[Row]) {
    let proxy = FaultProxy::start(Some(port), |_, _| Fault::Pass);
    let mut reader = connect(&served(&proxy.url())).unwrap();
    let asked = requests(1);
    let before = score(&mut reader, &asked);
    for (what, change, outcome) in rows {
        let change = *change;
        proxy.plan(move |_, path| if path == "/v1/chat/completions" { Fault::Rewrite(change) } else { Fault::Pass });
        match (reader.score(&asked, &|| false), outcome) {
            (Err(error), Refused(words, advice)) => {
                let message = whole(error);
                println!("{what}: {message}");
                assert!(message.contains(words), "{what}: expected {words:?} in {message}");
                assert!(message.contains(advice), "{what}: expected {advice:?} in {message}");
                assert_eq!(message.matches(advice).count(), 1, "{what}: said twice: {message}");
                assert!(message.contains(&proxy.url()), "{what}: which server? {message}");
                let tried = proxy.seen().iter().filter(|seen| seen.what.contains("/chat/")).count();
                assert_eq!(tried, 1, "{what}: a refusal is not tried again");
            }
            (Ok(scores), AsBefore) => {
                let same = scores[0]
                    .log_probabilities()
                    .iter()
                    .zip(before[0].log_probabilities())
                    .all(|(now, then)| (now - then).abs() < 1e-3);
                assert!(same, "{what}: {scores:?}, {before:?} before");
            }
            (Ok(scores), Refused(..)) => panic!("{what}: answered with {scores:?}"),
            (Err(error), AsBefore) => panic!("{what}: {}", whole(error)),
        }
    }
}

#[test]
fn what_llama_cpp_refuses_says_what_to_do() {
    let Some(server) = LlamaServer::start() else { return };
    assert_table(
        server.port,
        &[
            ("bad base64", bad_base64, Refused("Failed to load image or audio file", LOOK_AT_IMAGE)),
            ("not an image", no_image, Refused("Failed to load image or audio file", LOOK_AT_IMAGE)),
            ("a truncated image", half_an_image, Refused("Failed to load image or audio file", LOOK_AT_IMAGE)),
            ("PNG called JPEG", called_jpeg, AsBefore),
            ("an image by address", by_address, Refused("cannot make GET request", CHANGED_ON_THE_WAY)),
            ("an image by file", by_file, Refused("file://", CHANGED_ON_THE_WAY)),
            ("a prompt beyond the context", too_long, Refused("exceeds the available context size", "--ctx-size")),
            (
                "a list without log-probabilities",
                list_without_log_probabilities,
                Refused("top_logprobs requires logprobs", "log-probabilities"),
            ),
            ("another model", another_model, AsBefore),
            ("content that is a number", no_content, Refused("HTTP 400", "chat completions")),
        ],
    );
}

#[test]
#[ignore = "needs vLLM: `make test-engines` starts one"]
fn what_vllm_refuses_says_what_to_do() {
    let url = super::vllm::address();
    let _alone = super::vllm::ALONE.lock();
    assert_table(
        url.rsplit(':').next().unwrap().parse().unwrap(),
        &[
            ("bad base64", bad_base64, Refused("base64", LOOK_AT_IMAGE)),
            ("not an image", no_image, Refused("Failed to load image", LOOK_AT_IMAGE)),
            ("a truncated image", half_an_image, Refused("Failed to load image", LOOK_AT_IMAGE)),
            ("PNG called JPEG", called_jpeg, AsBefore),
            ("an image by address", by_address, Refused("Cannot connect to host", CHANGED_ON_THE_WAY)),
            ("an image by file", by_file, Refused("Cannot load local files", CHANGED_ON_THE_WAY)),
            ("a prompt beyond the context", too_long, Refused("maximum context length is 2048", "--max-model-len")),
            ("five images", five_images, Refused("At most 4 image(s)", "--limit-mm-per-prompt")),
            (
                "more log-probabilities than it names",
                twenty_one,
                Refused("greater than max allowed: 20", "--max-logprobs"),
            ),
            ("more tokens than the context", many_tokens, Refused("max_tokens=5000", LONGER_CONTEXT)),
            ("no token", no_token, Refused("max_tokens must be at least 1", LONGER_CONTEXT)),
            ("another model", another_model, Refused("The model `nope` does not exist", "--reader-model")),
            ("content that is a number", no_content, Refused("validation error", "chat completions")),
        ],
    );
}

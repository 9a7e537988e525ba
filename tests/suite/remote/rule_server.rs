//! A server without a model, which answers as vLLM or llama.cpp would, but for what its address names: the first part of
//! the path says what is wrong, as in `http://127.0.0.1:1/planted-id-whole`.

use super::fault_proxy::{Fault, FaultProxy, message};
use serde_json::{Value, json};

pub const KEY: &str = "sk-SECRETsecret-Qz7Kf3Wm9TbXcVhj";

pub fn start() -> FaultProxy {
    FaultProxy::start(None, |_, _| Fault::Respond(respond))
}

fn respond(path: &str, body: &str) -> String {
    let (mode, path) = path[1..].split_once('/').unwrap_or((&path[1..], ""));
    let body: Value = serde_json::from_str(body).unwrap_or(Value::Null);
    let planted = mode.strip_prefix("planted-").and_then(|rest| rest.split_once('-'));
    if let Some((field, spelling)) = planted
        && let Some(answer) = in_place_of(field, path, &spelled(spelling))
    {
        return answer;
    }
    let mut answer = usual(mode.contains("llama"), path, &body);
    if let Some((field, spelling)) = planted {
        plant(&mut answer, field, path, &spelled(spelling));
    }
    message("200 OK", "", &answer.to_string())
}

/// Our key as a server may repeat it.
pub fn spelled(spelling: &str) -> String {
    use base64::Engine as _;
    match spelling {
        "cut" => format!("{} {KEY}", "A".repeat(285)),
        "spaced" => format!("{}\n   {}", &KEY[..12], &KEY[12..]),
        "capitals" => KEY.to_uppercase(),
        "percent" => KEY.replace('-', "%2D").replace('S', "%53"),
        "base64" => base64::engine::general_purpose::STANDARD.encode(format!("Bearer {KEY}")),
        "half" => KEY[..KEY.len() / 2].to_owned(),
        _ => KEY.to_owned(),
    }
}

/// Whole answers with the key in them.
fn in_place_of(field: &str, path: &str, key: &str) -> Option<String> {
    let is_chat = path.ends_with("completions");
    let header = key.replace('\n', " ");
    let error = json!({"error": {"message": format!("bad key {key}")}}).to_string();
    match field {
        "refusal" => Some(message("401 Unauthorized", "", &error)),
        "chatrefusal" if is_chat => Some(message("400 Bad Request", "", &error)),
        "chatfailure" if is_chat => Some(message("500 Internal Server Error", "", key)),
        "errorin200" if is_chat => Some(message("200 OK", "", &error)),
        "garbage" => Some(message("200 OK", "", &format!("<html>{key}"))),
        "location" => Some(message("307 Temporary Redirect", &format!("Location: http://{header}/\r\n"), "")),
        "encoding" => Some(message("200 OK", &format!("Content-Encoding: {header}\r\n"), "{}")),
        "reason" => Some(message(&format!("400 {header}"), &format!("X-Key: {header}\r\n"), "")),
        "tokenizerefusal" if path == "tokenize" => Some(message("400 Bad Request", "", &error)),
        _ => None,
    }
}

fn usual(is_llama: bool, path: &str, body: &Value) -> Value {
    match path {
        "v1/models" => {
            json!({"data": [{"id": "m", "owned_by": if is_llama { "llamacpp" } else { "vllm" }, "root": "/w",
            "max_model_len": 8192, "meta": {"n_vocab": 700, "n_params": 1, "size": 1, "n_embd": 1}}]})
        }
        "version" => json!({"version": "0.32"}),
        "props" => json!({"build_info": "b1", "eos_token": "</s>", "default_generation_settings": {"n_ctx": 8192}}),
        "health" => json!({}),
        "detokenize" => json!({"prompt": "Yes"}),
        "tokenize" if body["messages"].is_array() => {
            json!({"tokens": if body["continue_final_message"] == true { vec![1, 2, 3] } else { vec![1, 2, 3, 2] }})
        }
        "tokenize" => {
            let text = [&body["prompt"], &body["content"]].into_iter().find_map(Value::as_str).unwrap_or_default();
            json!({"tokens": [100 + text.bytes().map(u32::from).sum::<u32>() % 500]})
        }
        _ => {
            let asked = body["logprob_token_ids"].as_array().cloned().unwrap_or_else(|| vec![json!(1)]);
            let each = -0.1 - (asked.len() as f64).ln();
            let list: Vec<Value> =
                asked.iter().map(|id| json!({"token": format!("token_id:{id}"), "logprob": each})).collect();
            let mut place = list[0].clone();
            place["top_logprobs"] = json!(list);
            json!({"choices": [{"message": {"content": "Yes"}, "logprobs": {"content": [place]}}]})
        }
    }
}

/// The key in one field of an answer.
fn plant(answer: &mut Value, field: &str, path: &str, key: &str) {
    let is_chat = path.ends_with("completions");
    match (field, path) {
        ("id" | "root" | "owned_by" | "max_model_len", "v1/models") => answer["data"][0][field] = json!(key),
        ("models", "v1/models") => answer["data"] = json!([{"id": key}, {"id": format!("x{key}")}]),
        ("data", "v1/models") => answer["data"] = json!(key),
        ("version", "version") | ("build_info" | "eos_token", "props") => answer[field] = json!(key),
        ("tokens", "tokenize") => answer["tokens"] = json!(key),
        ("prompt", "detokenize") => answer["prompt"] = json!(key),
        ("content", _) if is_chat => answer["choices"][0]["message"]["content"] = json!(format!("It is {key}.")),
        ("token" | "logprob", _) if is_chat => answer["choices"][0]["logprobs"]["content"][0][field] = json!(key),
        ("choices" | "prompt_token_ids" | "usage", _) if is_chat => answer[field] = json!(key),
        _ => {}
    }
}

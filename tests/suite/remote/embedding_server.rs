//! A server of embeddings in the documented shapes of vLLM, Infinity, Jina's API, Text Embeddings Inference and llama.cpp. The
//! vectors are those of the sample's encoder. The first part of the path names the protocol and, after a dash, what is wrong,
//! as in `http://127.0.0.1:1/vllm-short`. Vectors come in the reverse order, with their index.

use super::fault_proxy::{Fault, FaultProxy, message};
use super::support::sample_encoder;
use base64::Engine as _;
use candle_core::{DType, Device};
use dissent::model::dual_encoder::DualEncoder;
use image::RgbImage;
use serde_json::{Value, json};
use std::sync::LazyLock;

static ENCODER: LazyLock<DualEncoder> =
    LazyLock::new(|| DualEncoder::load(&sample_encoder(), &Device::Cpu, DType::F32).unwrap());

pub fn start() -> FaultProxy {
    FaultProxy::start(None, |_, _| Fault::Respond(respond))
}

/// The sample's encoder in this process.
pub fn own_encoder() -> &'static DualEncoder {
    &ENCODER
}

pub fn respond(path: &str, body: &str) -> String {
    let (mode, path) = path[1..].split_once('/').unwrap_or((&path[1..], ""));
    let (protocol, wrong) = mode.split_once('-').unwrap_or((mode, ""));
    let body: Value = serde_json::from_str(body).unwrap_or(Value::Null);
    match answer(protocol, wrong, path, &body) {
        Ok(answer) => message("200 OK", "", &answer.to_string()),
        Err((status, said)) => message(status, "", &json!({"error": {"message": said}}).to_string()),
    }
}

type Refusal = (&'static str, &'static str);
const UNKNOWN: Refusal = ("404 Not Found", "Not Found");
const UNPROCESSABLE: Refusal = ("422 Unprocessable Entity", "Field required: input");

fn answer(protocol: &str, wrong: &str, path: &str, body: &Value) -> Result<Value, Refusal> {
    let model = if wrong == "renamed" { "other" } else { "m" };
    match (protocol, path) {
        ("vllm", "v1/models") => {
            Ok(json!({"data": [{"id": model, "owned_by": "vllm", "root": "/w", "max_model_len": 77}]}))
        }
        ("vllm", "version") => Ok(json!({"version": if wrong == "updated" { "0.33" } else { "0.32" }})),
        ("llama", "v1/models") => Ok(json!({"data": [{"id": model, "owned_by": "llamacpp",
            "meta": {"n_vocab": 700, "n_params": 1, "size": 1, "n_embd": 64}}]})),
        ("llama", "props") => Ok(json!({"build_info": "b1"})),
        ("llama", "health") => Ok(json!({"status": "ok"})),
        ("jina", "v1/models") => {
            Ok(json!({"data": [{"id": model, "owned_by": "jina"}, {"id": "reader", "owned_by": "jina"}]}))
        }
        ("infinity", "models") => Ok(
            json!({"data": [{"id": model, "owned_by": "infinity", "stats": {"queue_fraction": 0.0}, "backend": "torch",
                "capabilities": ["embed", "image_embed"]}], "object": "list"}),
        ),
        ("tei", "info") => Ok(json!({"model_id": model, "model_sha": "fe8bf05", "model_dtype": "float32",
            "model_type": {"embedding": {"pooling": "mean"}}, "max_input_length": 512, "version": "1.8.2"})),
        ("infinity", "embeddings") | ("vllm" | "llama" | "jina" | "tei", "v1/embeddings") => {
            let mut vectors = vectors(protocol, wrong, body)?;
            spoil(wrong, &mut vectors);
            let items = vectors.into_iter().enumerate().rev();
            let mut data: Vec<Value> = items
                .map(|(index, vector)| json!({"object": "embedding", "index": index, "embedding": vector}))
                .collect();
            match wrong {
                "short" if data.len() > 1 => drop(data.pop()),
                "twice" if data.len() > 1 => data[0]["index"] = json!(0),
                "unnumbered" => data.iter_mut().for_each(|item| drop(item.as_object_mut().unwrap().remove("index"))),
                "nested" => data[0]["embedding"] = json!([data[0]["embedding"]]),
                "null" => data[0]["embedding"][3] = Value::Null,
                _ => {}
            }
            Ok(
                json!({"object": "list", "data": data, "model": model, "usage": {"prompt_tokens": 5, "total_tokens": 5}}),
            )
        }
        _ => Err(UNKNOWN),
    }
}

/// The vectors that the request asks for.
fn vectors(protocol: &str, wrong: &str, body: &Value) -> Result<Vec<Vec<f32>>, Refusal> {
    if let Some(messages) = body["messages"].as_array() {
        if protocol != "vllm" {
            return Err(UNPROCESSABLE);
        }
        let parts: Vec<&Value> = messages.iter().flat_map(|message| message["content"].as_array().unwrap()).collect();
        assert_eq!((parts.len(), &parts[0]["type"]), (1, &json!("image_url")));
        return Ok(of_pictures(&[parts[0]["image_url"]["url"].as_str().unwrap()], wrong));
    }
    let inputs = body["input"].as_array().ok_or(UNPROCESSABLE)?;
    let texts: Option<Vec<&str>> = inputs.iter().map(Value::as_str).collect();
    match (protocol, texts) {
        ("infinity", Some(uris)) if body["modality"] == "image" => Ok(of_pictures(&uris, wrong)),
        // A field that it does not know is passed over, so that addresses of images are read as texts.
        (_, Some(texts)) => Ok(ENCODER.embed_texts(&texts).unwrap()),
        ("jina", None) => {
            let bare = |input: &Value| format!("data:image/png;base64,{}", input["image"].as_str().unwrap());
            let uris: Vec<String> = inputs.iter().map(bare).collect();
            Ok(of_pictures(&uris.iter().map(String::as_str).collect::<Vec<_>>(), wrong))
        }
        (_, None) => Err(UNPROCESSABLE),
    }
}

fn of_pictures(uris: &[&str], wrong: &str) -> Vec<Vec<f32>> {
    let decode = |uri: &&str| -> RgbImage {
        let data = uri.strip_prefix("data:image/png;base64,").unwrap();
        let bytes = base64::engine::general_purpose::STANDARD.decode(data).unwrap();
        if wrong == "blind" { RgbImage::new(64, 64) } else { image::load_from_memory(&bytes).unwrap().to_rgb8() }
    };
    let pictures: Vec<RgbImage> = uris.iter().map(decode).collect();
    ENCODER.embed_pictures(&pictures.iter().collect::<Vec<_>>()).unwrap()
}

/// Other vectors, by what is wrong.
fn spoil(wrong: &str, vectors: &mut [Vec<f32>]) {
    for vector in vectors {
        match wrong {
            // As much as rounding to bf16 does.
            "rounded" => vector.iter_mut().for_each(|value| *value = f32::from_bits(value.to_bits() & 0xFFFF_0000)),
            "changed" => vector.rotate_right(1),
            "long" => vector.push(0.5),
            "zeros" => vector.fill(0.0),
            _ => {}
        }
    }
}

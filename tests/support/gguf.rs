//! A Pixtral checkpoint as llama.cpp's two files: decoder with tokenizer, image tower with projector.
//!
//! The fields and the order of rotary pairs are those that llama.cpp's own `convert_hf_to_gguf.py` writes for
//! `LlavaForConditionalGeneration`; written here, the tests need no PyTorch. Values are stored in f32.

use candle_core::quantized::gguf_file::{Value, write};
use candle_core::quantized::{GgmlDType, QTensor};
use candle_core::{DType, Device, Tensor};
use serde_json::Value as Json;
use std::collections::HashMap;
use std::fs::File;
use std::path::Path;

/// Rotary pairs are neighbours in llama.cpp and half a head apart in transformers.
fn with_neighbouring_pairs(weight: &Tensor, heads: usize) -> Tensor {
    let (rows, columns) = weight.dims2().unwrap();
    let split = weight.reshape((heads, 2, rows / heads / 2, columns)).unwrap();
    split.transpose(1, 2).unwrap().contiguous().unwrap().reshape((rows, columns)).unwrap()
}

fn read_json(folder: &Path, name: &str) -> Json {
    serde_json::from_slice(&std::fs::read(folder.join(name)).unwrap()).unwrap()
}

fn number(value: &Json) -> Value {
    Value::U32(u32::try_from(value.as_u64().unwrap()).unwrap())
}

fn heads(config: &Json) -> (usize, usize) {
    let of = |name: &str| config[name].as_u64().map(|count| count as usize);
    let heads = of("num_attention_heads").unwrap();
    (heads, of("num_key_value_heads").unwrap_or(heads))
}

fn text(value: &str) -> Value {
    Value::String(value.into())
}

/// Writes `model.gguf` and `mmproj.gguf` into `target`.
pub fn convert(checkpoint: &Path, target: &Path) {
    let weights = candle_core::safetensors::load(checkpoint.join("model.safetensors"), &Device::Cpu).unwrap();
    let config = read_json(checkpoint, "config.json");
    write_decoder(checkpoint, &config["text_config"], &weights, &target.join("model.gguf"));
    write_tower(checkpoint, &config, &weights, &target.join("mmproj.gguf"));
}

/// Writes the decoder of a LLaVA with any tower into `target` as `model.gguf`.
pub fn convert_decoder(checkpoint: &Path, target: &Path) {
    let weights = candle_core::safetensors::load(checkpoint.join("model.safetensors"), &Device::Cpu).unwrap();
    let config = read_json(checkpoint, "config.json");
    write_decoder(checkpoint, &config["text_config"], &weights, &target.join("model.gguf"));
}

fn write_decoder(checkpoint: &Path, config: &Json, weights: &HashMap<String, Tensor>, path: &Path) {
    let (query_heads, key_heads) = heads(config);
    let mut metadata = vec![
        ("general.architecture", text("llama")),
        ("general.type", text("model")),
        ("general.file_type", Value::U32(0)),
        ("general.quantization_version", Value::U32(2)),
        ("llama.block_count", number(&config["num_hidden_layers"])),
        ("llama.context_length", number(&config["max_position_embeddings"])),
        ("llama.embedding_length", number(&config["hidden_size"])),
        ("llama.feed_forward_length", number(&config["intermediate_size"])),
        ("llama.attention.head_count", number(&config["num_attention_heads"])),
        ("llama.attention.head_count_kv", number(&config["num_key_value_heads"])),
        ("llama.attention.key_length", number(&config["head_dim"])),
        ("llama.attention.value_length", number(&config["head_dim"])),
        ("llama.rope.dimension_count", number(&config["head_dim"])),
        ("llama.rope.freq_base", Value::F32(config["rope_theta"].as_f64().unwrap() as f32)),
        ("llama.attention.layer_norm_rms_epsilon", Value::F32(config["rms_norm_eps"].as_f64().unwrap() as f32)),
        ("llama.vocab_size", number(&config["vocab_size"])),
    ];
    metadata.extend(tokenizer_fields(checkpoint, config["vocab_size"].as_u64().unwrap() as usize));
    let mut tensors = Vec::new();
    for (name, tensor) in weights {
        let Some(name) = name.strip_prefix("language_model.") else { continue };
        let name = name.strip_prefix("model.").unwrap_or(name);
        let (renamed, tensor) = if let Some(rest) = name.strip_prefix("layers.") {
            let (layer, part) = rest.split_once('.').unwrap();
            let tensor = match part {
                "self_attn.q_proj.weight" => with_neighbouring_pairs(tensor, query_heads),
                "self_attn.k_proj.weight" => with_neighbouring_pairs(tensor, key_heads),
                _ => tensor.clone(),
            };
            let part = match part.strip_suffix(".weight").unwrap() {
                "input_layernorm" => "attn_norm",
                "post_attention_layernorm" => "ffn_norm",
                "self_attn.q_proj" => "attn_q",
                "self_attn.k_proj" => "attn_k",
                "self_attn.v_proj" => "attn_v",
                "self_attn.o_proj" => "attn_output",
                "mlp.gate_proj" => "ffn_gate",
                "mlp.up_proj" => "ffn_up",
                "mlp.down_proj" => "ffn_down",
                other => panic!("no name for {other}"),
            };
            (format!("blk.{layer}.{part}.weight"), tensor)
        } else {
            let renamed = match name {
                "embed_tokens.weight" => "token_embd.weight",
                "norm.weight" => "output_norm.weight",
                "lm_head.weight" => "output.weight",
                other => panic!("no name for {other}"),
            };
            (renamed.to_owned(), tensor.clone())
        };
        tensors.push((renamed, tensor));
    }
    write_file(path, &metadata, tensors);
}

fn tokenizer_fields(checkpoint: &Path, vocabulary: usize) -> Vec<(&'static str, Value)> {
    let tokenizer = read_json(checkpoint, "tokenizer.json");
    let names = read_json(checkpoint, "tokenizer_config.json");
    // Plain, special and unused tokens, as llama.cpp numbers them.
    let (plain, special, unused) = (1, 3, 5);
    let mut tokens: Vec<(String, i32)> = (0..vocabulary).map(|id| (format!("[PAD{id}]"), unused)).collect();
    for (token, id) in tokenizer["model"]["vocab"].as_object().unwrap() {
        tokens[id.as_u64().unwrap() as usize] = (token.clone(), plain);
    }
    for added in tokenizer["added_tokens"].as_array().unwrap() {
        tokens[added["id"].as_u64().unwrap() as usize] = (added["content"].as_str().unwrap().into(), special);
    }
    let merges = tokenizer["model"]["merges"].as_array().unwrap().iter().map(|merge| match merge {
        Json::String(pair) => text(pair),
        pair => text(&format!("{} {}", pair[0].as_str().unwrap(), pair[1].as_str().unwrap())),
    });
    let id_of = |field: &str| {
        let name = names[field].as_str().unwrap();
        Value::U32(tokens.iter().position(|(token, _)| token == name).unwrap() as u32)
    };
    let template = std::fs::read_to_string(checkpoint.join("chat_template.jinja")).unwrap();
    vec![
        ("tokenizer.ggml.model", text("gpt2")),
        ("tokenizer.ggml.pre", text("gpt-2")),
        ("tokenizer.ggml.bos_token_id", id_of("bos_token")),
        ("tokenizer.ggml.eos_token_id", id_of("eos_token")),
        ("tokenizer.ggml.unknown_token_id", id_of("unk_token")),
        ("tokenizer.ggml.padding_token_id", id_of("pad_token")),
        ("tokenizer.ggml.tokens", Value::Array(tokens.iter().map(|(token, _)| text(token)).collect())),
        ("tokenizer.ggml.token_type", Value::Array(tokens.iter().map(|(_, kind)| Value::I32(*kind)).collect())),
        ("tokenizer.ggml.merges", Value::Array(merges.collect())),
        ("tokenizer.chat_template", text(&template)),
    ]
}

fn write_tower(checkpoint: &Path, config: &Json, weights: &HashMap<String, Tensor>, path: &Path) {
    let vision = &config["vision_config"];
    let images = &read_json(checkpoint, "processor_config.json")["image_processor"];
    let floats = |list: &Json| {
        Value::Array(list.as_array().unwrap().iter().map(|value| Value::F32(value.as_f64().unwrap() as f32)).collect())
    };
    let metadata = vec![
        ("general.architecture", text("clip")),
        ("general.type", text("mmproj")),
        ("general.file_type", Value::U32(0)),
        ("general.quantization_version", Value::U32(2)),
        ("clip.has_vision_encoder", Value::Bool(true)),
        ("clip.projector_type", text("pixtral")),
        ("clip.use_silu", Value::Bool(true)),
        ("clip.vision.projection_dim", number(&config["text_config"]["hidden_size"])),
        ("clip.vision.image_size", number(&vision["image_size"])),
        ("clip.vision.patch_size", number(&vision["patch_size"])),
        ("clip.vision.embedding_length", number(&vision["hidden_size"])),
        ("clip.vision.feed_forward_length", number(&vision["intermediate_size"])),
        ("clip.vision.block_count", number(&vision["num_hidden_layers"])),
        ("clip.vision.attention.head_count", number(&vision["num_attention_heads"])),
        ("clip.vision.attention.layer_norm_epsilon", Value::F32(1e-5)),
        ("clip.vision.image_mean", floats(&images["image_mean"])),
        ("clip.vision.image_std", floats(&images["image_std"])),
    ];
    let (query_heads, key_heads) = heads(vision);
    let mut tensors = Vec::new();
    for (name, tensor) in weights {
        let tensor = tensor.clone();
        if let Some(rest) = name.strip_prefix("multi_modal_projector.linear_") {
            tensors.push((format!("mm.{rest}"), tensor));
        } else if name == "language_model.model.embed_tokens.weight" {
            let tokenizer = read_json(checkpoint, "tokenizer.json");
            let added = tokenizer["added_tokens"].as_array().unwrap().iter();
            let row = added.clone().find(|token| token["content"] == "[IMG_BREAK]").unwrap()["id"].as_u64().unwrap();
            tensors.push(("v.token_embd.img_break".into(), tensor.get(row as usize).unwrap()));
        } else if let Some(rest) = name.strip_prefix("vision_tower.transformer.layers.") {
            let (layer, part) = rest.split_once('.').unwrap();
            let tensor = match part {
                "attention.q_proj.weight" => with_neighbouring_pairs(&tensor, query_heads),
                "attention.k_proj.weight" => with_neighbouring_pairs(&tensor, key_heads),
                _ => tensor,
            };
            let part = match part.strip_suffix(".weight").unwrap() {
                "attention_norm" => "ln1",
                "ffn_norm" => "ln2",
                "attention.q_proj" => "attn_q",
                "attention.k_proj" => "attn_k",
                "attention.v_proj" => "attn_v",
                "attention.o_proj" => "attn_out",
                "feed_forward.gate_proj" => "ffn_gate",
                "feed_forward.up_proj" => "ffn_up",
                "feed_forward.down_proj" => "ffn_down",
                other => panic!("no name for {other}"),
            };
            tensors.push((format!("v.blk.{layer}.{part}.weight"), tensor));
        } else if name == "vision_tower.patch_conv.weight" {
            tensors.push(("v.patch_embd.weight".into(), tensor));
        } else if name == "vision_tower.ln_pre.weight" {
            tensors.push(("v.pre_ln.weight".into(), tensor));
        }
    }
    write_file(path, &metadata, tensors);
}

fn write_file(path: &Path, metadata: &[(&str, Value)], mut tensors: Vec<(String, Tensor)>) {
    tensors.sort_by(|one, other| one.0.cmp(&other.0));
    let stored: Vec<(String, QTensor)> = tensors
        .into_iter()
        .map(|(name, tensor)| {
            let tensor = tensor.to_dtype(DType::F32).unwrap();
            (name, QTensor::quantize(&tensor, GgmlDType::F32).unwrap())
        })
        .collect();
    let metadata: Vec<(&str, &Value)> = metadata.iter().map(|(name, value)| (*name, value)).collect();
    let tensors: Vec<(&str, &QTensor)> = stored.iter().map(|(name, tensor)| (name.as_str(), tensor)).collect();
    write(&mut File::create(path).unwrap(), &metadata, &tensors).unwrap();
}

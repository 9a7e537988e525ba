//! Checkpoints and adapters that are refused, and in which words.

use super::world::{FAMILIES, copy, fixture, load_from, message};
use crate::support::json_places::numbers_of;
use crate::support::pictures::noise_over_gradient;
use candle_core::{DType, Device, Tensor};
use dissent::model::reader_family::load_reader;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::fs;
use std::path::Path;

pub fn rewrite(folder: &Path, file: &str, change: impl FnOnce(&mut Value)) {
    let mut value: Value = serde_json::from_slice(&fs::read(folder.join(file)).unwrap()).unwrap();
    change(&mut value);
    fs::write(folder.join(file), value.to_string()).unwrap();
}

#[test]
fn a_broken_checkpoint_is_refused_by_name() {
    for (family, file) in [
        ("qwen2_vl", "config.json"),
        ("qwen2_vl", "processor_config.json"),
        ("qwen2_vl", "tokenizer.json"),
        ("qwen2_5_vl", "preprocessor_config.json"),
        ("qwen3_vl", "preprocessor_config.json"),
        ("qwen3_vl", "model.safetensors"),
        ("qwen2_5_vl", "model-00002-of-00002.safetensors"),
        ("smolvlm", "model.safetensors"),
        ("llava", "preprocessor_config.json"),
        ("llava", "tokenizer_config.json"),
    ] {
        let folder = copy(family);
        let path = folder.path().join(file);
        let whole = fs::read(&path).unwrap();
        fs::remove_file(&path).unwrap();
        let missing = message(folder.path(), None);
        let wanted = if file == "processor_config.json" { "preprocessor_config.json" } else { file };
        assert!(missing.contains(wanted), "{family}, {file}: {missing}");
        fs::write(&path, &whole[..whole.len() / 2]).unwrap();
        let torn = message(folder.path(), None);
        assert!(torn.contains(file), "{family}, {file}: {torn}");
    }
}

#[test]
fn hostile_weight_files_are_refused_by_name() {
    let file = |header: &str, data: usize| {
        let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
        bytes.extend(header.as_bytes());
        bytes.extend(vec![0; data]);
        bytes
    };
    let entry = |shape: &str, end: u64| {
        format!(r#"{{"model.norm.weight": {{"dtype": "F16", "shape": {shape}, "data_offsets": [0, {end}]}}}}"#)
    };
    for (what, bytes) in [
        ("empty", Vec::new()),
        ("a header longer than the file", [u64::MAX.to_le_bytes().to_vec(), b"{}".to_vec()].concat()),
        ("offsets beyond the file", file(&entry("[48]", 96), 10)),
        ("a shape of more than the data", file(&entry("[1099511627776]", 96), 96)),
        ("a shape without an end", file(&entry("[4294967296, 4294967296, 4294967296]", 96), 96)),
        ("not JSON", file("{", 0)),
    ] {
        let folder = copy("qwen2_vl");
        fs::write(folder.path().join("model.safetensors"), bytes).unwrap();
        let message = message(folder.path(), None);
        assert!(message.contains("model.safetensors: not a complete safetensors file"), "{what}: {message}");
    }
    // The same shard twice.
    let folder = copy("qwen2_5_vl");
    let second = folder.path().join("model-00002-of-00002.safetensors");
    fs::copy(folder.path().join("model-00001-of-00002.safetensors"), second).unwrap();
    let twice = message(folder.path(), None);
    assert!(twice.contains("model-00002-of-00002.safetensors: tensor"), "{twice}");
    assert!(twice.contains("is in another weight file too"), "{twice}");
    // An index that does not say which of two counts.
    let index = r#"{"weight_map": {"lm_head.weight": "model-00001-of-00002.safetensors",
        "model.layers.0.input_layernorm.weight": "model-00002-of-00002.safetensors"}}"#;
    fs::write(folder.path().join("model.safetensors.index.json"), index).unwrap();
    let message = message(folder.path(), None);
    assert!(message.contains("is in another weight file too"), "{message}");
}

#[test]
fn an_adapter_that_does_not_fit_is_refused_by_name() {
    let folder = fixture("qwen2_vl").join("checkpoint");
    let other = message(&folder, Some(&fixture("smolvlm").join("adapter")));
    assert!(other.contains("smolvlm/adapter") && other.contains("does not have"), "{other}");
    for (from, to, word) in [
        (r#""peft_type": "LORA""#, r#""peft_type": "IA3""#, "IA3"),
        (r#""use_dora": false"#, r#""use_dora": true"#, "use_dora"),
        (r#""bias": "none""#, r#""bias": "all""#, "bias"),
        (r#""r": 3"#, r#""r": 4"#, "rank 4"),
        (r#""init_lora_weights": true"#, r#""init_lora_weights": "pissa""#, "pissa"),
        (r#""modules_to_save": null"#, r#""modules_to_save": ["lm_head"]"#, "modules_to_save contains lm_head"),
        (r#""layer_replication": null"#, r#""layer_replication": [[0, 1]]"#, "layer_replication"),
    ] {
        let adapter = tempfile::tempdir().unwrap();
        for file in ["adapter_config.json", "adapter_model.safetensors"] {
            fs::copy(fixture("qwen2_vl").join("adapter").join(file), adapter.path().join(file)).unwrap();
        }
        let path = adapter.path().join("adapter_config.json");
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains(from), "{from}");
        fs::write(&path, text.replace(from, to)).unwrap();
        let message = message(&folder, Some(adapter.path()));
        assert!(message.contains(word), "{word}: {message}");
    }
    let empty = tempfile::tempdir().unwrap();
    assert!(message(&folder, Some(empty.path())).contains("adapter_config.json"));
}

#[test]
fn weights_that_no_layer_takes_are_named_with_the_field_that_leaves_them_out() {
    for (family, extra, field) in [
        ("qwen2_vl", "model.layers.9.mlp.up_proj.weight", "num_hidden_layers"),
        ("qwen2_vl", "visual.blocks.9.mlp.fc1.weight", "vision_config: depth"),
        ("qwen3_vl", "model.language_model.layers.9.mlp.up_proj.weight", "text_config: num_hidden_layers"),
        ("qwen3_vl", "model.visual.blocks.9.mlp.linear_fc1.weight", "vision_config: depth"),
        ("qwen3_vl", "model.visual.deepstack_merger_list.2.norm.weight", "vision_config: deepstack_visual_indexes"),
        ("smolvlm", "model.text_model.layers.9.mlp.up_proj.weight", "text_config: num_hidden_layers"),
        ("smolvlm", "model.vision_model.encoder.layers.9.mlp.fc1.bias", "vision_config: num_hidden_layers"),
        ("llava", "vision_tower.vision_model.encoder.layers.9.mlp.fc1.bias", "vision_config: num_hidden_layers"),
        ("llava", "language_model.model.layers.9.mlp.up_proj.weight", "text_config: num_hidden_layers"),
        ("smolvlm", "model.unknown.weight", "model_type"),
    ] {
        let folder = copy(family);
        let path = folder.path().join("model.safetensors");
        let mut tensors = candle_core::safetensors::load(&path, &Device::Cpu).unwrap();
        let value = Tensor::ones(2, DType::F32, &Device::Cpu).unwrap();
        for harmless in ["model.layers.0.self_attn.rotary_emb.inv_freq", "model.vision_model.embeddings.position_ids"] {
            tensors.insert(harmless.into(), value.clone());
        }
        save(&path, &tensors);
        load_from(folder.path(), None, DType::F32);
        tensors.insert(extra.into(), value);
        save(&path, &tensors);
        let message = message(folder.path(), None);
        for part in ["model.safetensors: 1 tensor has no counterpart", extra, field] {
            assert!(message.contains(part), "{part:?} is not in {message}");
        }
    }
}

pub fn save(path: &Path, tensors: &HashMap<String, Tensor>) {
    fs::write(path, safetensors::serialize(tensors, None).unwrap()).unwrap();
}

#[test]
fn a_tensor_that_is_in_a_file_twice_is_named() {
    let folder = copy("smolvlm");
    let path = folder.path().join("model.safetensors");
    let bytes = fs::read(&path).unwrap();
    let length = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
    let header = std::str::from_utf8(&bytes[8..8 + length]).unwrap();
    let name = "lm_head.weight";
    let start = header.find(&format!("\"{name}\"")).unwrap();
    let end = start + header[start..].find('}').unwrap() + 1;
    let doubled = format!("{{{},{}", &header[start..end], &header[1..]);
    let whole = [&(doubled.len() as u64).to_le_bytes(), doubled.as_bytes(), &bytes[8 + length..]].concat();
    fs::write(&path, whole).unwrap();
    let message = message(folder.path(), None);
    assert!(
        message.contains(&format!(
            "model.safetensors: not a complete safetensors file: the file contains tensor {name} twice"
        )),
        "{message}"
    );
}

#[test]
fn settings_that_are_no_object_are_named() {
    for family in FAMILIES {
        for file in [
            "config.json",
            "processor_config.json",
            "preprocessor_config.json",
            "tokenizer.json",
            "tokenizer_config.json",
        ] {
            for content in ["[]", "1", "\"x\"", "null"] {
                let folder = copy(family);
                if !folder.path().join(file).is_file() {
                    continue;
                }
                fs::write(folder.path().join(file), content).unwrap();
                let message = message(folder.path(), None);
                assert!(message.contains(&format!("{file}: expected an object")), "{family}: {message}");
            }
        }
        for value in [json!([]), json!(1), json!("x"), json!([[]])] {
            let folder = copy(family);
            rewrite(folder.path(), "config.json", |config| config["vision_config"] = value.clone());
            let message = message(folder.path(), None);
            assert!(message.contains("config.json"), "{family}, {value}: {message}");
        }
    }
}

#[test]
fn settings_may_begin_with_a_byte_order_mark_but_not_be_utf16_or_a_pointer() {
    let folder = copy("smolvlm");
    let path = folder.path().join("config.json");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, format!("\u{feff}{text}")).unwrap();
    load_from(folder.path(), None, DType::F32);
    let wide: Vec<u8> = [0xFEFF].into_iter().chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect();
    fs::write(&path, wide).unwrap();
    assert!(message(folder.path(), None).contains("UTF-16"));
    for file in ["config.json", "model.safetensors"] {
        let folder = copy("smolvlm");
        fs::write(folder.path().join(file), "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 5\n")
            .unwrap();
        let message = message(folder.path(), None);
        assert!(message.contains(file) && message.contains("Git LFS"), "{message}");
    }
}

#[test]
fn hostile_tokenizers_are_named_by_field() {
    let blow_up = json!({"type": "Replace", "pattern": {"String": "a"}, "content": "a".repeat(1000)});
    let nothing = json!({"type": "Replace", "pattern": {"String": ""}, "content": "b"});
    let catastrophe = json!({"type": "Split", "pattern": {"Regex": "(a+)+$"}, "behavior": "Isolated", "invert": false});
    for (pointer, value, word) in [
        ("normalizer", json!({"type": "Precompiled", "precompiled_charsmap": ""}), "precompiled_charsmap"),
        ("normalizer", json!({"type": "Precompiled", "precompiled_charsmap": "/////w=="}), "precompiled_charsmap"),
        (
            "normalizer",
            json!({"type": "Sequence", "normalizers": vec![blow_up.clone(); 4]}),
            "to lengthen a text at most",
        ),
        ("normalizer", json!({"type": "Sequence", "normalizers": vec![blow_up; 1000]}), "at most 64 steps"),
        ("normalizer", nothing, "found an empty one"),
        ("normalizer", json!({"type": "Nothing"}), "not a tokenizer"),
        ("normalizer", json!([]), "normalizer: expected an object"),
        ("pre_tokenizer", json!({"type": "FixedLength", "length": 0}), "length"),
        ("pre_tokenizer", catastrophe, "unbounded repetition"),
        (
            "post_processor",
            json!({"type": "TemplateProcessing", "single": [{"SpecialToken": {"id": "nope", "type_id": 0}}],
            "pair": [], "special_tokens": {}}),
            "\"nope\"",
        ),
        ("decoder", json!({"type": "Strip", "content": "a", "start": 1_u64 << 60, "stop": 0}), "start"),
        ("model", json!({"type": "BPE", "vocab": {}, "merges": []}), "found none"),
        ("model", json!({"type": "BPE", "vocab": {"a": -1}, "merges": []}), "\"a\": expected a whole number"),
        (
            "model",
            json!({"type": "BPE", "vocab": {"a": 0, "b": 0}, "merges": []}),
            "\"a\" and \"b\" have the same id 0",
        ),
        ("model", json!({"type": "BPE", "vocab": {"a": 4_294_967_295_u64}, "merges": []}), "4294967295"),
        ("model", json!({"type": "BPE", "vocab": {"a": 0}, "merges": ["a x"]}), "not a tokenizer"),
        ("model", json!({"type": "BPE", "vocab": {"a": 0}, "merges": [], "dropout": 0.5}), "dropout"),
        ("model", json!({"type": "Unigram", "vocab": [], "unk_id": 7}), "unk_id"),
        (
            "added_tokens",
            json!([{"id": 0, "content": "<a>", "single_word": false, "lstrip": false, "rstrip": false,
            "normalized": false, "special": true}, {"id": 0, "content": "<b>"}]),
            "\"<a>\" and \"<b>\" have the same id 0",
        ),
    ] {
        let folder = copy("qwen2_vl");
        rewrite(folder.path(), "tokenizer.json", |definition| definition[pointer] = value);
        let message = message(folder.path(), None);
        assert!(message.contains("tokenizer.json") && message.contains(word), "{pointer}, {word}: {message}");
    }
    // Settings for batches, which are not used.
    let folder = copy("qwen2_vl");
    rewrite(folder.path(), "tokenizer.json", |definition| {
        definition["padding"] = json!({"strategy": {"Fixed": 1_u64 << 40}, "direction": "Right", "pad_to_multiple_of": null,
            "pad_id": 0, "pad_type_id": 0, "pad_token": "a"});
    });
    load_from(folder.path(), None, DType::F32);
}

#[test]
fn a_text_of_any_length_is_bounded() {
    let checkpoint = load_from(&fixture("qwen2_vl").join("checkpoint"), None, DType::F32);
    let tokenizer = checkpoint.model.tokenizer();
    assert!(tokenizer.encode(&"a ".repeat(100_000)).is_ok());
    let message = format!("{:#}", tokenizer.encode(&"a ".repeat(1_000_000)).unwrap_err());
    assert!(message.contains("expected a text of at most 1048576 bytes"), "{message}");
}

/// Every number of the settings at the edges: what comes is a model or a message, and a picture that is read or refused.
#[test]
fn numbers_out_of_range_end_in_a_message() {
    for family in FAMILIES {
        for file in ["config.json", "processor_config.json", "preprocessor_config.json"] {
            let path = fixture(family).join("checkpoint").join(file);
            let Ok(bytes) = fs::read(path) else { continue };
            let settings: Value = serde_json::from_slice(&bytes).unwrap();
            let mut pointers = Vec::new();
            numbers_of(&settings, String::new(), &mut pointers);
            assert!(!pointers.is_empty());
            for pointer in pointers {
                for value in
                    [json!(0), json!(-1), json!(1_u64 << 40), json!(u64::MAX), json!(1.5), Value::Null, json!([])]
                {
                    let folder = copy(family);
                    rewrite(folder.path(), file, |settings| *settings.pointer_mut(&pointer).unwrap() = value.clone());
                    match load_reader(folder.path(), None, &Device::Cpu, DType::F32) {
                        Err(error) => {
                            let message = format!("{error:#}");
                            assert!(!message.contains('\n'), "{family}, {pointer}, {value}: {message}");
                        }
                        Ok(checkpoint) => drop(checkpoint.model.prepare(&noise_over_gradient(9, 5, 6))),
                    }
                }
            }
        }
    }
}

#[test]
fn a_key_that_stands_twice_is_refused_in_every_settings_file() {
    for family in FAMILIES {
        let whole = copy(family);
        for entry in fs::read_dir(whole.path()).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            if Path::new(&name).extension().is_none_or(|end| end != "json") {
                continue;
            }
            let folder = copy(family);
            let path = folder.path().join(&name);
            let text = fs::read_to_string(&path).unwrap();
            if name == "config.json" {
                fs::write(&path, text.replacen('{', r#"{"x": {"y": 1, "y": 1}, "#, 1)).unwrap();
                load_from(folder.path(), None, DType::F32);
            }
            fs::write(&path, text.replacen('{', r#"{"x": {"y": 1, "y": 2}, "#, 1)).unwrap();
            let message = message(folder.path(), None);
            let wanted = format!("{name}: the key \"y\" appears twice with different values at line 1");
            assert!(message.contains(&wanted), "{family}: {message}");
        }
    }
    let adapter = tempfile::tempdir().unwrap();
    for file in ["adapter_config.json", "adapter_model.safetensors"] {
        fs::copy(fixture("qwen2_vl").join("adapter").join(file), adapter.path().join(file)).unwrap();
    }
    let path = adapter.path().join("adapter_config.json");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text.replacen('{', "{\"lora_alpha\": 1, ", 1)).unwrap();
    let message = message(&fixture("qwen2_vl").join("checkpoint"), Some(adapter.path()));
    assert!(message.contains("the key \"lora_alpha\" appears twice"), "{message}");
}

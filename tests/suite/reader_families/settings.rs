//! Settings that would make another network, or other pixels, are refused; what two files say differently is noted.

use super::refusals::{rewrite, save};
use super::world::{copy, load_from, message};
use candle_core::{DType, Device};
use serde_json::{Value, json};
use std::fs;

/// Sets the field at `pointer`, in objects that are there.
fn set(settings: &mut Value, pointer: &str, value: Value) {
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    settings.pointer_mut(parent).unwrap()[name] = value;
}

#[test]
fn settings_of_another_network_are_refused_by_name() {
    for (family, pointer, value) in [
        ("qwen2_vl", "/text_config/head_dim", json!(8)),
        ("qwen2_vl", "/text_config/layer_types", json!(["full_attention", "full_attention"])),
        ("qwen2_vl", "/text_config/layer_types", json!(["full_attention", "full_attention", "linear_attention"])),
        ("qwen2_vl", "/text_config/layer_types", json!(["full_attention", "full_attention", "sliding_attention"])),
        ("qwen2_vl", "/text_config/partial_rotary_factor", json!(0.5)),
        ("qwen2_vl", "/text_config/rope_parameters/partial_rotary_factor", json!(0.5)),
        ("qwen2_vl", "/text_config/rope_parameters/rope_type", json!("proportional")),
        ("qwen2_vl", "/text_config/hidden_act", json!("relu6")),
        ("qwen2_vl", "/text_config/final_logit_softcapping", json!(30.0)),
        ("qwen2_vl", "/text_config/num_key_value_heads", json!(2)),
        ("qwen2_vl", "/text_config/mlp_bias", json!(true)),
        ("qwen2_vl", "/vision_config/rope_parameters/rope_type", json!("linear")),
        ("qwen2_vl", "/vision_config/in_channels", json!(1)),
        ("qwen2_5_vl", "/head_dim", json!(24)),
        ("qwen2_5_vl", "/use_qk_norm", json!(true)),
        ("qwen2_5_vl", "/rope_scaling/type", json!("ntk")),
        ("qwen3_vl", "/text_config/attention_bias", json!(true)),
        ("qwen3_vl", "/text_config/num_experts", json!(128)),
        ("qwen3_vl", "/text_config/use_sliding_window", json!(true)),
        ("qwen3_vl", "/text_config/layer_types", json!(["full_attention", "full_attention", "sliding_attention"])),
        ("qwen3_vl", "/text_config/rope_scaling/mrope_interleaved", json!(false)),
        ("qwen3_vl", "/text_config/rope_scaling/rope_type", json!("proportional")),
        ("qwen3_vl", "/text_config/hidden_act", json!("relu6")),
        ("qwen3_vl", "/vision_config/hidden_act", json!("relu6")),
        ("qwen3_vl", "/vision_config/head_dim", json!(8)),
        ("qwen3_vl", "/vision_config/in_channels", json!(1)),
        ("smolvlm", "/text_config/attention_bias", json!(true)),
        ("smolvlm", "/text_config/mlp_bias", json!(true)),
        ("smolvlm", "/text_config/qk_layer_norms", json!(true)),
        ("smolvlm", "/text_config/rope_interleaved", json!(true)),
        ("smolvlm", "/text_config/partial_rotary_factor", json!(0.25)),
        ("smolvlm", "/text_config/num_key_value_heads", json!(2)),
        ("smolvlm", "/vision_config/hidden_act", json!("gelu_fancy")),
        ("smolvlm", "/vision_config/num_channels", json!(1)),
        ("gemma3", "/text_config/attn_logit_softcapping", json!(50.0)),
        ("gemma3", "/text_config/final_logit_softcapping", json!(30.0)),
        ("gemma3", "/text_config/attention_bias", json!(true)),
        ("gemma3", "/text_config/use_bidirectional_attention", json!(true)),
        ("gemma3", "/text_config/hidden_activation", json!("relu6")),
        ("gemma3", "/text_config/num_key_value_heads", json!(3)),
        ("gemma3", "/text_config/rope_scaling/rope_type", json!("ntk")),
        ("gemma3", "/vision_config/model_type", json!("clip_vision_model")),
        ("gemma3", "/vision_config/num_channels", json!(1)),
        ("gemma3", "/mm_tokens_per_image", json!(25)),
        ("paligemma", "/projection_dim", json!(32)),
        ("paligemma", "/text_config/use_bidirectional_attention", json!(false)),
        ("paligemma", "/text_config/model_type", json!("gemma2")),
        ("paligemma", "/text_config/final_logit_softcapping", json!(30.0)),
        ("paligemma", "/vision_config/model_type", json!("clip_vision_model")),
        ("internvl", "/vision_config/use_qk_norm", json!(true)),
        ("internvl", "/vision_config/norm_type", json!("rms_norm")),
        ("internvl", "/vision_config/use_mean_pooling", json!(false)),
        ("internvl", "/vision_feature_select_strategy", json!("full")),
        ("internvl", "/vision_feature_layer", json!(-2)),
        ("internvl", "/downsample_ratio", json!(0.3)),
        ("internvl", "/image_seq_length", json!(9)),
        ("internvl", "/text_config/use_sliding_window", json!(true)),
        ("internvl", "/text_config/model_type", json!("qwen3")),
    ] {
        let folder = copy(family);
        rewrite(folder.path(), "config.json", |config| set(config, pointer, value.clone()));
        let message = message(folder.path(), None);
        let name = pointer.rsplit('/').next().unwrap();
        let is_named = message.contains(name) || message.contains(value.as_str().unwrap_or("\0")) || name == "type";
        assert!(message.contains("config.json") && is_named, "{family}, {pointer}: {message}");
    }
}

/// Published files have further settings, some of which do not affect inference.
#[test]
fn settings_that_change_nothing_pass() {
    for (family, fields) in [
        ("qwen2_vl", json!({"attention_dropout": 0.1, "head_dim": 16, "use_cache": false, "max_window_layers": 28})),
        (
            "smolvlm",
            json!({"attention_dropout": 0.1, "pretraining_tp": 2, "qk_layer_norms": false, "use_resampler": false,
            "rope_interleaved": false, "pixel_shuffle_factor": 2, "is_llama_config": true, "neftune_noise_alpha": 0.0,
            "partial_rotary_factor": 1, "_flash_attn_2_enabled": true}),
        ),
    ] {
        let folder = copy(family);
        rewrite(folder.path(), "config.json", |config| {
            for (name, value) in fields.as_object().unwrap() {
                config["text_config"][name] = value.clone();
            }
        });
        let checkpoint = load_from(folder.path(), None, DType::F32);
        assert!(checkpoint.notes.is_empty(), "{:?}", checkpoint.notes);
    }
}

#[test]
fn steps_that_are_not_taken_are_refused() {
    for (family, file, pointer) in [
        ("qwen2_vl", "processor_config.json", "/image_processor/do_invert"),
        ("qwen2_5_vl", "preprocessor_config.json", "/do_grayscale"),
        ("qwen2_5_vl", "preprocessor_config.json", "/do_pad"),
        ("qwen3_vl", "preprocessor_config.json", "/do_center_crop"),
        ("smolvlm", "processor_config.json", "/image_processor/do_center_crop"),
        ("gemma3", "processor_config.json", "/image_processor/do_pan_and_scan"),
        ("internvl", "processor_config.json", "/image_processor/do_pad"),
        ("paligemma", "processor_config.json", "/image_processor/do_pad"),
    ] {
        let folder = copy(family);
        rewrite(folder.path(), file, |settings| set(settings, pointer, json!(true)));
        let message = message(folder.path(), None);
        let name = pointer.rsplit('/').next().unwrap();
        assert!(message.contains(&format!("{file}: field {name}: found true; expected false")), "{message}");
    }
    for (family, name) in
        [("smolvlm", "image_seq_len"), ("gemma3", "image_seq_length"), ("internvl", "image_seq_length")]
    {
        let folder = copy(family);
        rewrite(folder.path(), "processor_config.json", |settings| settings[name] = json!(5));
        assert!(message(folder.path(), None).contains(&format!("{name}: expected")));
    }
}

#[test]
fn what_two_files_say_differently_is_noted() {
    let folder = copy("qwen2_vl");
    let path = folder.path();
    let nested: Value = serde_json::from_slice(&fs::read(path.join("processor_config.json")).unwrap()).unwrap();
    let mut other = nested["image_processor"].clone();
    fs::write(path.join("preprocessor_config.json"), other.to_string()).unwrap();
    assert!(load_from(path, None, DType::F32).notes.is_empty());
    other["image_mean"] = json!([0.9, 0.9, 0.9]);
    fs::write(path.join("preprocessor_config.json"), other.to_string()).unwrap();
    rewrite(path, "tokenizer_config.json", |config| config["chat_template"] = json!("{{ messages[0].role }}"));
    let notes = load_from(path, None, DType::F32).notes;
    assert!(notes[0].contains("differ in image_mean; the first is used"), "{notes:?}");
    assert!(notes[1].contains("template of chat_template.jinja is used; that of tokenizer_config.json"), "{notes:?}");
}

#[test]
fn a_stored_output_matrix_beside_a_tied_embedding_must_be_its_copy() {
    let folder = copy("qwen2_vl");
    let path = folder.path().join("model.safetensors");
    let mut tensors = candle_core::safetensors::load(&path, &Device::Cpu).unwrap();
    let embedding = tensors["model.embed_tokens.weight"].clone();
    tensors.insert("lm_head.weight".into(), embedding.clone());
    save(&path, &tensors);
    load_from(folder.path(), None, DType::F32);
    tensors.insert("lm_head.weight".into(), (embedding * 2.0).unwrap());
    save(&path, &tensors);
    let message = message(folder.path(), None);
    assert!(message.contains("lm_head.weight differs from model.embed_tokens.weight"), "{message}");
}

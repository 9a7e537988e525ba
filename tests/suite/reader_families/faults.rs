//! Changed weights and configurations that must not give the reference's logits.

use super::world::{copy, difference, expected, floats, last_logits, load_from, tolerance};
use candle_core::{DType, Device};
use std::fs;

/// The same for weights: one that is transposed, one that is left out.
#[test]
fn a_fault_in_the_weights_shows() {
    for (family, name) in [
        ("qwen2_vl", "model.layers.1.self_attn.o_proj.weight"),
        ("qwen2_vl", "visual.blocks.0.attn.proj.weight"),
        ("smolvlm", "model.vision_model.encoder.layers.1.self_attn.v_proj.weight"),
        ("smolvlm", "model.text_model.layers.0.self_attn.q_proj.weight"),
        ("smolvlm", "model.vision_model.post_layernorm.weight"),
        ("qwen2_vl", "visual.merger.ln_q.weight"),
        ("qwen2_vl", "model.layers.2.input_layernorm.weight"),
    ] {
        let folder = copy(family);
        let path = folder.path().join("model.safetensors");
        let mut tensors = candle_core::safetensors::load(&path, &Device::Cpu).unwrap();
        let old = &tensors[name];
        let changed = if old.rank() == 2 { old.t().unwrap().contiguous().unwrap() } else { old.ones_like().unwrap() };
        tensors.insert(name.to_string(), changed);
        candle_core::safetensors::save(&tensors, &path).unwrap();
        let own = last_logits(&load_from(folder.path(), None, DType::F32), "two images", DType::F32);
        let theirs = expected(family)["prompts"]["two images"]["logits"].as_array().unwrap().last().cloned().unwrap();
        let difference = difference(&own, &floats(&theirs));
        println!("{family}, {name}: {difference:.2e}");
        assert!(difference > 10.0 * tolerance(), "{family}, {name}: difference {difference}");
    }
}

/// The results of generate.py are precise enough to detect each of these faults.
#[test]
fn a_fault_in_the_arithmetic_shows() {
    let changes = [
        ("qwen2_vl", r#""rope_theta": 1000000.0"#, r#""rope_theta": 10000.0"#),
        ("qwen2_vl", r#""rms_norm_eps": 1e-06"#, r#""rms_norm_eps": 0.1"#),
        ("qwen2_5_vl", r#""fullatt_block_indexes": ["#, r#""fullatt_block_indexes": [0, "#),
        ("qwen2_5_vl", r#""sliding_window": 24"#, r#""sliding_window": 23"#),
        ("qwen2_5_vl", r#""max_window_layers": 2"#, r#""max_window_layers": 1"#),
        ("smolvlm", r#""rope_theta": 100000.0"#, r#""rope_theta": 10000.0"#),
        ("gemma3", r#""rope_theta": 1000000.0"#, r#""rope_theta": 10000.0"#),
        ("gemma3", r#""rope_local_base_freq": 10000.0"#, r#""rope_local_base_freq": 1000000.0"#),
        ("gemma3", r#""factor": 8.0"#, r#""factor": 1.0"#),
        ("gemma3", r#""sliding_window": 11"#, r#""sliding_window": 12"#),
        ("gemma3", r#""sliding_window_pattern": 3"#, r#""sliding_window_pattern": 2"#),
        ("gemma3", r#""query_pre_attn_scalar": 24"#, r#""query_pre_attn_scalar": 16"#),
        ("paligemma", r#""head_dim": 16"#, r#""head_dim": 16, "rope_theta": 100.0"#),
        ("paligemma", r#""head_dim": 16"#, r#""head_dim": 16, "rms_norm_eps": 0.1"#),
        ("paligemma", r#""patch_size": 7"#, r#""patch_size": 7, "layer_norm_eps": 0.1"#),
        ("internvl", r#""rope_theta": 1000000.0"#, r#""rope_theta": 10000.0"#),
        ("internvl", r#""rms_norm_eps": 1e-06"#, r#""rms_norm_eps": 0.1"#),
        ("internvl", r#""layer_norm_eps": 1e-06"#, r#""layer_norm_eps": 0.1"#),
        ("internvl", r#""projector_hidden_act": "gelu""#, r#""projector_hidden_act": "silu""#),
    ];
    for (family, from, to) in changes {
        let folder = copy(family);
        let path = folder.path().join("config.json");
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains(from), "{family}: {from}");
        fs::write(&path, text.replace(from, to)).unwrap();
        let own = last_logits(&load_from(folder.path(), None, DType::F32), "two images", DType::F32);
        let theirs = expected(family)["prompts"]["two images"]["logits"].as_array().unwrap().last().cloned().unwrap();
        let difference = difference(&own, &floats(&theirs));
        println!("{family}, {to}: {difference:.2e}");
        assert!(difference > 10.0 * tolerance(), "{family}, {to}: difference {difference}");
    }
}

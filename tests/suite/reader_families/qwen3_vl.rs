//! What only Qwen3-VL has: interleaved M-RoPE, features for the first decoder layers, interpolated positions.

use super::refusals::{rewrite, save};
use super::world::{copy, difference, expected, floats, last_logits, load, load_from, message, row, tolerance};
use candle_core::{DType, Device, IndexOp};
use dissent::model::decoder::{DecoderInput, DecoderRow};
use serde_json::{Value, json};
use std::fs;
use std::path::Path;

/// How far the logits of a changed checkpoint are from those of transformers for the original.
fn difference_from_original(folder: &Path) -> f32 {
    let own = last_logits(&load_from(folder, None, DType::F32), "two images", DType::F32);
    let theirs = expected("qwen3_vl")["prompts"]["two images"]["logits"].as_array().unwrap().last().cloned().unwrap();
    difference(&own, &floats(&theirs))
}

/// The values of one tensor in reverse order change the answer, whichever tensor it is.
#[test]
fn every_damaged_tensor_shows() {
    let folder = copy("qwen3_vl");
    let path = folder.path().join("model.safetensors");
    let whole = candle_core::safetensors::load(&path, &Device::Cpu).unwrap();
    assert_eq!(whole.len(), 92);
    for (name, tensor) in &whole {
        let mut values = tensor.flatten_all().unwrap().to_vec1::<half::f16>().unwrap();
        values.reverse();
        let damaged = candle_core::Tensor::from_vec(values, tensor.shape(), &Device::Cpu).unwrap();
        let mut tensors = whole.clone();
        tensors.insert(name.clone(), damaged);
        save(&path, &tensors);
        let difference = difference_from_original(folder.path());
        assert!(difference > 10.0 * tolerance(), "{name}: difference {difference}");
    }
}

#[test]
fn a_fault_in_the_arithmetic_shows() {
    for (pointer, value) in [
        ("/text_config/rope_theta", json!(10_000)),
        ("/text_config/rope_scaling/mrope_section", json!([6, 1, 1])),
        ("/text_config/rms_norm_eps", json!(0.1)),
        ("/vision_config/deepstack_visual_indexes", json!([0, 1])),
        ("/vision_config/deepstack_visual_indexes", json!([1, 2])),
        ("/vision_config/hidden_act", json!("gelu")),
        ("/vision_config/num_heads", json!(4)),
    ] {
        let folder = copy("qwen3_vl");
        rewrite(folder.path(), "config.json", |config| *config.pointer_mut(pointer).unwrap() = value.clone());
        let difference = difference_from_original(folder.path());
        println!("{pointer}, {value}: {difference:.1e}");
        assert!(difference > 10.0 * tolerance(), "{pointer}, {value}: difference {difference}");
    }
}

#[test]
fn models_with_experts_and_models_that_think_first_are_refused() {
    let folder = copy("qwen3_vl");
    rewrite(folder.path(), "config.json", |config| config["model_type"] = json!("qwen3_vl_moe"));
    let experts = message(folder.path(), None);
    assert!(experts.contains("qwen3_vl_moe") && experts.contains("qwen3_vl, "), "{experts}");
    let folder = copy("qwen3_vl");
    rewrite(folder.path(), "chat_template.json", |value| {
        let template = value["chat_template"]
            .as_str()
            .unwrap()
            .replace("assistant\n' }}{%- endif", "assistant\n<think>\n' }}{%- endif");
        value["chat_template"] = Value::String(template);
    });
    let thinking = message(folder.path(), None);
    assert!(thinking.contains("begins the answer with <think>") && thinking.contains("Instruct"), "{thinking}");
    let path = folder.path().join("chat_template.json");
    let closed = fs::read_to_string(&path).unwrap().replace("<think>\\n", "<think>\\n\\n</think>\\n\\n");
    fs::write(&path, closed).unwrap();
    load_from(folder.path(), None, DType::F32);
}

/// Integrated gradients follow the features of all layers from their mean to the image.
#[test]
fn integrated_gradients_sum_to_the_difference_from_the_mean() {
    let checkpoint = load("qwen3_vl");
    let decoder = checkpoint.model.decoder();
    let row = row(&checkpoint, "two images", DType::F32);
    let mut image_tokens = (0..row.ids.len()).filter(|index| row.ids[*index] == decoder.image_token());
    let groups: Vec<Vec<usize>> =
        row.features.iter().map(|features| image_tokens.by_ref().take(decoder.tokens_of(features)).collect()).collect();
    let (answer, runner_up) = (20, 21);
    let contributions = decoder.integrated_gradients(&row, &groups, (answer, runner_up), 64).unwrap();
    let log_odds = |row: &DecoderRow| {
        let decoded = decoder.decode(&DecoderInput::new(vec![row.clone()]), None).unwrap();
        let logits = decoder.logits(&decoded, &decoded.last_tokens()).unwrap().i(0).unwrap().to_vec1::<f32>().unwrap();
        logits[answer as usize] - logits[runner_up as usize]
    };
    let mut even = row.clone();
    for features in &mut even.features {
        let mean = features.mean_keepdim((0, 1)).unwrap();
        *features = mean.broadcast_as(features.shape()).unwrap().contiguous().unwrap();
    }
    let difference = log_odds(&row) - log_odds(&even);
    let sum: f32 = contributions.iter().sum();
    assert!(difference.abs() > 1e-3, "the images matter: {difference}");
    assert!((sum - difference).abs() < 0.02 * difference.abs() + 1e-3, "{sum}, not {difference}");
}

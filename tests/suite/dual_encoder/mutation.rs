//! The fixtures tell every tensor of every family: each is damaged once (a square matrix turned, another tensor moved on by
//! one value), or taken away, and the vectors then differ from the reference, or loading fails.
//!
//! Wrong constants were tried in the generators: with a rope base of 1000 instead of 10,000 the image vectors of
//! `jina_clip` move by 0.17, with the ALiBi slopes of four heads instead of three its text vectors by 0.07.

use super::fixture::{Loaded, all, copy_of, message, weights_of};
use candle_core::{DType, Device, Tensor};
use dissent::model::dual_encoder::DualEncoder;
use std::collections::BTreeMap;

/// A hundred times what the reference test allows.
const SHOWS: f32 = 1e-3;

fn damaged(tensor: &Tensor) -> Tensor {
    if let [rows, columns] = tensor.dims()
        && rows == columns
    {
        return tensor.t().unwrap().contiguous().unwrap();
    }
    let flat = tensor.flatten_all().unwrap();
    let count = flat.elem_count();
    let moved = [flat.narrow(0, 1, count - 1).unwrap(), flat.narrow(0, 0, 1).unwrap()];
    Tensor::cat(&moved, 0).unwrap().reshape(tensor.shape()).unwrap()
}

/// Tensors that cannot affect a vector: scale and bias of the loss, biases on keys alone, which cancel in the softmax, and
/// the token that replaces patches in training.
fn decides_nothing(name: &str) -> bool {
    ["logit_scale", "logit_bias", "embeddings.mask_token"].contains(&name)
        || ["k_proj.bias", "key.bias"].iter().any(|end| name.ends_with(end))
}

#[test]
fn every_damaged_tensor_shows_and_every_missing_one_is_named() {
    let aside = tempfile::tempdir().unwrap();
    for name in all() {
        let loaded = Loaded::new(name);
        let expected = loaded.vectors().concat();
        let folder = copy_of(name, aside.path());
        let path = weights_of(&folder);
        let tensors: BTreeMap<String, Tensor> =
            candle_core::safetensors::load(&path, &Device::Cpu).unwrap().into_iter().collect();
        let write = |tensors: &BTreeMap<String, Tensor>| {
            std::fs::write(&path, safetensors::serialize(tensors.iter(), None).unwrap()).unwrap();
        };
        let mut shown = 0;
        for (tensor_name, tensor) in &tensors {
            if decides_nothing(tensor_name) {
                continue;
            }
            let mut changed = tensors.clone();
            changed.insert(tensor_name.clone(), damaged(tensor));
            write(&changed);
            let encoder = DualEncoder::load(&folder, &Device::Cpu, DType::F32).unwrap();
            let found = loaded.found(&encoder).concat();
            let largest = found.iter().zip(&expected).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
            assert!(largest > SHOWS, "{name}: damage to {tensor_name} changes vectors by {largest:e} only");
            shown += 1;

            changed.remove(tensor_name);
            write(&changed);
            let message = message(&folder);
            let is_clear = ["is missing", "expected", "of the weights"].iter().any(|part| message.contains(part));
            assert!(is_clear, "{name}, {tensor_name}: {message}");
        }
        println!("{name}: {shown} tensors");
        assert!(shown > 30, "{name}: {shown}");
    }
}

/// Settings that change arithmetic and no shape.
#[test]
fn every_changed_setting_shows() {
    let aside = tempfile::tempdir().unwrap();
    let cases = [
        ("siglip", "config.json", "gelu_pytorch_tanh", "quick_gelu"),
        ("siglip2_naflex", "preprocessor_config.json", "\"resample\": 2", "\"resample\": 3"),
        ("siglip2_naflex", "preprocessor_config.json", "\"max_num_patches\": 20", "\"max_num_patches\": 24"),
        ("open_clip", "open_clip_config.json", "\"embed_dim\": 14", "\"embed_dim\": 14, \"quick_gelu\": true"),
        ("open_clip", "open_clip_config.json", "\"head_width\": 8", "\"head_width\": 12"),
        ("open_clip_custom", "open_clip_config.json", "\"eps\": 0.001", "\"eps\": 0.1"),
        ("open_clip_custom", "open_clip_config.json", "\"quick_gelu\": true", "\"quick_gelu\": false"),
        ("biomed_clip", "open_clip_config.json", "cls_last_hidden_state_pooler", "mean_pooler"),
        ("jina_clip", "config.json", "\"pt_hw_seq_len\": 7", "\"pt_hw_seq_len\": 5"),
        ("jina_clip", "config.json", "\"intp_freq\": true", "\"intp_freq\": false"),
        ("jina_clip", "config.json", "\"num_attention_heads\": 3", "\"num_attention_heads\": 4"),
        ("jina_clip", "config.json", "mean_pooler", "cls_pooler"),
        ("jina_clip_v2", "config.json", "\"lora_alpha\": 6", "\"lora_alpha\": 5"),
        ("jina_clip_v2", "config.json", "\"default_lora_task\": \"retrieval.query\"", "\"default_lora_task\": null"),
        (
            "jina_clip_v2",
            "config.json",
            "\"default_lora_task\": \"retrieval.query\"",
            "\"default_lora_task\": \"retrieval.passage\"",
        ),
        ("jina_clip_v2", "config.json", "\"lora_rank\": 4", "\"lora_rank\": 4, \"rotary_emb_base\": 100"),
        ("mobile_clip", "open_clip_config.json", "\"no_causal_mask\": true", "\"no_causal_mask\": false"),
        ("mobile_clip", "open_clip_config.json", "bilinear", "bicubic"),
        ("medsiglip", "preprocessor_config.json", "\"resample\": 2", "\"resample\": 3"),
        ("rad_dino", "config.json", "\"layer_norm_eps\": 1e-06", "\"layer_norm_eps\": 1e-02"),
        ("rad_dino", "config.json", "\"hidden_act\": \"gelu\"", "\"hidden_act\": \"quick_gelu\""),
        ("dinov2", "preprocessor_config.json", "\"shortest_edge\": 34", "\"shortest_edge\": 30"),
        (
            "dinov2",
            "preprocessor_config.json",
            "\"height\": 30,\n    \"width\": 30",
            "\"height\": 24,\n    \"width\": 24",
        ),
    ];
    for (name, file, old, new) in cases {
        let loaded = Loaded::new(name);
        let expected = loaded.vectors().concat();
        let folder = copy_of(name, aside.path());
        let text = std::fs::read_to_string(folder.join(file)).unwrap();
        assert!(text.contains(old), "{name}: {file} has no {old}");
        std::fs::write(folder.join(file), text.replace(old, new)).unwrap();
        let encoder = DualEncoder::load(&folder, &Device::Cpu, DType::F32).unwrap();
        let found = loaded.found(&encoder).concat();
        let largest = found.iter().zip(&expected).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(largest > 2e-4, "{name}: {new} changes vectors by {largest:e} only");
    }
}

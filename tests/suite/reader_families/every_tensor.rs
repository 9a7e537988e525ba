//! Every tensor of a checkpoint counts: none can be damaged without another answer.

use super::refusals::save;
use super::world::{copy, difference, last_logits, load, load_from, tolerance};
use candle_core::{DType, Device};

const FAMILIES: [&str; 3] = ["gemma3", "internvl", "paligemma"];

/// A bias on the keys of a tower without RoPE adds the same to all scores of a query, which the softmax takes out again.
fn changes_nothing(name: &str) -> bool {
    name.contains("vision") && name.ends_with("k_proj.bias")
}

#[test]
fn damage_to_any_tensor_shows() {
    for family in FAMILIES {
        let whole = last_logits(&load(family), "two images", DType::F32);
        let folder = copy(family);
        let path = folder.path().join("model.safetensors");
        let tensors = candle_core::safetensors::load(&path, &Device::Cpu).unwrap();
        assert!(tensors.len() > 60, "{family}: {} tensors", tensors.len());
        for (name, tensor) in &tensors {
            let mut damaged = tensors.clone();
            damaged.insert(name.clone(), tensor.affine(1.5, 0.05).unwrap());
            save(&path, &damaged);
            let own = last_logits(&load_from(folder.path(), None, DType::F32), "two images", DType::F32);
            let difference = difference(&own, &whole);
            if changes_nothing(name) {
                assert!(difference < tolerance(), "{family}, {name}: difference {difference}");
            } else {
                assert!(difference > 10.0 * tolerance(), "{family}, {name}: difference {difference}");
            }
        }
    }
}

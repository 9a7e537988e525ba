//! Readers of 512 columns, which run on the kernels for wide models, against transformers (tests/fixtures/readers/wide.py).

use super::world::{
    FAMILIES, TOLERANCE, TOLERANCE_BF16, assert_close, copy, difference, floats, going_on_together, last_logits,
    load_from, logits_at, row, tolerance, tolerance_bf16,
};
use crate::support::dataset::closed_task;
use crate::support::fixtures;
use crate::support::pictures::noise_over_gradient;
use candle_core::{DType, Device, Tensor};
use dissent::data::Picture;
use dissent::explain::{parts_of, without};
use dissent::files::fingerprint::Fingerprint;
use dissent::model::decoder::{DecoderInput, PaddingSide};
use dissent::model::vlm::ReaderCheckpoint;
use dissent::reader::{CandleReader, Evidence, ReadRequest, Reader};
use image::DynamicImage;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

/// Below that of bf16 by the three bits more.
const TOLERANCE_F16: f32 = TOLERANCE_BF16 / 8.0;

/// Noise of a hash of the place, as wide.py computes it.
fn wide_weight(seed: u64, name: &str, count: usize) -> Vec<f32> {
    let is_norm = (name.contains("norm") || name.contains("ln_q")) && name.ends_with("weight");
    let mut values = Vec::with_capacity(count);
    for place in 0..count as u64 {
        let mut state = (place * 2_654_435_761 + seed * 40_503 + 1) % (1 << 32);
        for _ in 0..2 {
            state = ((state ^ (state >> 15)) * 73_244_475) % (1 << 32);
        }
        let noise = (state >> 24) as f32 - 128.0;
        values.push(if is_norm { 1.0 + (noise / 2.0).floor() / 128.0 } else { noise / 2048.0 });
    }
    values
}

/// What wide.py wrote; newer families have a file of their own.
fn expected() -> Value {
    let read = |path: PathBuf| serde_json::from_slice::<Value>(&fs::read(path).unwrap()).unwrap();
    let mut all = read(fixtures::path("readers/wide.json"));
    for family in FAMILIES {
        if all[family].is_null() {
            all[family] = read(fixtures::path("readers").join(family).join("wide.json"));
        }
    }
    all
}

/// The checkpoint of a family with the configuration and the weights of wide.py, stored in bf16, which holds them exactly.
fn write(family: &str, described: &Value) -> tempfile::TempDir {
    let folder = copy(family);
    for entry in fs::read_dir(folder.path()).unwrap() {
        let path = entry.unwrap().path();
        if path.to_string_lossy().contains(".safetensors") {
            fs::remove_file(path).unwrap();
        }
    }
    fs::write(folder.path().join("config.json"), described["config"].to_string()).unwrap();
    let described: Vec<(String, Vec<usize>)> = serde_json::from_value(described["tensors"].clone()).unwrap();
    let mut tensors = HashMap::new();
    for (seed, (name, shape)) in described.into_iter().enumerate() {
        let values = wide_weight(seed as u64, &name, shape.iter().product());
        let tensor = Tensor::from_vec(values, shape, &Device::Cpu).unwrap().to_dtype(DType::BF16).unwrap();
        tensors.insert(name, tensor);
    }
    candle_core::safetensors::save(&tensors, folder.path().join("model.safetensors")).unwrap();
    folder
}

fn assert_agrees(family: &str, checkpoint: &ReaderCheckpoint, described: &Value, dtype: DType, tolerance: f32) {
    let key = dtype.as_str();
    let alone = |name: &str| floats(&described["alone"][key][name]);
    for name in ["two images", "large and odd", "no image"] {
        let own = last_logits(checkpoint, name, dtype);
        assert_close(&format!("{family}, {key}, {name}"), &own, &alone(name), tolerance);
    }
    for padding in [PaddingSide::Left, PaddingSide::Right] {
        let rows = ["one image", "two images", "no image"].map(|name| row(checkpoint, name, dtype));
        let own = logits_at(checkpoint, &DecoderInput { rows: rows.into(), padding }, None, None);
        for (own, theirs) in own.iter().zip(described["batch"][key].as_array().unwrap()) {
            assert_close(&format!("{family}, {key}, {padding:?}"), own, &floats(theirs), tolerance);
        }
    }
    let names = ["two images", "large and odd"];
    if !checkpoint.model.decoder().reads_in_parts() {
        return;
    }
    for (own, name) in going_on_together(checkpoint, names, dtype).iter().zip(names) {
        assert_close(&format!("{family}, {key}, beginning of {name}"), own, &alone(name), tolerance);
    }
}

#[test]
fn wide_readers_equal_those_of_transformers() {
    let expected = expected();
    for family in FAMILIES {
        let described = &expected[family];
        let folder = write(family, described);
        for (dtype, tolerance) in [(DType::F32, tolerance()), (DType::BF16, tolerance_bf16(family))] {
            let checkpoint = load_from(folder.path(), None, dtype);
            assert_agrees(family, &checkpoint, described, dtype, tolerance);
        }
        // Beside f32, as f16 has the bits for it.
        let checkpoint = load_from(folder.path(), None, DType::F16);
        let own = last_logits(&checkpoint, "two images", DType::F16);
        let theirs = floats(&described["alone"]["f32"]["two images"]);
        assert_close(&format!("{family}, f16"), &own, &theirs, TOLERANCE_F16);
    }
}

/// A wrong rotation, window or norm changes the result by more than the tolerance: at least a hundred times in f32,
/// and twenty times in f16, which has separate kernels.
#[test]
fn a_fault_in_a_wide_reader_shows() {
    let expected = expected();
    for (family, field, value) in [
        ("qwen2_vl", "/text_config/rope_parameters/rope_theta", json!(10_000.0)),
        ("qwen2_5_vl", "/text_config/sliding_window", json!(12)),
        ("qwen3_vl", "/text_config/rms_norm_eps", json!(1e-2)),
        ("llava", "/vision_config/layer_norm_eps", json!(0.3)),
        ("smolvlm", "/text_config/rms_norm_eps", json!(1e-3)),
        ("gemma3", "/text_config/query_pre_attn_scalar", json!(128)),
        ("gemma3", "/text_config/sliding_window", json!(9)),
        ("smolvlm", "/vision_config/layer_norm_eps", json!(1e-2)),
    ] {
        let mut described = expected[family].clone();
        *described["config"].pointer_mut(field).unwrap() = value;
        let folder = write(family, &described);
        for (dtype, least) in [(DType::F32, 100.0 * TOLERANCE), (DType::F16, 20.0 * TOLERANCE_F16)] {
            let own = last_logits(&load_from(folder.path(), None, dtype), "two images", dtype);
            let difference = difference(&own, &floats(&described["alone"]["f32"]["two images"]));
            println!("{family}, {field}, {dtype:?}: {difference:.1e}");
            assert!(difference > least, "{family}, {dtype:?}: nothing shows of another {field}, {difference}");
        }
    }
}

/// Captions with a word left out, put together: the beginning that they share is read once, and no answer changes.
#[test]
fn variants_of_a_prompt_are_scored_like_each_alone() {
    let expected = expected();
    let task = Arc::new(closed_task("mass", "is there evidence of malignancy?", [("Yes", "Yes"), ("No", "No")]));
    let picture = |seed: u64| {
        Arc::new(Picture {
            path: format!("{seed}.png").into(),
            fingerprint: Fingerprint::of_bytes(&seed.to_le_bytes()),
            image: DynamicImage::ImageRgb8(noise_over_gradient(64, 48, seed)),
            window: None,
        })
    };
    let caption = "a hypoechoic mass with spiculated margins, biopsy benign";
    let (query, document) = (picture(1), picture(2));
    let request = |caption: String| ReadRequest {
        task: task.clone(),
        question: "is there evidence of malignancy?".into(),
        query: query.clone(),
        evidence: Some(Evidence { image: Some(document.clone()), caption: Some(caption) }),
    };
    let requests: Vec<ReadRequest> = parts_of(caption, 48).iter().map(|part| request(without(caption, part))).collect();
    for family in FAMILIES {
        let folder = write(family, &expected[family]);
        let mut reader = CandleReader::load(folder.path(), &Device::Cpu, DType::F32).unwrap();
        let together = reader.score_variants(&requests, &|| false).unwrap();
        for (request, together) in requests.iter().zip(&together) {
            let alone = reader.score(std::slice::from_ref(request), &|| false).unwrap().remove(0);
            assert_close(family, together.log_probabilities(), alone.log_probabilities(), TOLERANCE);
        }
    }
}

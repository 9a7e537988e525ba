//! Random tiny checkpoints of each family, prompts for them, and how near two answers are.

use crate::support::fixtures;
use crate::support::folders::copy_folder;
use crate::support::pictures::noise_over_gradient;
use candle_core::{DType, Device};
use dissent::model::decoder::{DecoderInput, DecoderRow, KvCache, TokenIndex};
use dissent::model::device::choose_device;
use dissent::model::reader_family::load_reader;
use dissent::model::vlm::{ContentPart, PreparedImage, ReaderCheckpoint};
use image::RgbImage;
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};

/// Largest difference of two logits as a share of the largest logit. Far below the 1e-3 asked for: a wrong rotation base,
/// a missing norm or a transposed weight changes them by more than 1e-2.
pub const TOLERANCE: f32 = 1e-5;
/// On a GPU, whose sums come in another order.
pub const TOLERANCE_ON_GPU: f32 = 1e-3;
pub const TOLERANCE_BF16: f32 = 2e-2;
pub const FAMILIES: [&str; 9] =
    ["qwen2_vl", "qwen2_5_vl", "qwen3_vl", "smolvlm", "gemma3", "internvl", "paligemma", "llava", "llava_mistral"];
pub const PROMPTS: [&str; 5] = ["one image", "two images", "no image", "large and odd", "small"];

pub fn fixture(family: &str) -> PathBuf {
    fixtures::path("readers").join(family)
}

pub fn load(family: &str) -> ReaderCheckpoint {
    load_from(&fixture(family).join("checkpoint"), None, DType::F32)
}

pub fn load_from(folder: &Path, adapter: Option<&Path>, dtype: DType) -> ReaderCheckpoint {
    load_reader(folder, adapter, &device(), dtype).unwrap()
}

/// With the feature `cuda` or `metal` the first GPU where there is one, else the CPU.
pub fn device() -> Device {
    choose_device("auto").unwrap().0
}

/// In f32.
pub fn tolerance() -> f32 {
    if device().is_cpu() { TOLERANCE } else { TOLERANCE_ON_GPU }
}

pub fn tolerance_bf16(family: &str) -> f32 {
    // Two ways of attention in transformers (sdpa and eager) differ by 2.4e-2 there, and below 1.6e-2 for Qwen2-VL.
    if family == "qwen3_vl" { 3e-2 } else { TOLERANCE_BF16 }
}

pub fn expected(family: &str) -> Value {
    serde_json::from_slice(&fs::read(fixture(family).join("expected.json")).unwrap()).unwrap()
}

/// A copy of a fixture's checkpoint to change.
pub fn copy(family: &str) -> tempfile::TempDir {
    copy_of(&fixture(family).join("checkpoint"))
}

pub fn copy_of(checkpoint: &Path) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    copy_folder(checkpoint, folder.path());
    folder
}

/// Part of a prompt of generate.py.
pub enum Part {
    Text(&'static str),
    Picture(RgbImage),
}

pub fn conversation(name: &str) -> Vec<Part> {
    use Part::{Picture, Text};
    match name {
        "one image" => vec![Picture(noise_over_gradient(64, 64, 1)), Text("is there evidence of malignancy?")],
        "two images" => vec![
            Picture(noise_over_gradient(140, 84, 2)),
            Text("background: a hypoechoic mass\n\n"),
            Picture(noise_over_gradient(33, 57, 3)),
            Text("is there evidence? ünï 肺"),
        ],
        "no image" => vec![Text("Yes or No")],
        "large and odd" => vec![
            Text("background\n"),
            Picture(noise_over_gradient(403, 220, 4)),
            Text("\n\n 12"),
            Picture(noise_over_gradient(27, 111, 5)),
            Text(" 0 1"),
        ],
        "small" => vec![Picture(noise_over_gradient(9, 5, 6)), Text("Yes?\n")],
        other => panic!("no conversation {other}"),
    }
}

/// Ids and images of a conversation.
pub fn prepare(checkpoint: &ReaderCheckpoint, name: &str) -> (Vec<u32>, Vec<PreparedImage>) {
    let parts = conversation(name);
    let mut images = Vec::new();
    let mut pieces = Vec::new();
    for part in &parts {
        match part {
            Part::Text(text) => pieces.push(ContentPart::Text(text)),
            Part::Picture(picture) => {
                let image = checkpoint.model.prepare(picture).unwrap();
                pieces.push(ContentPart::Image(image.grid));
                images.push(image);
            }
        }
    }
    (checkpoint.model.encode(&pieces).unwrap(), images)
}

pub fn row(checkpoint: &ReaderCheckpoint, name: &str, dtype: DType) -> DecoderRow {
    let (ids, mut images) = prepare(checkpoint, name);
    for image in &mut images {
        image.pixels = image.pixels.to_device(&device()).unwrap().to_dtype(dtype).unwrap();
    }
    DecoderRow { ids, features: checkpoint.model.vision_features(&images).unwrap() }
}

pub fn logits_at(
    checkpoint: &ReaderCheckpoint,
    input: &DecoderInput,
    cache: Option<&mut KvCache>,
    places: Option<&[TokenIndex]>,
) -> Vec<Vec<f32>> {
    let decoder = checkpoint.model.decoder();
    let decoded = decoder.decode(input, cache).unwrap();
    let last = decoded.last_tokens();
    let logits = decoder.logits(&decoded, places.unwrap_or(&last)).unwrap();
    logits.to_dtype(DType::F32).unwrap().to_vec2().unwrap()
}

/// Logits of a prompt's last token.
pub fn last_logits(checkpoint: &ReaderCheckpoint, name: &str, dtype: DType) -> Vec<f32> {
    logits_at(checkpoint, &DecoderInput::new(vec![row(checkpoint, name, dtype)]), None, None).remove(0)
}

pub fn floats(value: &Value) -> Vec<f32> {
    value.as_array().unwrap().iter().map(|number| number.as_f64().unwrap() as f32).collect()
}

/// Largest difference as a share of the largest value.
pub fn difference(left: &[f32], right: &[f32]) -> f32 {
    assert_eq!(left.len(), right.len());
    let largest = right.iter().map(|value| value.abs()).fold(f32::MIN_POSITIVE, f32::max);
    left.iter().zip(right).map(|(left, right)| (left - right).abs()).fold(0.0, f32::max) / largest
}

pub fn assert_close(what: &str, left: &[f32], right: &[f32], tolerance: f32) {
    let difference = difference(left, right);
    println!("{what}: {difference:.2e}");
    assert!(difference < tolerance, "{what}: difference {difference}");
}

/// Last logits of a prompt and tokens of an answer.
pub fn continued_logits(checkpoint: &ReaderCheckpoint, name: &str, answer: &[u32]) -> Vec<f32> {
    let mut whole = row(checkpoint, name, DType::F32);
    if checkpoint.model.decoder().reads_in_parts() {
        whole.ids.extend(answer);
        return logits_at(checkpoint, &DecoderInput::new(vec![whole]), None, None).remove(0);
    }
    // A prompt must not see the answer.
    let mut cache = KvCache::new();
    logits_at(checkpoint, &DecoderInput::new(vec![whole]), Some(&mut cache), None);
    let answer = DecoderInput::new(vec![DecoderRow::text(answer.to_vec())]);
    logits_at(checkpoint, &answer, Some(&mut cache), None).remove(0)
}

/// Last logits of prompts whose beginnings were read each by itself, of different lengths, and gone on from together.
pub fn going_on_together(checkpoint: &ReaderCheckpoint, names: [&str; 2], dtype: DType) -> Vec<Vec<f32>> {
    let (mut caches, mut rests) = (Vec::new(), Vec::new());
    for name in names {
        let whole = row(checkpoint, name, dtype);
        let split = checkpoint.model.decoder().second_image_of(&whole).unwrap();
        let features = whole.features.split_at(1);
        let beginning = DecoderRow { ids: whole.ids[..split].to_vec(), features: features.0.to_vec() };
        rests.push(DecoderRow { ids: whole.ids[split..].to_vec(), features: features.1.to_vec() });
        let mut cache = KvCache::new();
        logits_at(checkpoint, &DecoderInput::new(vec![beginning]), Some(&mut cache), None);
        caches.push(cache);
    }
    let mut joined = KvCache::join(&caches.iter().collect::<Vec<_>>()).unwrap();
    logits_at(checkpoint, &DecoderInput::new(rests), Some(&mut joined), None)
}

pub fn message(folder: &Path, adapter: Option<&Path>) -> String {
    let Err(error) = load_reader(folder, adapter, &Device::Cpu, DType::F32) else {
        panic!("{} was loaded", folder.display())
    };
    format!("{error:#}")
}

/// Changes the rotation that `config.json` in `folder` describes.
pub fn set_rotation(folder: &Path, parameters: &Value) {
    let path = folder.join("config.json");
    let mut config: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    config["text_config"]["rope_parameters"] = parameters.clone();
    fs::write(&path, config.to_string()).unwrap();
}

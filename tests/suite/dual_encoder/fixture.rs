//! Random small checkpoints in the layout of the published ones, and what the reference computes from them.

use crate::support::fixtures;
use crate::support::folders::copy_folder;
use candle_core::{DType, Device, Tensor};
use dissent::model::device::choose_device;
use dissent::model::dual_encoder::DualEncoder;
use image::RgbImage;
use serde_json::Value;
use std::path::{Path, PathBuf};

/// Folders of `tests/fixtures/dual_encoders` whose encoders embed images and texts.
pub const FAMILIES: [&str; 10] = [
    "siglip",
    "siglip2",
    "siglip2_naflex",
    "medsiglip",
    "open_clip",
    "open_clip_custom",
    "biomed_clip",
    "mobile_clip",
    "jina_clip",
    "jina_clip_v2",
];
/// Folders whose encoders embed images alone.
pub const OF_IMAGES: [&str; 2] = ["rad_dino", "dinov2"];

/// All folders.
pub fn all() -> impl Iterator<Item = &'static str> {
    FAMILIES.into_iter().chain(OF_IMAGES)
}

/// Folders whose image tower can be trained: MobileCLIP's has merged its norms.
pub fn trainable() -> impl Iterator<Item = &'static str> {
    all().filter(|name| *name != "mobile_clip")
}
const TOLERANCE: f32 = 1e-5;
/// For MobileCLIP: timm's own vectors in f32 are off by up to 2e-5 from those in f64, merged or not, and by 5e-6 here.
const TOLERANCE_OF_MOBILE_CLIP: f32 = 5e-5;
/// On a GPU, whose sums come in another order.
const TOLERANCE_ON_GPU: f32 = 1e-3;

pub fn fixture(name: &str) -> PathBuf {
    fixtures::path("dual_encoders").join(name)
}

/// With the feature `cuda` or `metal` the first GPU where there is one, else the CPU.
fn device() -> Device {
    choose_device("auto").unwrap().0
}

fn picture(value: &Value) -> RgbImage {
    let digits = value["rgb"].as_str().unwrap();
    let bytes = (0..digits.len()).step_by(2).map(|at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap()).collect();
    let side = |name: &str| value[name].as_u64().unwrap() as u32;
    RgbImage::from_raw(side("width"), side("height"), bytes).unwrap()
}

pub struct Loaded {
    pub encoder: DualEncoder,
    pub expected: Value,
    pictures: Vec<RgbImage>,
}

impl Loaded {
    pub fn new(name: &str) -> Self {
        let expected: Value =
            serde_json::from_slice(&std::fs::read(fixture(name).join("expected.json")).unwrap()).unwrap();
        let encoder = DualEncoder::load(&fixture(name), &device(), DType::F32).unwrap();
        let pictures = expected["pictures"].as_array().unwrap().iter().map(picture).collect();
        Self { encoder, expected, pictures }
    }

    pub fn pictures(&self) -> Vec<&RgbImage> {
        self.pictures.iter().collect()
    }

    pub fn texts(&self) -> Vec<&str> {
        self.expected["texts"].as_array().unwrap().iter().map(|text| text.as_str().unwrap()).collect()
    }

    /// The reference's unit vectors of all pictures and, where the encoder embeds them, of all texts.
    pub fn vectors(&self) -> Vec<Vec<f32>> {
        let texts = if self.encoder.embeds_texts() { self.rows("embedded_texts") } else { Vec::new() };
        [self.rows("images"), texts].concat()
    }

    /// The vectors of `encoder` for the same.
    pub fn found(&self, encoder: &DualEncoder) -> Vec<Vec<f32>> {
        let mut vectors = encoder.embed_pictures(&self.pictures()).unwrap();
        if encoder.embeds_texts() {
            vectors.extend(encoder.embed_texts(&self.texts()).unwrap());
        }
        vectors
    }

    pub fn rows(&self, field: &str) -> Vec<Vec<f32>> {
        serde_json::from_value(self.expected[field].clone()).unwrap()
    }
}

pub fn assert_close(found: &[f32], expected: &[f32], what: &str) {
    assert_eq!(found.len(), expected.len(), "{what}");
    let largest = found.iter().zip(expected).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    println!("{what}: largest difference {largest:e}");
    let tolerance = if !device().is_cpu() {
        TOLERANCE_ON_GPU
    } else if what.starts_with("mobile_clip") {
        TOLERANCE_OF_MOBILE_CLIP
    } else {
        TOLERANCE
    };
    assert!(largest < tolerance, "{what}: largest difference {largest}");
}

pub fn numbers(tensor: &Tensor) -> Vec<f32> {
    tensor.flatten_all().unwrap().to_vec1().unwrap()
}

/// A copy of a fixture in a folder of its own.
pub fn copy_of(name: &str, folder: &Path) -> PathBuf {
    let target = folder.join(name);
    copy_folder(&fixture(name), &target);
    target
}

/// The weight file of a folder.
pub fn weights_of(folder: &Path) -> PathBuf {
    let mut files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    files.find(|path| path.extension().is_some_and(|extension| extension == "safetensors")).unwrap()
}

/// The error message of loading the folder.
pub fn message(folder: &Path) -> String {
    match DualEncoder::load(folder, &Device::Cpu, DType::F32) {
        Ok(encoder) => panic!("{} was loaded from {}", encoder.name(), folder.display()),
        Err(error) => format!("{error:#}"),
    }
}

/// The error message of loading the folder contains all these parts.
pub fn assert_says(folder: &Path, parts: &[&str]) {
    let message = message(folder);
    for part in parts {
        assert!(message.contains(part), "{part:?} is not in {message}");
    }
}

/// Changes a JSON file of a folder.
pub fn rewrite(folder: &Path, file: &str, change: impl FnOnce(&mut Value)) {
    let mut value: Value = serde_json::from_slice(&std::fs::read(folder.join(file)).unwrap()).unwrap();
    change(&mut value);
    std::fs::write(folder.join(file), value.to_string()).unwrap();
}

//! CLIP against `transformers` on random tiny models (`tests/fixtures/clip/generate.py`).

use crate::support::fixtures;
use crate::support::folders::copy_folder;
use candle_core::{DType, Device, Tensor};
use dissent::model::checkpoint::Weights;
use dissent::model::clip::{ClipConfig, ClipModel};
use dissent::model::dual_encoder::{DualEncoder, ImageProcessor};
use dissent::model::layers::Mode;
use dissent::model::pillow_resize::{Filter, resize, resize_bicubic};
use dissent::model::tokenizer::Tokenizer;
use image::RgbImage;
use serde_json::Value;
use std::path::PathBuf;

const TOLERANCE: f32 = 1e-4;

fn fixture(name: &str) -> PathBuf {
    fixtures::path("clip").join(name)
}

fn json(name: &str) -> Value {
    serde_json::from_slice(&std::fs::read(fixture(name)).unwrap()).unwrap()
}

fn picture(value: &Value) -> RgbImage {
    let digits = value["rgb"].as_str().unwrap();
    let bytes = (0..digits.len()).step_by(2).map(|at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap()).collect();
    let side = |name: &str| value[name].as_u64().unwrap() as u32;
    RgbImage::from_raw(side("width"), side("height"), bytes).unwrap()
}

fn numbers(value: &Value) -> Vec<f32> {
    value.as_array().unwrap().iter().map(|number| number.as_f64().unwrap() as f32).collect()
}

fn assert_close(found: &Tensor, expected: &[f32], what: &str) {
    let found = found.flatten_all().unwrap().to_vec1::<f32>().unwrap();
    assert_eq!(found.len(), expected.len(), "{what}");
    let largest = found.iter().zip(expected).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    println!("{what}: largest difference {largest:e}");
    assert!(largest < TOLERANCE, "{what}: largest difference {largest}");
}

struct Loaded {
    model: ClipModel,
    config: ClipConfig,
    tokenizer: Tokenizer,
    processor: ImageProcessor,
    expected: Value,
    pictures: Vec<RgbImage>,
}

fn load(name: &str, mode: Mode) -> Loaded {
    let folder = fixture(name);
    let config = ClipConfig::read(&folder).unwrap();
    let text = &config.text_config;
    let tokenizer = Tokenizer::read(&folder, text.max_position_embeddings, text.pad_token_id).unwrap();
    let processor = ImageProcessor::read(&folder, &ImageProcessor::clip(224)).unwrap();
    let weights = Weights::read(&folder).unwrap().builder(DType::F32, &Device::Cpu);
    let model = ClipModel::new(&config, &weights, mode).unwrap();
    let expected = json(&format!("{name}/expected.json"));
    let pictures = expected["pictures"].as_array().unwrap().iter().map(picture).collect();
    Loaded { model, config, tokenizer, processor, expected, pictures }
}

fn texts(expected: &Value) -> Vec<&str> {
    expected["texts"].as_array().unwrap().iter().map(|text| text.as_str().unwrap()).collect()
}

#[test]
fn embeddings_equal_those_of_transformers() {
    for name in ["quick_gelu", "gelu"] {
        for mode in [Mode::Train, Mode::Infer] {
            let loaded = load(name, mode);
            let (model, expected) = (&loaded.model, &loaded.expected);
            let pictures: Vec<&RgbImage> = loaded.pictures.iter().collect();
            let pixels = loaded.processor.pixels(&pictures).unwrap();
            assert_close(&pixels.get(1).unwrap(), &numbers(&expected["first_pixels"]), "pixels");
            let features = model.image_features(&pixels).unwrap();
            for (row, values) in expected["image_features"].as_array().unwrap().iter().enumerate() {
                assert_close(&features.get(row).unwrap(), &numbers(values), "image");
            }

            let rows = loaded.tokenizer.encode(&texts(expected)).unwrap();
            let ids = loaded.tokenizer.pad(&rows, &Device::Cpu).unwrap();
            let expected_ids: Vec<Vec<u32>> = serde_json::from_value(expected["ids"].clone()).unwrap();
            assert_eq!(ids.to_vec2::<u32>().unwrap(), expected_ids);
            let features = model.text_features(&ids).unwrap();
            for (row, values) in expected["text_features"].as_array().unwrap().iter().enumerate() {
                assert_close(&features.get(row).unwrap(), &numbers(values), "text");
            }
        }
    }
}

#[test]
fn a_batch_equals_its_members() {
    let loaded = load("quick_gelu", Mode::Infer);
    let pictures: Vec<&RgbImage> = loaded.pictures.iter().collect();
    let together = loaded.model.image_features(&loaded.processor.pixels(&pictures).unwrap()).unwrap();
    for (row, picture) in pictures.iter().enumerate() {
        let alone = loaded.model.image_features(&loaded.processor.pixels(&[picture]).unwrap()).unwrap();
        let alone = alone.flatten_all().unwrap().to_vec1::<f32>().unwrap();
        assert_close(&together.get(row).unwrap(), &alone, "picture");
    }
    let rows = loaded.tokenizer.encode(&texts(&loaded.expected)).unwrap();
    assert!(rows.iter().any(|row| row.len() != rows[0].len()), "the batch must need padding");
    let together = loaded.model.text_features(&loaded.tokenizer.pad(&rows, &Device::Cpu).unwrap()).unwrap();
    for (number, row) in rows.iter().enumerate() {
        let ids = loaded.tokenizer.pad(std::slice::from_ref(row), &Device::Cpu).unwrap();
        let alone = loaded.model.text_features(&ids).unwrap().flatten_all().unwrap().to_vec1::<f32>().unwrap();
        assert_close(&together.get(number).unwrap(), &alone, "text");
    }
}

#[test]
fn the_dual_encoder_gives_the_same_directions_at_length_one() {
    let loaded = load("gelu", Mode::Infer);
    let encoder = DualEncoder::load(&fixture("gelu"), &Device::Cpu, DType::F32).unwrap();
    assert_eq!((encoder.name(), encoder.dimension()), ("gelu", loaded.config.projection_dim));
    let pictures: Vec<&RgbImage> = loaded.pictures.iter().collect();
    let pairs = [
        ("image_features", encoder.embed_pictures(&pictures).unwrap()),
        ("text_features", encoder.embed_texts(&texts(&loaded.expected)).unwrap()),
    ];
    for (field, vectors) in pairs {
        let expected = loaded.expected[field].as_array().unwrap();
        assert_eq!(vectors.len(), expected.len());
        for (vector, values) in vectors.iter().zip(expected) {
            let values = numbers(values);
            let length = values.iter().map(|value| value * value).sum::<f32>().sqrt();
            for (found, value) in vector.iter().zip(&values) {
                assert!((found - value / length).abs() < TOLERANCE, "{field}");
            }
        }
    }
    assert!(encoder.embed_pictures(&[]).unwrap().is_empty());
    assert!(encoder.embed_pictures(&[&RgbImage::new(0, 4)]).is_err());
}

#[test]
fn the_fingerprint_follows_every_file_that_decides_a_vector() {
    let folder = tempfile::tempdir().unwrap();
    copy_folder(&fixture("gelu"), folder.path());
    let load = || DualEncoder::load(folder.path(), &Device::Cpu, DType::F32).unwrap().fingerprint().clone();
    let before = load();
    assert_eq!(before, load());
    for file in ["config.json", "processor_config.json", "tokenizer.json", "tokenizer_config.json"] {
        let path = folder.path().join(file);
        let original = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, format!("{original} ")).unwrap();
        assert_ne!(before, load(), "{file}");
        std::fs::write(&path, original).unwrap();
    }
    assert_eq!(before, load());
}

#[test]
fn the_resize_is_pillows_to_the_bit() {
    let mut count = 0;
    for case in json("pillow.json").as_array().unwrap() {
        let source = picture(case);
        for target in case["resized"].as_array().unwrap() {
            let expected = picture(target);
            let found = resize_bicubic(&source, expected.width(), expected.height());
            assert!(found == expected, "{:?} to {:?}", source.dimensions(), expected.dimensions());
            count += 1;
        }
        let expected = picture(&case["bilinear"]);
        let found = resize(&source, Filter::Bilinear, expected.width(), expected.height());
        assert!(found == expected, "bilinear, {:?} to {:?}", source.dimensions(), expected.dimensions());
    }
    assert!(count >= 14, "{count} resizes");
}

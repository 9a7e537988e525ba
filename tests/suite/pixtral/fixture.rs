//! Pixtral against transformers on a random tiny checkpoint (tests/fixtures/pixtral/generate.py).

use crate::support::fixtures;
use crate::support::pictures::noise_over_gradient;
use candle_core::{DType, Device, Tensor};
use dissent::model::layers::Mode;
use dissent::model::pixtral::{
    ContentPart, Decoded, DecoderInput, DecoderRow, KvCache, PaddingSide, PixtralCheckpoint, PixtralConfig,
    PixtralModel, PreparedImage, TokenIndex, trainable_pixtral,
};
use image::RgbImage;
use serde_json::Value;
use std::path::PathBuf;

const TOLERANCE: f32 = 1e-4;

fn fixture() -> PathBuf {
    fixtures::path("pixtral")
}

fn load() -> PixtralCheckpoint {
    PixtralCheckpoint::load(&fixture().join("checkpoint"), &Device::Cpu, DType::F32).unwrap()
}

fn expected() -> Value {
    serde_json::from_slice(&std::fs::read(fixture().join("expected.json")).unwrap()).unwrap()
}

/// Part of a prompt of generate.py.
enum Part {
    Text(&'static str),
    Picture(RgbImage),
}

fn conversation(name: &str) -> Vec<Part> {
    match name {
        "one image" => {
            vec![Part::Picture(noise_over_gradient(64, 64, 1)), Part::Text("is there evidence of malignancy?")]
        }
        "two images" => vec![
            Part::Picture(noise_over_gradient(64, 48, 2)),
            Part::Text("background: a hypoechoic mass\n\n"),
            Part::Picture(noise_over_gradient(24, 40, 3)),
            Part::Text("is there evidence? ünï"),
        ],
        "no image" => vec![Part::Text("Yes or No")],
        "resized" => vec![
            Part::Picture(noise_over_gradient(203, 120, 4)),
            Part::Text("background"),
            Part::Picture(noise_over_gradient(33, 57, 5)),
            Part::Text("0 1"),
        ],
        other => panic!("no conversation {other}"),
    }
}

/// Ids and images of a conversation.
fn prepare(checkpoint: &PixtralCheckpoint, parts: &[Part]) -> (Vec<u32>, Vec<PreparedImage>) {
    let mut images = Vec::new();
    let mut pieces = Vec::new();
    for part in parts {
        match part {
            Part::Text(text) => pieces.push(ContentPart::Text(text)),
            Part::Picture(picture) => {
                let image = checkpoint.processor.prepare(picture).unwrap();
                pieces.push(ContentPart::Image(image.grid));
                images.push(image);
            }
        }
    }
    (checkpoint.processor.encode(&pieces).unwrap(), images)
}

fn row(checkpoint: &PixtralCheckpoint, model: &PixtralModel, name: &str) -> DecoderRow {
    let (ids, images) = prepare(checkpoint, &conversation(name));
    let pixels: Vec<Tensor> = images.into_iter().map(|image| image.pixels).collect();
    DecoderRow { ids, features: model.vision_features(&pixels).unwrap() }
}

fn floats(value: &Value) -> Vec<f32> {
    value.as_array().unwrap().iter().map(|number| number.as_f64().unwrap() as f32).collect()
}

fn largest_difference(left: &[f32], right: &[f32]) -> f32 {
    assert_eq!(left.len(), right.len());
    left.iter().zip(right).map(|(left, right)| (left - right).abs()).fold(0.0, f32::max)
}

fn assert_close(what: &str, left: &[f32], right: &[f32]) {
    let difference = largest_difference(left, right);
    assert!(difference < TOLERANCE, "{what}: difference {difference}");
}

fn last_logits(model: &PixtralModel, decoded: &Decoded) -> Vec<Vec<f32>> {
    model.logits(decoded, &decoded.last_tokens()).unwrap().to_vec2().unwrap()
}

fn assert_logits_match_transformers(checkpoint: &PixtralCheckpoint, model: &PixtralModel, name: &str) {
    let prompt = &expected()["prompts"][name];
    let decoded = model.decode(&DecoderInput::new(vec![row(checkpoint, model, name)]), None).unwrap();
    let places: Vec<TokenIndex> = prompt["places"].as_array().unwrap().iter().map(place_of).collect();
    let logits: Vec<Vec<f32>> = model.logits(&decoded, &places).unwrap().to_vec2().unwrap();
    for (own, theirs) in logits.iter().zip(prompt["logits"].as_array().unwrap()) {
        assert_close(name, own, &floats(theirs));
    }
}

fn place_of(index: &Value) -> TokenIndex {
    TokenIndex { row: 0, index: index.as_u64().unwrap() as usize }
}

#[test]
fn token_ids_equal_those_of_transformers() {
    let checkpoint = load();
    for (name, prompt) in expected()["prompts"].as_object().unwrap() {
        let theirs: Vec<u32> = prompt["ids"].as_array().unwrap().iter().map(|id| id.as_u64().unwrap() as u32).collect();
        assert_eq!(prepare(&checkpoint, &conversation(name)).0, theirs, "{name}");
    }
}

#[test]
fn logits_equal_those_of_transformers() {
    let checkpoint = load();
    for name in ["no image", "one image", "two images", "resized"] {
        assert_logits_match_transformers(&checkpoint, &checkpoint.model, name);
    }
}

#[test]
fn the_differentiable_form_computes_the_same() {
    let checkpoint = load();
    let variables = candle_nn::VarMap::new();
    let folder = fixture().join("checkpoint");
    let config = PixtralConfig::read(&folder).unwrap();
    let model = trainable_pixtral(&config, &variables, 1, Some(&folder), &Device::Cpu).unwrap();
    for name in ["no image", "one image", "two images"] {
        assert_logits_match_transformers(&checkpoint, &model, name);
    }
}

#[test]
fn resized_pixels_equal_those_of_transformers() {
    let checkpoint = load();
    let (_, images) = prepare(&checkpoint, &conversation("resized"));
    let expected = expected();
    for (image, theirs) in images.iter().zip(expected["resized_pixels"].as_array().unwrap()) {
        let size = [3, theirs["height"].as_u64().unwrap() as usize, theirs["width"].as_u64().unwrap() as usize];
        assert_eq!(image.pixels.dims(), size);
        let own = image.pixels.get(0).unwrap().get(0).unwrap().to_vec1::<f32>().unwrap();
        assert_close("first row", &own, &floats(&theirs["first_row"]));
    }
}

#[test]
fn a_padded_batch_equals_its_rows() {
    let checkpoint = load();
    let model = &checkpoint.model;
    let expected = expected();
    let names: Vec<&str> =
        expected["batch"]["rows"].as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect();
    for padding in [PaddingSide::Left, PaddingSide::Right] {
        let rows = names.iter().map(|name| row(&checkpoint, model, name)).collect();
        let decoded = model.decode(&DecoderInput { rows, padding }, None).unwrap();
        let logits = last_logits(model, &decoded);
        for (own, theirs) in logits.iter().zip(expected["batch"]["logits"].as_array().unwrap()) {
            assert_close(&format!("{padding:?}"), own, &floats(theirs));
        }
    }
}

#[test]
fn steps_with_the_cache_equal_reading_at_once() {
    let checkpoint = load();
    let model = &checkpoint.model;
    let whole = row(&checkpoint, model, "two images");
    let decoded = model.decode(&DecoderInput::new(vec![whole.clone()]), None).unwrap();
    let places: Vec<TokenIndex> = (0..whole.ids.len()).map(|index| TokenIndex { row: 0, index }).collect();
    let at_once: Vec<Vec<f32>> = model.logits(&decoded, &places).unwrap().to_vec2().unwrap();

    let image_token = model.config().image_token;
    let patches = Tensor::cat(&whole.features, 0).unwrap();
    let mut cache = KvCache::new();
    let mut next_patch = 0;
    for (index, id) in whole.ids.iter().enumerate() {
        let mut step = DecoderRow::text(vec![*id]);
        if *id == image_token {
            step.features.push(patches.narrow(0, next_patch, 1).unwrap());
            next_patch += 1;
        }
        let decoded = model.decode(&DecoderInput::new(vec![step]), Some(&mut cache)).unwrap();
        assert_close(&format!("token {index}"), &last_logits(model, &decoded)[0], &at_once[index]);
    }
    assert_eq!(cache.length(0), whole.ids.len());
}

#[test]
fn a_padded_batch_continues_as_its_rows_would() {
    let checkpoint = load();
    let model = &checkpoint.model;
    let continuations = [vec![20, 21, 22], vec![30, 31], vec![40]];
    let names = ["one image", "no image", "two images"];
    let mut alone = Vec::new();
    for (name, continuation) in names.iter().zip(&continuations) {
        let mut whole = row(&checkpoint, model, name);
        whole.ids.extend(continuation);
        let decoded = model.decode(&DecoderInput::new(vec![whole]), None).unwrap();
        alone.push(last_logits(model, &decoded).remove(0));
    }
    for padding in [PaddingSide::Left, PaddingSide::Right] {
        let mut cache = KvCache::new();
        let rows = names.iter().map(|name| row(&checkpoint, model, name)).collect();
        model.decode(&DecoderInput { rows, padding }, Some(&mut cache)).unwrap();
        // The rows in another order, one of them twice.
        let order = [2, 0, 1, 0];
        let mut cache = cache.select(&order).unwrap();
        let rows = order.iter().map(|row| DecoderRow::text(continuations[*row].clone())).collect();
        let decoded = model.decode(&DecoderInput { rows, padding }, Some(&mut cache)).unwrap();
        for (logits, row) in last_logits(model, &decoded).iter().zip(order) {
            assert_close(&format!("{padding:?}, {}", names[row]), logits, &alone[row]);
        }
    }
}

#[test]
fn images_of_one_size_go_through_the_tower_together() {
    let checkpoint = load();
    let model = &checkpoint.model;
    let pixels =
        |width, height, seed| checkpoint.processor.prepare(&noise_over_gradient(width, height, seed)).unwrap().pixels;
    let images = [pixels(64, 64, 1), pixels(24, 40, 2), pixels(64, 64, 3)];
    let together = model.vision_features(&images).unwrap();
    for (image, features) in images.iter().zip(&together) {
        let alone = model.vision_features(std::slice::from_ref(image)).unwrap().remove(0);
        assert_eq!(alone.dims(), features.dims());
        let flat = |tensor: &Tensor| tensor.flatten_all().unwrap().to_vec1::<f32>().unwrap();
        assert_close("features", &flat(features), &flat(&alone));
    }
}

#[test]
fn both_forms_agree_on_a_model_of_our_own() {
    let variables = candle_nn::VarMap::new();
    let config = PixtralConfig::small(300);
    let train = trainable_pixtral(&config, &variables, 5, None, &Device::Cpu).unwrap();
    let builder = candle_nn::VarBuilder::from_varmap(&variables, DType::F32, &Device::Cpu);
    let infer = PixtralModel::new(&config, &builder, Mode::Infer).unwrap();
    let pixels = Tensor::randn(0.0_f32, 1.0, (3, 64, 64), &Device::Cpu).unwrap();
    let mut ids = vec![1, 3];
    ids.extend([5; 64]);
    ids.extend([8, 40, 41, 4]);
    let mut logits = Vec::new();
    for model in [&train, &infer] {
        let features = model.vision_features(std::slice::from_ref(&pixels)).unwrap();
        let rows = vec![DecoderRow { ids: ids.clone(), features }, DecoderRow::text(vec![1, 3, 50, 4])];
        for padding in [PaddingSide::Left, PaddingSide::Right] {
            let decoded = model.decode(&DecoderInput { rows: rows.clone(), padding }, None).unwrap();
            logits.push(last_logits(model, &decoded).concat());
        }
    }
    for other in &logits[1..] {
        assert_close("form and padding", &logits[0], other);
    }
}

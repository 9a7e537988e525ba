//! A dual encoder that we save is whole, repeatable and loads again; a damaged one says what is wrong.

use candle_core::{DType, Device, Tensor};
use candle_nn::VarMap;
use dissent::model::checkpoint::{CheckpointError, StoredType, Weights, pretty_json, save_checkpoint, variables_of};
use dissent::model::clip::{ClipConfig, ClipModel};
use dissent::model::dual_encoder::{DualEncoder, ImageProcessor};
use dissent::model::initialise::seeded_builder;
use dissent::model::layers::Mode;
use dissent::model::tokenizer::{TokenizerPlan, build_tokenizer_files};
use image::RgbImage;
use serde_json::json;
use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::path::Path;

const CAPTIONS: [&str; 3] = ["small round lesion, biopsy benign", "large spiculated lesion", "left, deep"];
const TEXTS: [&str; 3] = ["small lesion", "LARGE spiculated zebra!", ""];

/// A fresh small model in `folder`; its variables.
fn save(folder: &Path, stored_type: StoredType) -> VarMap {
    let plan = TokenizerPlan { largest_vocabulary: 500, least_count: 1, longest_text: 77 };
    let (mut files, size) = build_tokenizer_files(CAPTIONS, plan).unwrap();
    let processor = ImageProcessor::clip(64);
    files.insert("preprocessor_config.json".to_string(), pretty_json(&processor.to_json()).unwrap());
    let config = ClipConfig::small(size);
    let variables = VarMap::new();
    let vars = seeded_builder(&variables, 11, DType::F32, &Device::Cpu);
    ClipModel::new(&config, &vars, Mode::Train).unwrap();
    save_checkpoint(folder, &variables_of(&variables), &config.to_json(), &files, stored_type).unwrap();
    variables
}

fn picture() -> RgbImage {
    RgbImage::from_fn(80, 70, |x, y| image::Rgb([(3 * x) as u8, (3 * y) as u8, (x * y % 251) as u8]))
}

fn load(folder: &Path) -> anyhow::Result<DualEncoder> {
    DualEncoder::load(folder, &Device::Cpu, DType::F32)
}

fn message(folder: &Path) -> String {
    format!("{:#}", load(folder).unwrap_err())
}

#[test]
fn saved_and_loaded_is_the_same_in_every_type() {
    let folder = tempfile::tempdir().unwrap();
    let mut vectors = Vec::new();
    for (name, stored_type) in [("f32", StoredType::F32), ("f16", StoredType::F16), ("bf16", StoredType::Bf16)] {
        let path = folder.path().join(name);
        save(&path, stored_type);
        let encoder = load(&path).unwrap();
        assert_eq!((encoder.name(), encoder.dimension()), (name, 64));
        let vector = encoder.embed_pictures(&[&picture()]).unwrap().remove(0);
        assert!((vector.iter().map(|value| value * value).sum::<f32>() - 1.0).abs() < 1e-5);
        assert_eq!(encoder.embed_texts(&TEXTS).unwrap().len(), 3);
        vectors.push(vector);
    }
    for other in &vectors[1..] {
        let cosine: f32 = vectors[0].iter().zip(other).map(|(a, b)| a * b).sum();
        assert!(cosine > 0.999, "{cosine}");
    }
    let size = |name: &str| fs::metadata(folder.path().join(name).join("model.safetensors")).unwrap().len();
    assert!(size("f16") < size("f32") * 11 / 20);
}

#[test]
fn half_types_compute_nearly_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model");
    save(&path, StoredType::F32);
    let vectors = [DType::F32, DType::F16, DType::BF16].map(|dtype| {
        let encoder = DualEncoder::load(&path, &Device::Cpu, dtype).unwrap();
        let mut vectors = encoder.embed_pictures(&[&picture()]).unwrap();
        vectors.extend(encoder.embed_texts(&TEXTS).unwrap());
        vectors
    });
    for half in &vectors[1..] {
        for (exact, rounded) in vectors[0].iter().zip(half) {
            let cosine: f32 = exact.iter().zip(rounded).map(|(a, b)| a * b).sum();
            assert!(cosine > 0.99, "{cosine}");
        }
    }
}

#[test]
fn the_same_model_gives_the_same_bytes_and_replaces_the_old_folder() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model");
    let read = || {
        let mut files: Vec<_> = fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.sort();
        files.iter().map(|file| fs::read(file).unwrap()).collect::<Vec<_>>()
    };
    save(&path, StoredType::F16);
    let first = read();
    fs::write(path.join("stale.txt"), "from an older model").unwrap();
    save(&path, StoredType::F16);
    assert_eq!(first, read());
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left aside");
}

#[test]
fn a_checkpoint_loads_into_variables_for_fine_tuning() {
    let folder = tempfile::tempdir().unwrap();
    let saved = save(folder.path().join("model").as_path(), StoredType::F32);
    let weights = Weights::read(&folder.path().join("model")).unwrap();
    let config = ClipConfig::read(&folder.path().join("model")).unwrap();
    let fresh = VarMap::new();
    ClipModel::new(&config, &seeded_builder(&fresh, 99, DType::F32, &Device::Cpu), Mode::Train).unwrap();
    weights.load_into(&fresh).unwrap();
    let (saved, fresh) = (variables_of(&saved), variables_of(&fresh));
    assert_eq!(saved.len(), fresh.len());
    for (name, tensor) in saved {
        let difference = (tensor - &fresh[&name]).unwrap().abs().unwrap().sum_all().unwrap();
        assert_eq!(difference.to_scalar::<f32>().unwrap(), 0.0, "{name}");
    }
}

#[test]
fn a_missing_file_is_named_with_its_purpose() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model");
    assert!(message(&path).contains("no model folder"), "{}", message(&path));
    let needed = [
        ("config.json", "it describes the model"),
        ("preprocessor_config.json", "it describes the image processor"),
        ("tokenizer.json", "it turns text into token numbers"),
        ("model.safetensors", "it contains the weights"),
    ];
    for (file, purpose) in needed {
        save(&path, StoredType::F32);
        fs::remove_file(path.join(file)).unwrap();
        let message = message(&path);
        assert!(message.contains(&format!("{file} is missing")) && message.contains(purpose), "{message}");
        let error = load(&path).unwrap_err();
        assert!(matches!(error.downcast_ref(), Some(CheckpointError::FileMissing { .. })), "{error:?}");
    }
}

#[test]
fn a_torn_file_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model");
    for file in ["config.json", "preprocessor_config.json", "tokenizer.json", "model.safetensors"] {
        save(&path, StoredType::F32);
        let content = fs::read(path.join(file)).unwrap();
        fs::write(path.join(file), &content[..content.len() / 2]).unwrap();
        let message = message(&path);
        assert!(message.contains(&*path.join(file).to_string_lossy()), "{message}");
        assert!(message.contains("not valid JSON") || message.contains("not a complete safetensors file"), "{message}");
    }
}

/// Saves a model with `change` made to its tensors; what loading says.
fn message_after(change: impl Fn(&mut BTreeMap<String, Tensor>)) -> String {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model");
    let mut tensors = variables_of(&save(&path, StoredType::F32));
    change(&mut tensors);
    let bytes = safetensors::serialize(tensors.iter(), None).unwrap();
    fs::write(path.join("model.safetensors"), bytes).unwrap();
    message(&path)
}

#[test]
fn a_wrong_tensor_is_named_with_file_and_shapes() {
    let name = "visual_projection.weight";
    let missing = message_after(|tensors| {
        tensors.remove(name);
    });
    assert!(missing.contains("model.safetensors: tensor visual_projection.weight is missing"), "{missing}");
    let shape = message_after(|tensors| {
        tensors.insert(name.to_string(), Tensor::zeros((64, 95), DType::F32, &Device::Cpu).unwrap());
    });
    let expected = "tensor visual_projection.weight has shape [64, 95], the configuration requires [64, 96]";
    assert!(shape.contains(expected), "{shape}");
    for bad in [f32::NAN, f32::INFINITY] {
        let value = message_after(|tensors| {
            let mut values = vec![0.5_f32; 64 * 96];
            values[7] = bad;
            tensors.insert(name.to_string(), Tensor::from_vec(values, (64, 96), &Device::Cpu).unwrap());
        });
        assert!(value.contains("visual_projection.weight has a NaN or infinite value"), "{value}");
        assert!(value.contains("element 7"), "{value}");
    }
    let kind = message_after(|tensors| {
        tensors.insert(name.to_string(), Tensor::zeros((64, 96), DType::U32, &Device::Cpu).unwrap());
    });
    assert!(kind.contains("holds u32, expected f32, f16 or bf16"), "{kind}");
}

#[test]
fn fine_tuning_from_another_shape_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model");
    save(&path, StoredType::F32);
    let mut config = ClipConfig::read(&path).unwrap();
    config.projection_dim = 32;
    let variables = VarMap::new();
    ClipModel::new(&config, &seeded_builder(&variables, 1, DType::F32, &Device::Cpu), Mode::Train).unwrap();
    let sum = || {
        let mut sum = 0.0;
        for tensor in variables_of(&variables).values() {
            sum += tensor.abs().unwrap().sum_all().unwrap().to_scalar::<f32>().unwrap();
        }
        sum
    };
    let before = sum();
    let error = Weights::read(&path).unwrap().load_into(&variables).unwrap_err();
    assert!(matches!(error.downcast_ref(), Some(CheckpointError::WrongShape { .. })), "{error:?}");
    // Sums over a hash map differ in their order only.
    assert!((sum() - before).abs() < 1e-3 * before);
}

#[test]
fn settings_that_do_not_fit_are_named() {
    let cases = [
        (
            "config.json",
            json!({"model_type": "resnet"}),
            "field model_type: expected a known dual encoder, found \"resnet\"",
        ),
        (
            "config.json",
            json!({"model_type": "clip", "vision_config": {"hidden_size": 10, "num_attention_heads": 4}}),
            "vision_config: hidden_size 10 is not a multiple of num_attention_heads 4",
        ),
        (
            "config.json",
            json!({"model_type": "clip", "text_config": {"hidden_act": "tanh"}}),
            "unknown variant `tanh`, expected one of `quick_gelu`, `gelu`",
        ),
        (
            "config.json",
            json!({"model_type": "clip", "vision_config": {"image_size": 16, "patch_size": 32}}),
            "patch_size 32 does not fit into image_size 16",
        ),
        (
            "preprocessor_config.json",
            json!({"resample": 1}),
            "field resample: expected 3 (bicubic) or 2 (bilinear), found 1",
        ),
        ("tokenizer_config.json", json!({"pad_token": "[PAD]"}), "padding token '[PAD]' is not in the vocabulary"),
        ("tokenizer.json", json!({"model": {"type": "Nothing"}}), "not a tokenizer"),
    ];
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model");
    for (file, content, expected) in cases {
        save(&path, StoredType::F32);
        fs::write(path.join(file), content.to_string()).unwrap();
        let message = message(&path);
        assert!(message.contains(expected), "{message}");
    }
}

#[test]
fn shards_are_read_through_their_index() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model");
    let tensors = variables_of(&save(&path, StoredType::F32));
    let whole = load(&path).unwrap().embed_pictures(&[&picture()]).unwrap();
    fs::remove_file(path.join("model.safetensors")).unwrap();
    let mut map = serde_json::Map::new();
    let mut shards = [HashMap::new(), HashMap::new()];
    for (number, (name, tensor)) in tensors.iter().enumerate() {
        map.insert(name.clone(), json!(format!("model-{}.safetensors", number % 2)));
        shards[number % 2].insert(name.clone(), tensor.clone());
    }
    for (number, shard) in shards.iter().enumerate() {
        let bytes = safetensors::serialize(shard.iter(), None).unwrap();
        fs::write(path.join(format!("model-{number}.safetensors")), bytes).unwrap();
    }
    let index = path.join("model.safetensors.index.json");
    fs::write(&index, json!({ "weight_map": map }).to_string()).unwrap();
    assert_eq!(load(&path).unwrap().embed_pictures(&[&picture()]).unwrap(), whole);
    fs::write(&index, "{}").unwrap();
    assert!(message(&path).contains("field weight_map: expected an object"), "{}", message(&path));
}

/// With `DISSENT_KEEP=FOLDER` the model stays in FOLDER for `tests/fixtures/clip/check_saved.py`.
#[test]
fn the_saved_model_embeds_as_the_check_script_expects() {
    let temporary = tempfile::tempdir().unwrap();
    let kept = std::env::var_os("DISSENT_KEEP").map(std::path::PathBuf::from);
    let folder = kept.as_deref().unwrap_or(temporary.path());
    save(&folder.join("model"), StoredType::F16);
    let encoder = load(&folder.join("model")).unwrap();
    picture().save(folder.join("picture.png")).unwrap();
    let rows = encoder.tokenizer().unwrap().encode(&TEXTS).unwrap();
    let ids = encoder.tokenizer().unwrap().pad(&rows, &Device::Cpu).unwrap();
    let expected = json!({
        "texts": TEXTS,
        "ids": ids.to_vec2::<u32>().unwrap(),
        "image": encoder.embed_pictures(&[&picture()]).unwrap(),
        "texts_embedded": encoder.embed_texts(&TEXTS).unwrap(),
    });
    fs::write(folder.join("expected.json"), expected.to_string()).unwrap();
    assert_eq!(rows[2], [2, 3], "an empty text is its marks alone");
    assert!(rows[1].len() > rows[0].len(), "an unknown word falls apart");
}

//! Checkpoints with something wrong: the file, the tensor or the field is named before anything is predicted.

use crate::support::world::{World, outcome_of};
use candle_core::{Device, Tensor};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::fs;
use std::path::Path;

const MODELS: [&str; 2] = ["dual-encoder", "reader"];

/// The files that a checkpoint cannot do without.
fn files_of(model: &str) -> [&'static str; 4] {
    let processor = if model == "reader" { "processor_config.json" } else { "preprocessor_config.json" };
    ["tokenizer.json", "config.json", "model.safetensors", processor]
}

/// Changes the tensors of a checkpoint; the change is told the first name of a matrix, which is returned.
fn change_tensors(folder: &Path, change: impl Fn(&mut HashMap<String, Tensor>, &str)) -> String {
    let path = folder.join("model.safetensors");
    let mut tensors = candle_core::safetensors::load(&path, &Device::Cpu).unwrap();
    let names = tensors.iter().filter(|(_, tensor)| tensor.rank() == 2).map(|(name, _)| name.clone());
    let name = names.min().unwrap();
    change(&mut tensors, &name);
    candle_core::safetensors::save(&tensors, path).unwrap();
    name
}

fn cut_to_one_row(tensors: &mut HashMap<String, Tensor>, name: &str) {
    let row = tensors[name].narrow(0, 0, 1).unwrap().contiguous().unwrap();
    tensors.insert(name.to_owned(), row);
}

/// Like [`change_tensors`], for a model of the world; `predict` must name the model, the tensor and the `reason`.
fn assert_named(model: &str, reason: &str, change: impl Fn(&mut HashMap<String, Tensor>, &str)) {
    let world = World::new();
    let name = change_tensors(&world.path("checkpoints").join(model), change);
    world.predict().fails_with(&[model, &name, reason]);
}

#[test]
fn weights_that_are_not_numbers_are_named() {
    for model in MODELS {
        assert_named(model, "", |tensors, name| {
            let weight = &tensors[name];
            let nan = (weight.zeros_like().unwrap().to_dtype(candle_core::DType::F32).unwrap() / 0.0).unwrap();
            let nan = nan.to_dtype(weight.dtype()).unwrap();
            tensors.insert(name.to_owned(), nan);
        });
    }
}

#[test]
fn a_tensor_of_another_shape_is_named() {
    for model in MODELS {
        assert_named(model, "shape", cut_to_one_row);
    }
}

#[test]
fn a_missing_tensor_is_named() {
    for model in MODELS {
        assert_named(model, "", |tensors, name| {
            tensors.remove(name);
        });
    }
}

#[test]
fn a_missing_file_is_named() {
    for model in MODELS {
        for file in files_of(model) {
            let world = World::new();
            fs::remove_file(world.path("checkpoints").join(model).join(file)).unwrap();
            world.predict().fails_with(&[model, file]);
        }
    }
}

#[test]
fn a_file_that_was_cut_short_is_named() {
    for model in MODELS {
        for file in files_of(model) {
            let world = World::new();
            let path = world.path("checkpoints").join(model).join(file);
            let whole = fs::read(&path).unwrap();
            fs::write(&path, &whole[..whole.len() * 2 / 3]).unwrap();
            world.predict().fails_with(&[model, file]);
            fs::write(&path, b"").unwrap();
            world.predict().fails_with(&[model, file]);
        }
    }
}

/// Changes a JSON file of a checkpoint.
fn change_json(path: &Path, change: impl FnOnce(&mut Value)) {
    let mut value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
    change(&mut value);
    fs::write(path, value.to_string()).unwrap();
}

#[test]
fn tokens_that_the_encoder_does_not_know_are_named_with_their_field() {
    let bert = json!({ "type": "BertProcessing", "sep": ["y", 999_999], "cls": ["x", 2] });
    let roberta = json!({
        "type": "RobertaProcessing", "sep": ["y", 3], "cls": ["x", 999_999], "trim_offsets": true, "add_prefix_space": true,
    });
    let template = json!({
        "type": "TemplateProcessing", "pair": [], "single": [
            { "Sequence": { "id": "A", "type_id": 0 } }, { "SpecialToken": { "id": "x", "type_id": 0 } },
        ],
        "special_tokens": { "x": { "id": "x", "ids": [999_999], "tokens": ["x"] } },
    });
    for processor in [bert, roberta, template] {
        let world = World::new();
        let folder = world.path("checkpoints/dual-encoder");
        change_json(&folder.join("tokenizer.json"), |tokenizer| tokenizer["post_processor"] = processor.clone());
        world.index().fails_with(&["tokenizer.json: post_processor", "token"]);
    }
    let world = World::new();
    let folder = world.path("checkpoints/dual-encoder");
    change_json(&folder.join("tokenizer_config.json"), |config| config["pad_token"] = Value::Null);
    change_json(&folder.join("config.json"), |config| config["text_config"]["pad_token_id"] = json!(999_999));
    world.index().fails_with(&["tokenizer.json: padding: token id 999999 is outside the model's vocabulary"]);
}

#[test]
fn a_text_without_its_end_token_is_found_when_the_encoder_is_loaded() {
    let world = World::new();
    let folder = world.path("checkpoints/dual-encoder");
    change_json(&folder.join("tokenizer.json"), |tokenizer| tokenizer["post_processor"] = Value::Null);
    world.index().fails_with(&["cannot load the dual encoder", "tokenizer.json: post_processor: expected token 3"]);
}

#[test]
fn a_tokenizer_without_a_token_for_unknown_words_is_named_by_field() {
    let world = World::new();
    let folder = world.path("checkpoints/dual-encoder");
    change_json(&folder.join("tokenizer.json"), |tokenizer| tokenizer["model"]["unk_token"] = json!("[UNK]"));
    world.index().fails_with(&["tokenizer.json: not a tokenizer: model, unk_token: expected a token of vocab"]);
}

#[test]
fn a_panic_of_the_tokenizers_library_is_one_error() {
    let world = World::new();
    let step = json!({ "type": "Replace", "pattern": { "Regex": "" }, "content": "a" });
    let path = world.path("checkpoints/reader/tokenizer.json");
    change_json(&path, |tokenizer| tokenizer["normalizer"] = step);
    let outcome = world.predict();
    outcome.fails_with(&["reader/tokenizer.json: not a tokenizer: the tokenizers library panicked (index out of"]);
    assert!(!outcome.stderr.contains("internal error"), "{outcome:#?}");
}

#[test]
fn errors_have_no_backtrace() {
    let world = World::new();
    let folder = world.path("checkpoints/dual-encoder");
    change_tensors(&folder, cut_to_one_row);
    let mut command = world.command(&["index", "DATASET", "--device", "cpu"]);
    let outcome = outcome_of(command.env("RUST_BACKTRACE", "1"));
    outcome.fails_with(&["shape"]);
    assert!(!outcome.stderr.contains("candle_core::") && !outcome.stderr.contains("   0: "), "{outcome:#?}");
}

#[test]
fn a_missing_model_says_how_to_get_one() {
    let world = World::new();
    for (variable, model, flag) in
        [("DISSENT_ENCODER", "dual-encoder", "--encoder DIR"), ("DISSENT_READER", "reader", "--reader DIR")]
    {
        let mut command = world.command(&["predict", "DATASET", "--run", "r", "--device", "cpu"]);
        outcome_of(command.env_remove(variable)).fails_with(&[&format!("dissent train {model}"), flag]);
        let nowhere = world.path("nowhere");
        outcome_of(command.env(variable, &nowhere)).fails_with(&["nowhere", "no such folder"]);
    }
    let mut command = world.command(&["index", "DATASET", "--device", "cpu"]);
    outcome_of(command.env_remove("DISSENT_ENCODER")).fails_with(&["dissent train dual-encoder", "--encoder DIR"]);
}

#[test]
fn models_in_each_others_place_are_refused() {
    let world = World::new();
    let (encoder, reader, aside) =
        (world.path("checkpoints/dual-encoder"), world.path("checkpoints/reader"), world.path("aside"));
    fs::rename(&encoder, &aside).unwrap();
    fs::rename(&reader, &encoder).unwrap();
    fs::rename(&aside, &reader).unwrap();
    world.predict().fails_with(&["config.json: "]);
}

#[test]
fn a_device_that_is_not_there_is_refused() {
    let world = World::new();
    let outcome = world.dissent(&["predict", "DATASET", "--run", "r", "--device", "abacus"]);
    outcome.fails_with(&["abacus", "cpu"]);
}

//! Checkpoints with something wrong: the file, the tensor or the field is named before anything is predicted.

use crate::world::{World, outcome_of};
use candle_core::{Device, Tensor};
use std::collections::HashMap;
use std::fs;
use std::path::Path;

const MODELS: [&str; 2] = ["dual-encoder", "reader"];

/// The files that a checkpoint cannot do without.
fn files_of(model: &str) -> [&'static str; 4] {
    let processor = if model == "reader" { "processor_config.json" } else { "preprocessor_config.json" };
    ["tokenizer.json", "config.json", "model.safetensors", processor]
}

/// Changes the tensors of a checkpoint.
fn change_tensors(folder: &Path, change: impl Fn(&mut HashMap<String, Tensor>)) {
    let path = folder.join("model.safetensors");
    let mut tensors = candle_core::safetensors::load(&path, &Device::Cpu).unwrap();
    change(&mut tensors);
    candle_core::safetensors::save(&tensors, path).unwrap();
}

/// The first weight of the checkpoint by name with at least two dimensions.
fn some_weight(tensors: &HashMap<String, Tensor>) -> String {
    let names = tensors.iter().filter(|(_, tensor)| tensor.rank() == 2).map(|(name, _)| name.clone());
    names.min().unwrap()
}

#[test]
fn weights_that_are_not_numbers_are_named() {
    for model in MODELS {
        let world = World::new();
        let folder = world.path("checkpoints").join(model);
        let name =
            some_weight(&candle_core::safetensors::load(folder.join("model.safetensors"), &Device::Cpu).unwrap());
        change_tensors(&folder, |tensors| {
            let weight = &tensors[&name];
            let nan = (weight.zeros_like().unwrap().to_dtype(candle_core::DType::F32).unwrap() / 0.0).unwrap();
            let nan = nan.to_dtype(weight.dtype()).unwrap();
            tensors.insert(name.clone(), nan);
        });
        world.predict().fails_with(&[model, &name]);
    }
}

#[test]
fn a_tensor_of_another_shape_is_named() {
    for model in MODELS {
        let world = World::new();
        let folder = world.path("checkpoints").join(model);
        let name =
            some_weight(&candle_core::safetensors::load(folder.join("model.safetensors"), &Device::Cpu).unwrap());
        change_tensors(&folder, |tensors| {
            let weight = tensors[&name].narrow(0, 0, 1).unwrap().contiguous().unwrap();
            tensors.insert(name.clone(), weight);
        });
        world.predict().fails_with(&[model, &name, "shape"]);
    }
}

#[test]
fn a_missing_tensor_is_named() {
    for model in MODELS {
        let world = World::new();
        let folder = world.path("checkpoints").join(model);
        let name =
            some_weight(&candle_core::safetensors::load(folder.join("model.safetensors"), &Device::Cpu).unwrap());
        change_tensors(&folder, |tensors| {
            tensors.remove(&name);
        });
        world.predict().fails_with(&[model, &name]);
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

//! What only InternVL has.

use super::refusals::{rewrite, save};
use super::world::{copy, last_logits, load, load_from, message};
use crate::support::pictures::noise_over_gradient;
use candle_core::{DType, Device};
use std::collections::HashMap;

/// Files have the names of transformers 4; those of its version 5 in memory, which adapters have, are the same model.
#[test]
fn names_of_transformers_5_are_the_same_model() {
    let folder = copy("internvl");
    let path = folder.path().join("model.safetensors");
    let stored = candle_core::safetensors::load(&path, &Device::Cpu).unwrap();
    assert!(stored.contains_key("language_model.model.layers.0.mlp.up_proj.weight"));
    let renamed: HashMap<_, _> = stored
        .into_iter()
        .map(|(name, tensor)| match name.strip_prefix("language_model.lm_head") {
            Some(rest) => (format!("lm_head{rest}"), tensor),
            None => (format!("model.{}", name.replace("language_model.model.", "language_model.")), tensor),
        })
        .collect();
    assert!(renamed.contains_key("model.language_model.layers.0.mlp.up_proj.weight"));
    save(&path, &renamed);
    let own = load_from(folder.path(), None, DType::F32);
    assert_eq!(last_logits(&own, "two images", DType::F32), last_logits(&load("internvl"), "two images", DType::F32));
}

/// Some published files say nothing of the output matrix; where it is stored, it counts.
#[test]
fn a_stored_output_matrix_counts_if_the_file_does_not_say_it() {
    let folder = copy("internvl");
    rewrite(folder.path(), "config.json", |config| {
        config.as_object_mut().unwrap().remove("tie_word_embeddings");
        config["text_config"].as_object_mut().unwrap().remove("tie_word_embeddings");
    });
    let own = load_from(folder.path(), None, DType::F32);
    assert_eq!(last_logits(&own, "two images", DType::F32), last_logits(&load("internvl"), "two images", DType::F32));
    let path = folder.path().join("model.safetensors");
    let mut tensors = candle_core::safetensors::load(&path, &Device::Cpu).unwrap();
    tensors.remove("language_model.lm_head.weight").unwrap();
    save(&path, &tensors);
    let tied = load_from(folder.path(), None, DType::F32);
    assert_ne!(last_logits(&tied, "two images", DType::F32), last_logits(&own, "two images", DType::F32));
}

/// The tiles of an image and their thumbnail; a single tile has none.
#[test]
fn a_thumbnail_follows_several_tiles() {
    let checkpoint = load("internvl");
    for (width, height, tiles) in [(403, 220, 8 + 1), (20, 20, 1), (27, 111, 4 + 1)] {
        let image = checkpoint.model.prepare(&noise_over_gradient(width, height, 4)).unwrap();
        assert_eq!(image.pixels.dims(), [tiles, 3, 28, 28], "{width} × {height}: {:?}", image.grid);
    }
}

#[test]
fn tiles_of_another_size_than_the_tower_takes_are_refused() {
    let folder = copy("internvl");
    rewrite(folder.path(), "processor_config.json", |settings| {
        settings["image_processor"]["size"]["width"] = 56.into();
    });
    let message = message(folder.path(), None);
    assert!(message.contains("processor_config.json: field size: tiles are 28 by 56"), "{message}");
}

/// The author's own format needs code of its own in transformers, too.
#[test]
fn a_checkpoint_in_another_format_is_refused_with_the_one_to_take() {
    let folder = copy("internvl");
    rewrite(folder.path(), "config.json", |config| {
        config["llm_config"] = config["text_config"].take();
        config.as_object_mut().unwrap().remove("text_config");
    });
    let message = message(folder.path(), None);
    assert!(message.contains("expected the field \"text_config\"") && message.contains("-hf"), "{message}");
}

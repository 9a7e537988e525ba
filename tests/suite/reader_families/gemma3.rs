//! What only Gemma 3 has.

use super::refusals::{rewrite, save};
use super::world::{copy, fixture, last_logits, load, load_from, message, prepare, row};
use candle_core::{DType, Device};
use dissent::model::decoder::{DecoderInput, DecoderRow, KvCache};
use std::collections::HashMap;
use std::fs;

/// Names and fields of transformers 5 describe the same model as those of published files.
#[test]
fn a_checkpoint_as_transformers_5_writes_it_is_the_same_model() {
    let folder = copy("gemma3");
    fs::copy(fixture("gemma3").join("config_5.json"), folder.path().join("config.json")).unwrap();
    let path = folder.path().join("model.safetensors");
    let published = candle_core::safetensors::load(&path, &Device::Cpu).unwrap();
    let renamed: HashMap<_, _> = published
        .into_iter()
        .map(|(name, tensor)| {
            let name = name.replace("language_model.model.", "language_model.").replace("vision_model.", "");
            (format!("model.{name}"), tensor)
        })
        .collect();
    assert!(renamed.contains_key("model.vision_tower.encoder.layers.0.mlp.fc1.weight"));
    save(&path, &renamed);
    let own = load_from(folder.path(), None, DType::F32);
    assert_eq!(last_logits(&own, "two images", DType::F32), last_logits(&load("gemma3"), "two images", DType::F32));
}

/// Tokens of an image attend to each other, so a part of it cannot be read alone.
#[test]
fn a_part_of_an_image_is_refused() {
    let checkpoint = load("gemma3");
    let whole = row(&checkpoint, "one image", DType::F32);
    let image_token = checkpoint.model.decoder().image_token();
    let first = whole.ids.iter().position(|id| *id == image_token).unwrap();
    let half = |features: std::ops::Range<usize>, ids: &[u32]| DecoderRow {
        ids: ids.to_vec(),
        features: vec![whole.features[0].narrow(0, features.start, features.len()).unwrap()],
    };
    // Two halves with text between them in place of one image.
    let mut ids = whole.ids.clone();
    ids.insert(first + 8, 20);
    let input = DecoderInput::new(vec![DecoderRow { ids, features: whole.features.clone() }]);
    let error = checkpoint.model.decoder().decode(&input, Some(&mut KvCache::new())).unwrap_err();
    assert!(error.to_string().contains("expected 16 consecutive image tokens"), "{error}");
    let input = DecoderInput::new(vec![half(0..8, &whole.ids[..first + 9])]);
    assert!(checkpoint.model.decoder().decode(&input, None).is_err());
}

#[test]
fn the_tokens_around_an_image_must_be_special() {
    let folder = copy("gemma3");
    rewrite(folder.path(), "config.json", |config| config["eoi_token_index"] = 20.into());
    let message = message(folder.path(), None);
    assert!(message.contains("tokenizer.json") && message.contains("expected token 20"), "{message}");
}

/// The tokenizer would add another `<bos>` to the template's.
#[test]
fn a_prompt_begins_once() {
    let ids = prepare(&load("gemma3"), "one image").0;
    assert_eq!(ids.iter().filter(|id| **id == 2).count(), 1);
}

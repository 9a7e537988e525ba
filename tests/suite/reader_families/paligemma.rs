//! What only PaliGemma has.

use super::refusals::rewrite;
use super::world::{
    assert_close, continued_logits, copy, expected, fixture, floats, load, load_from, message, prepare, row, tolerance,
};
use candle_core::DType;
use dissent::model::decoder::{DecoderInput, DecoderRow, KvCache, TokenIndex};
use std::fs;

/// Tokens of a prompt see each other, those of an answer only what is before them.
#[test]
fn an_answer_does_not_change_its_prompt() {
    let checkpoint = load("paligemma");
    let decoder = checkpoint.model.decoder();
    for (name, continued) in expected("paligemma")["continued"].as_object().unwrap() {
        let answer: Vec<u32> = serde_json::from_value(continued["answer"].clone()).unwrap();
        let mut cache = KvCache::new();
        decoder.decode(&DecoderInput::new(vec![row(&checkpoint, name, DType::F32)]), Some(&mut cache)).unwrap();
        let input = DecoderInput::new(vec![DecoderRow::text(answer.clone())]);
        let decoded = decoder.decode(&input, Some(&mut cache)).unwrap();
        let places: Vec<TokenIndex> = (0..answer.len()).map(|index| TokenIndex { row: 0, index }).collect();
        let own: Vec<Vec<f32>> = decoder.logits(&decoded, &places).unwrap().to_vec2().unwrap();
        for (own, theirs) in own.iter().zip(continued["logits"].as_array().unwrap()) {
            assert_close(&format!("{name}, continued"), own, &floats(theirs), tolerance());
        }
        let last = floats(continued["logits"].as_array().unwrap().last().unwrap());
        assert_close(name, &continued_logits(&checkpoint, name, &answer), &last, tolerance());
    }
}

/// No part of a prompt can be read before the rest.
#[test]
fn a_prompt_has_no_beginning_to_share() {
    let checkpoint = load("paligemma");
    let whole = row(&checkpoint, "two images", DType::F32);
    assert_eq!(whole.features.len(), 2);
    assert_eq!(checkpoint.model.decoder().second_image_of(&whole), None);
}

#[test]
fn images_come_first_and_a_chat_template_is_not_used() {
    let plain = load("paligemma");
    let ids = prepare(&plain, "two images").0;
    let images = ids.iter().take_while(|id| **id == plain.model.decoder().image_token()).count();
    assert_eq!((images, ids[images]), (32, 2), "two images of 16 tokens, then <bos>");
    let folder = copy("paligemma");
    fs::write(folder.path().join("chat_template.jinja"), "{{ messages[0].role }}").unwrap();
    let other = load_from(folder.path(), None, DType::F32);
    assert!(other.notes[0].contains("chat template is not used"), "{:?}", other.notes);
    assert_eq!(prepare(&other, "two images").0, ids);
}

#[test]
fn what_does_not_fit_is_refused() {
    let folder = copy("paligemma");
    rewrite(folder.path(), "processor_config.json", |settings| {
        settings["image_processor"]["image_seq_length"] = 4.into();
    });
    let other = message(folder.path(), None);
    assert!(other.contains("processor_config.json: field image_seq_length: expected 16"), "{other}");
    let folder = copy("paligemma");
    fs::copy(fixture("gguf").join("gemma3/checkpoint/decoder.gguf"), folder.path().join("decoder.gguf")).unwrap();
    let other = message(folder.path(), None);
    assert!(other.contains("decoder.gguf: expected no GGUF file"), "{other}");
}

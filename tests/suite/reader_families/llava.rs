//! What only LLaVA has: states of the CLIP tower, tokens before a prompt, text pieces that SentencePiece marks.

use super::refusals::{rewrite, save};
use super::world::{
    copy, copy_of, difference, expected, fixture, floats, last_logits, load, load_from, logits_at, message, tolerance,
};
use crate::support::gguf::convert_decoder;
use candle_core::{DType, Device, Tensor};
use dissent::model::decoder::{DecoderInput, DecoderRow};
use dissent::model::vlm::ReaderCheckpoint;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::path::Path;

const FAMILIES: [&str; 2] = ["llava", "llava_mistral"];

/// How far the logits of a changed checkpoint are from those of transformers for the original.
fn difference_from_original(family: &str, folder: &Path) -> f32 {
    let own = last_logits(&load_from(folder, None, DType::F32), "two images", DType::F32);
    let theirs = expected(family)["prompts"]["two images"]["logits"].as_array().unwrap().last().cloned().unwrap();
    difference(&own, &floats(&theirs))
}

/// The values of one tensor in reverse order change the answer, whichever tensor it is. Not used are the final norm of the
/// tower, its layers after the chosen states, and biases of keys, which move all scores of a query alike.
#[test]
fn every_damaged_tensor_shows() {
    for family in FAMILIES {
        let folder = copy(family);
        let path = folder.path().join("model.safetensors");
        let whole = candle_core::safetensors::load(&path, &Device::Cpu).unwrap();
        let mut damaged = 0;
        for (name, tensor) in &whole {
            let is_late = family == "llava" && name.contains("vision_model.encoder.layers.2.");
            if is_late || name.contains("post_layernorm") || name.ends_with("k_proj.bias") {
                continue;
            }
            let mut values = tensor.flatten_all().unwrap().to_vec1::<half::f16>().unwrap();
            values.reverse();
            let mut tensors = whole.clone();
            tensors.insert(name.clone(), Tensor::from_vec(values, tensor.shape(), &Device::Cpu).unwrap());
            save(&path, &tensors);
            let difference = difference_from_original(family, folder.path());
            assert!(difference > 10.0 * tolerance(), "{family}, {name}: difference {difference}");
            damaged += 1;
        }
        assert!(damaged > 65, "{family}: {damaged} tensors");
    }
}

#[test]
fn a_fault_in_the_arithmetic_shows() {
    for (family, pointer, value) in [
        ("llava", "/vision_feature_layer", json!(-1)),
        ("llava", "/vision_feature_layer", json!(-3)),
        ("llava", "/vision_config/num_attention_heads", json!(4)),
        ("llava", "/text_config/rms_norm_eps", json!(0.1)),
        ("llava_mistral", "/vision_feature_layer", json!([-1, -3])),
        ("llava_mistral", "/vision_config/hidden_act", json!("quick_gelu")),
        ("llava_mistral", "/vision_config/layer_norm_eps", json!(0.1)),
        ("llava_mistral", "/projector_hidden_act", json!("silu")),
        ("llava_mistral", "/text_config/rope_parameters/rope_theta", json!(10_000.0)),
    ] {
        let folder = copy(family);
        rewrite(folder.path(), "config.json", |config| *config.pointer_mut(pointer).unwrap() = value.clone());
        let difference = difference_from_original(family, folder.path());
        println!("{family}, {pointer}, {value}: {difference:.1e}");
        assert!(difference > 10.0 * tolerance(), "{family}, {pointer}, {value}: difference {difference}");
    }
}

/// `▁` marks the beginning of a text and, for some tokenizers, of every piece of it; an answer continues the prompt.
#[test]
fn answers_have_the_tokens_that_they_have_in_a_conversation() {
    for family in FAMILIES {
        let expected: Vec<u32> = serde_json::from_value(expected(family)["answer"].clone()).unwrap();
        let checkpoint = load(family);
        let ends = family == "llava_mistral";
        assert_eq!(checkpoint.model.answer_ids("Yes", ends).unwrap(), expected, "{family}");
        assert_eq!(checkpoint.model.processor().answer_lead(), " ", "{family}");
    }
}

/// The same weights under the names of LLaVA's own code, which scripts/llava-settings leaves as they are.
#[test]
fn weights_of_llavas_own_code_are_read() {
    let folder = copy("llava");
    let path = folder.path().join("model.safetensors");
    let mut renamed = HashMap::new();
    for (name, tensor) in candle_core::safetensors::load(&path, &Device::Cpu).unwrap() {
        let name = name
            .replace("language_model.lm_head", "lm_head")
            .replace("language_model.model.", "model.")
            .replace("multi_modal_projector.linear_1", "model.mm_projector.0")
            .replace("multi_modal_projector.linear_2", "model.mm_projector.2")
            .replace("vision_tower.vision_model", "model.vision_tower.vision_tower.vision_model");
        renamed.insert(name, tensor);
    }
    save(&path, &renamed);
    assert!(difference_from_original("llava", folder.path()) < tolerance());
    rewrite(folder.path(), "config.json", |config| {
        config["mm_vision_tower"] = json!("openai/clip-vit-large-patch14-336");
        config["model_type"] = json!("llava_mistral");
    });
    let message = message(folder.path(), None);
    assert!(message.contains("LLaVA's own code") && message.contains("scripts/llava-settings"), "{message}");
}

#[test]
fn what_does_not_fit_is_refused_by_name() {
    type Change = fn(&mut Value);
    let cases: [(&str, &str, Change, &str); 7] = [
        (
            "llava",
            "config.json",
            |value| value["text_config"]["model_type"] = json!("qwen2"),
            "\"llama\" or \"mistral\"",
        ),
        ("llava", "config.json", |value| value["vision_config"]["model_type"] = json!("siglip_vision_model"), "siglip"),
        ("llava", "config.json", |value| value["vision_feature_select_strategy"] = json!("full"), "make 36 tokens"),
        ("llava", "processor_config.json", |value| value["num_additional_image_tokens"] = json!(0), "make 35 tokens"),
        ("llava", "preprocessor_config.json", |value| value["do_pad"] = json!(true), "field do_pad"),
        ("llava", "preprocessor_config.json", |value| value["do_center_crop"] = json!(false), "do_center_crop"),
        ("llava", "preprocessor_config.json", |value| value["crop_size"] = json!(40), "takes 48 by 48"),
    ];
    for (family, file, change, word) in cases {
        let folder = copy(family);
        rewrite(folder.path(), file, change);
        let message = message(folder.path(), None);
        assert!(message.contains(file) && message.contains(word), "{word}: {message}");
    }
    // A token after the text would stand before the answer.
    let folder = copy("llava");
    rewrite(folder.path(), "tokenizer.json", |definition| {
        let end = json!({"SpecialToken": {"id": "</s>", "type_id": 0}});
        let post_processor = &mut definition["post_processor"];
        post_processor["single"].as_array_mut().unwrap().push(end);
        post_processor["special_tokens"]["</s>"] = json!({"id": "</s>", "ids": [2], "tokens": ["</s>"]});
    });
    let message = message(folder.path(), None);
    assert!(message.contains("tokenizer.json") && message.contains("no tokens after a text"), "{message}");
}

#[test]
fn a_gguf_decoder_gives_what_its_safetensors_give() {
    let folder = copy_of(&fixture("llava_mistral").join("checkpoint"));
    // The field that the converter reads beside `rope_parameters`.
    rewrite(folder.path(), "config.json", |config| {
        config["text_config"]["rope_theta"] = config["text_config"]["rope_parameters"]["rope_theta"].clone();
    });
    convert_decoder(folder.path(), folder.path());
    let (plain, converted) = (load("llava_mistral"), load_from(folder.path(), None, DType::F32));
    assert!(converted.notes.iter().any(|note| note.contains("model.gguf (F32)")), "{:?}", converted.notes);
    let logits = |checkpoint: &ReaderCheckpoint| {
        let input = DecoderInput::new(vec![DecoderRow::text(vec![1, 300, 310, 320, 40, 35])]);
        logits_at(checkpoint, &input, None, None).remove(0)
    };
    assert!(difference(&logits(&converted), &logits(&plain)) < 1e-5);
}

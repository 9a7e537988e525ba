//! Token ids, pixels and logits against transformers and PEFT.

use super::world::{
    FAMILIES, PROMPTS, assert_close, continued_logits, copy, difference, expected, fixture, floats, going_on_together,
    last_logits, load, load_from, logits_at, prepare, row, tolerance, tolerance_bf16,
};
use crate::support::fixtures;
use crate::support::pictures::noise_over_gradient;
use candle_core::DType;
use dissent::model::decoder::{DecoderInput, DecoderRow, KvCache, PaddingSide, TokenIndex};
use dissent::model::reader_family::ReaderFamily;
use dissent::model::vlm::PreparedImage;
use serde_json::Value;
use std::fs;

#[test]
fn token_ids_equal_those_of_transformers() {
    for family in FAMILIES {
        let checkpoint = load(family);
        assert!(checkpoint.notes.is_empty(), "{:?}", checkpoint.notes);
        let expected = expected(family);
        for name in PROMPTS {
            let theirs: Vec<u32> = serde_json::from_value(expected["prompts"][name]["ids"].clone()).unwrap();
            assert_eq!(prepare(&checkpoint, name).0, theirs, "{family}, {name}");
        }
    }
}

#[test]
fn pixels_equal_those_of_transformers() {
    for family in FAMILIES {
        let checkpoint = load(family);
        let expected = expected(family);
        for name in PROMPTS {
            let theirs = &expected["prompts"][name];
            let images = prepare(&checkpoint, name).1;
            if images.is_empty() {
                continue;
            }
            if let Some(grids) = theirs["grids"].as_array() {
                let own: Vec<Value> =
                    images.iter().map(|image| serde_json::json!([image.grid.rows, image.grid.columns])).collect();
                assert_eq!(&own, grids, "{family}, {name}");
            }
            let own: Vec<f32> =
                images.iter().flat_map(|image| image.pixels.flatten_all().unwrap().to_vec1().unwrap()).collect();
            assert_eq!(own.len() as u64, theirs["pixels"]["count"].as_u64().unwrap(), "{family}, {name}");
            let step = theirs["pixels"]["step"].as_u64().unwrap() as usize;
            let own: Vec<f32> = own.into_iter().step_by(step).collect();
            let theirs = floats(&theirs["pixels"]["values"]);
            assert!(theirs.len() > 100);
            for (place, (own, theirs)) in own.iter().zip(&theirs).enumerate() {
                assert!((own - theirs).abs() < 1e-5, "{family}, {name}, value {}: {own} is not {theirs}", place * step);
            }
        }
    }
}

/// A server with its own processor must not change a picture that has the final size.
#[test]
fn a_picture_at_its_final_size_is_prepared_as_the_picture_itself() {
    for family in FAMILIES {
        let folder = fixture(family).join("checkpoint");
        let (processor, fingerprint) = ReaderFamily::of(&folder).unwrap().read_processor(&folder).unwrap();
        assert_eq!(fingerprint, load(family).fingerprint, "{family}: the processor alone knows whose it is");
        for (width, height) in [(64, 64), (140, 84), (33, 57), (403, 220), (27, 111), (9, 5)] {
            let picture = noise_over_gradient(width, height, 7);
            let (resized, grid) = processor.resized(&picture).unwrap();
            let (again, same) = processor.resized(&resized).unwrap();
            assert!(again == resized && same == grid, "{family}, {width} × {height}: another size again");
            let (whole, small) = (processor.prepare(&picture).unwrap(), processor.prepare(&resized).unwrap());
            let values = |image: &PreparedImage| image.pixels.flatten_all().unwrap().to_vec1::<f32>().unwrap();
            assert!(whole.grid == grid && small.grid == grid, "{family}, {width} × {height}");
            assert_eq!(values(&whole), values(&small), "{family}, {width} × {height}");
        }
    }
}

#[test]
fn logits_equal_those_of_transformers() {
    for family in FAMILIES {
        let checkpoint = load(family);
        let expected = expected(family);
        for name in PROMPTS {
            let prompt = &expected["prompts"][name];
            let indices: Vec<usize> = serde_json::from_value(prompt["places"].clone()).unwrap();
            let places: Vec<TokenIndex> = indices.into_iter().map(|index| TokenIndex { row: 0, index }).collect();
            let input = DecoderInput::new(vec![row(&checkpoint, name, DType::F32)]);
            let own = logits_at(&checkpoint, &input, None, Some(&places));
            for (own, theirs) in own.iter().zip(prompt["logits"].as_array().unwrap()) {
                assert_close(&format!("{family}, {name}"), own, &floats(theirs), tolerance());
            }
        }
    }
}

#[test]
fn a_padded_batch_equals_its_rows() {
    for family in FAMILIES {
        let checkpoint = load(family);
        let expected = expected(family);
        let names: Vec<String> = serde_json::from_value(expected["batch"]["rows"].clone()).unwrap();
        for padding in [PaddingSide::Left, PaddingSide::Right] {
            let rows = names.iter().map(|name| row(&checkpoint, name, DType::F32)).collect();
            let own = logits_at(&checkpoint, &DecoderInput { rows, padding }, None, None);
            for (own, theirs) in own.iter().zip(expected["batch"]["logits"].as_array().unwrap()) {
                assert_close(&format!("{family}, {padding:?}"), own, &floats(theirs), tolerance());
            }
        }
    }
}

#[test]
fn a_padded_batch_continues_as_its_rows_would() {
    let continuations = [vec![20, 21, 22], vec![30, 31], vec![40]];
    let names = ["two images", "no image", "one image"];
    for family in FAMILIES {
        let checkpoint = load(family);
        let mut alone = Vec::new();
        for (name, continuation) in names.iter().zip(&continuations) {
            alone.push(continued_logits(&checkpoint, name, continuation));
        }
        for padding in [PaddingSide::Left, PaddingSide::Right] {
            let mut cache = KvCache::new();
            let rows = names.iter().map(|name| row(&checkpoint, name, DType::F32)).collect();
            logits_at(&checkpoint, &DecoderInput { rows, padding }, Some(&mut cache), None);
            let order = [2, 0, 1, 0];
            let mut cache = cache.select(&order).unwrap();
            let rows = order.iter().map(|row| DecoderRow::text(continuations[*row].clone())).collect();
            let own = logits_at(&checkpoint, &DecoderInput { rows, padding }, Some(&mut cache), None);
            for (own, row) in own.iter().zip(order) {
                assert_close(&format!("{family}, {padding:?}, {}", names[row]), own, &alone[row], tolerance());
            }
        }
    }
}

#[test]
fn joined_beginnings_continue_as_whole_prompts() {
    let names = ["two images", "large and odd"];
    for family in FAMILIES {
        let checkpoint = load(family);
        if !checkpoint.model.decoder().reads_in_parts() {
            continue;
        }
        for (own, name) in going_on_together(&checkpoint, names, DType::F32).iter().zip(names) {
            assert_close(&format!("{family}, {name}"), own, &last_logits(&checkpoint, name, DType::F32), tolerance());
        }
        assert_eq!(checkpoint.model.decoder().second_image_of(&row(&checkpoint, "one image", DType::F32)), None);
    }
}

#[test]
fn half_precision_stays_near_transformers() {
    for family in FAMILIES {
        let checkpoint = load_from(&fixture(family).join("checkpoint"), None, DType::BF16);
        let own = last_logits(&checkpoint, "two images", DType::BF16);
        assert_close(&format!("{family}, bf16"), &own, &floats(&expected(family)["bf16"]), tolerance_bf16(family));
    }
}

#[test]
fn a_merged_adapter_equals_that_of_peft() {
    for family in FAMILIES {
        let (folder, adapter) = (fixture(family).join("checkpoint"), fixture(family).join("adapter"));
        let (plain, adapted) = (load(family), load_from(&folder, Some(&adapter), DType::F32));
        assert_ne!(plain.fingerprint, adapted.fingerprint);
        assert_eq!(adapted.name, "checkpoint + adapter");
        let own = last_logits(&adapted, "two images", DType::F32);
        assert_close(&format!("{family}, adapter"), &own, &floats(&expected(family)["adapter"]), tolerance());
        let without = last_logits(&plain, "two images", DType::F32);
        assert!(difference(&without, &own) > 1e-2, "{family}: the adapter changes nothing");
    }
}

#[test]
fn the_layout_of_idefics3_is_that_of_smolvlm() {
    let folder = copy("smolvlm");
    let path = folder.path().join("config.json");
    let text = fs::read_to_string(&path).unwrap();
    let changed = text
        .replace(r#""model_type": "smolvlm""#, r#""model_type": "idefics3""#)
        .replace("SmolVLMForConditionalGeneration", "Idefics3ForConditionalGeneration");
    assert_ne!(text, changed);
    fs::write(&path, changed).unwrap();
    let own = last_logits(&load_from(folder.path(), None, DType::F32), "one image", DType::F32);
    assert_eq!(own, last_logits(&load("smolvlm"), "one image", DType::F32));
}

/// tests/fixtures/readers/rope.py: the same checkpoints with a scaled rotation.
#[test]
fn scaled_rotations_give_the_logits_of_transformers() {
    let path = fixtures::path("readers/rope.json");
    let cases: Value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
    let cases = cases["logits"].as_array().unwrap();
    assert_eq!(cases.len(), 10);
    for case in cases {
        let family = case["family"].as_str().unwrap();
        let folder = copy(family);
        let path = folder.path().join("config.json");
        let mut config: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        config["text_config"]["rope_parameters"] = case["rope_parameters"].clone();
        config["text_config"]["max_position_embeddings"] = case["positions"].clone();
        fs::write(&path, config.to_string()).unwrap();
        let checkpoint = load_from(folder.path(), None, DType::F32);
        let expected = floats(&case["logits"]);
        let what = format!("{family}, {}", case["kind"]);
        assert_close(&what, &last_logits(&checkpoint, "two images", DType::F32), &expected, tolerance());
        // Beside a shorter row, whose rotation may be another.
        let rows = ["no image", "two images"].map(|name| row(&checkpoint, name, DType::F32));
        let together = logits_at(&checkpoint, &DecoderInput::new(rows.into()), None, None);
        assert_close(&what, &together[1], &expected, tolerance());
        assert_close(&what, &together[0], &last_logits(&checkpoint, "no image", DType::F32), tolerance());
    }
}

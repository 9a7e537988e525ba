//! Decoders in files that llama.cpp converted and quantised, against its own logits
//! (tests/fixtures/readers/from_llama_cpp.py).

use super::world::{copy_of, difference, floats, load_from, logits_at, message, set_rotation};
use crate::support::fixtures;
use crate::support::folders::copy_folder;
use candle_core::DType;
use dissent::model::decoder::{DecoderInput, DecoderRow};
use dissent::model::vlm::ReaderCheckpoint;
use serde_json::{Value as Json, json};
use std::fs;
use std::path::{Path, PathBuf};

const FAMILIES: [&str; 6] = ["smolvlm", "smolvlm_long", "qwen2_vl", "qwen3_vl", "pixtral", "gemma3"];

/// Tolerance relative to the largest logit.
fn tolerance(kind: &str) -> f32 {
    match kind {
        // llama.cpp is that far from f64, this program below 1e-5 (tests/fixtures/readers/generate.py).
        "F32" => 1e-4,
        // llama.cpp rounds activations to the weights' 16 bits; here they are in f32.
        "F16" => 2e-3,
        "BF16" => 2e-2,
        // Both round activations to 8 bits, which moves logits by as much. Mostly the same way, and then logits differ by
        // less than 1e-6.
        _ => 5e-2,
    }
}

fn fixtures() -> PathBuf {
    fixtures::path("readers/llama_cpp")
}

/// Tower, processor and tokenizer of a family with the decoder of one kind.
fn folder_of(root: &Path, family: &str, kind: &str) -> tempfile::TempDir {
    let own = root.join(family).join("checkpoint");
    let pixtral = fixtures::path("pixtral/checkpoint");
    let folder = copy_of(if own.is_dir() { &own } else { &pixtral });
    copy_folder(&root.join(family).join(kind), folder.path());
    folder
}

fn expected(root: &Path, family: &str) -> Json {
    serde_json::from_slice(&fs::read(root.join(family).join("expected.json")).unwrap()).unwrap()
}

/// Largest difference over the prompts.
fn largest_difference(checkpoint: &ReaderCheckpoint, expected: &Json, kind: &str) -> f32 {
    let prompts = expected["prompts"].as_array().unwrap();
    let theirs = expected["logits"][kind].as_array().unwrap();
    assert_eq!(prompts.len(), theirs.len());
    let mut largest = 0.0_f32;
    for (prompt, theirs) in prompts.iter().zip(theirs) {
        let ids: Vec<u32> = serde_json::from_value(prompt.clone()).unwrap();
        let own = logits_at(checkpoint, &DecoderInput::new(vec![DecoderRow::text(ids)]), None, None).remove(0);
        largest = largest.max(difference(&own, &floats(theirs)));
    }
    largest
}

fn assert_all_agree(root: &Path) {
    for family in FAMILIES {
        let expected = expected(root, family);
        let mut failed = Vec::new();
        for kind in expected["logits"].as_object().unwrap().keys() {
            let folder = folder_of(root, family, kind);
            let checkpoint = load_from(folder.path(), None, DType::F32);
            let difference = largest_difference(&checkpoint, &expected, kind);
            println!("{family}, {kind}: {difference:.2e}; {:?}", checkpoint.notes);
            if difference >= tolerance(kind) {
                failed.push(format!("{kind}: difference {difference}"));
            }
        }
        assert!(failed.is_empty(), "{family}: {failed:?}");
    }
}

#[test]
fn files_of_llama_cpp_give_its_logits() {
    assert_all_agree(&fixtures());
}

/// `from_llama_cpp.py all FOLDER` makes them; they are too large to be kept.
#[test]
#[ignore = "needs the files of `from_llama_cpp.py all FOLDER`, 1 GB"]
fn every_kind_of_file_of_llama_cpp_gives_its_logits() {
    let folder = std::env::var_os("DISSENT_TEST_GGUF").expect("DISSENT_TEST_GGUF: the folder of from_llama_cpp.py");
    assert_all_agree(Path::new(&folder));
}

#[test]
fn parts_are_read_together_or_refused() {
    let whole = || folder_of(&fixtures(), "smolvlm_long", "F16");
    let part = |number: usize| format!("smolvlm_long-F16-0000{number}-of-00002.gguf");
    let folder = whole();
    fs::remove_file(folder.path().join(part(2))).unwrap();
    let missing = message(folder.path(), None);
    assert!(missing.contains("has 2 parts, part 2 is missing"), "{missing}");
    // Another name does not make a part a whole.
    fs::rename(folder.path().join(part(1)), folder.path().join("decoder.gguf")).unwrap();
    let alone = message(folder.path(), None);
    assert!(alone.contains("decoder.gguf: split.count is 2"), "{alone}");
    let folder = whole();
    fs::copy(folder.path().join(part(1)), folder.path().join(part(2))).unwrap();
    let twice = message(folder.path(), None);
    assert!(twice.contains(&part(2)) && twice.contains("split.no is 0"), "{twice}");
}

#[test]
fn a_scaled_rotation_is_that_of_the_configuration() {
    let folder = folder_of(&fixtures(), "smolvlm_long", "F16");
    set_rotation(folder.path(), &json!({"rope_type": "default", "rope_theta": 100_000.0}));
    let plain = message(folder.path(), None);
    assert!(plain.contains("tensor rope_freqs.weight has no counterpart"), "{plain}");
    let mut parameters = json!({
        "rope_type": "llama3", "rope_theta": 100_000.0, "factor": 32.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
        "original_max_position_embeddings": 64,
    });
    set_rotation(folder.path(), &parameters);
    let slower = message(folder.path(), None);
    assert!(slower.contains("tensor rope_freqs.weight: the divisor of pair"), "{slower}");
    parameters["factor"] = json!(8.0);
    parameters["low_freq_factor"] = json!(1.01);
    set_rotation(folder.path(), &parameters);
    let other_ramp = message(folder.path(), None);
    assert!(
        other_ramp.contains("rope_parameters of config.json is") && other_ramp.contains("00001-of-00002.gguf"),
        "{other_ramp}"
    );
}

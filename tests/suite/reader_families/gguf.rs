//! Decoders in GGUF files against transformers on the dequantised weights (tests/fixtures/readers/gguf.py), and against the
//! same decoder from safetensors.

use super::world::{PROMPTS, assert_close, copy_of, floats, load_from, logits_at, prepare, row, set_rotation};
use crate::support::fixtures;
use crate::support::gguf::convert;
use candle_core::quantized::gguf_file::{Content, Value, write};
use candle_core::quantized::{GgmlDType, QTensor};
use candle_core::{DType, Device};
use dissent::model::decoder::{DecoderInput, DecoderRow};
use dissent::model::reader_family::load_reader;
use dissent::model::vlm::ReaderCheckpoint;
use serde_json::{Value as Json, json};
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

const FAMILIES: [&str; 5] = ["smolvlm", "qwen2_vl", "qwen3_vl", "gemma3", "internvl"];
/// Products round the activations to 8 bits, as in llama.cpp.
const TOLERANCE_IN_BLOCKS: f32 = 5e-2;
/// The same weights in f32.
const TOLERANCE: f32 = 1e-5;

fn fixture(family: &str) -> PathBuf {
    fixtures::path("readers/gguf").join(family)
}

/// A copy of a fixture's checkpoint to change.
fn copy(family: &str) -> tempfile::TempDir {
    copy_of(&fixture(family).join("checkpoint"))
}

type Fields = BTreeMap<String, Value>;
type Tensors = BTreeMap<String, QTensor>;
type Change = fn(&mut Fields, &mut Tensors);

/// Writes the decoder of a copy again, changed.
fn change(folder: &Path, change: impl FnOnce(&mut Fields, &mut Tensors)) {
    let path = folder.join("decoder.gguf");
    let mut file = File::open(&path).unwrap();
    let content = Content::read(&mut file).unwrap();
    let read = |name: &String| (name.clone(), content.tensor(&mut file, name, &Device::Cpu).unwrap());
    let mut tensors: Tensors = content.tensor_infos.keys().map(read).collect();
    let mut fields: Fields = content.metadata.into_iter().collect();
    change(&mut fields, &mut tensors);
    let fields: Vec<(&str, &Value)> = fields.iter().map(|(name, value)| (name.as_str(), value)).collect();
    let tensors: Vec<(&str, &QTensor)> = tensors.iter().map(|(name, tensor)| (name.as_str(), tensor)).collect();
    write(&mut File::create(&path).unwrap(), &fields, &tensors).unwrap();
}

fn assert_agrees(family: &str, folder: &Path, tolerance: f32) {
    let checkpoint = load_from(folder, None, DType::F32);
    let expected: Json = serde_json::from_slice(&fs::read(fixture(family).join("expected.json")).unwrap()).unwrap();
    for name in PROMPTS {
        let expected = &expected["prompts"][name];
        let ids: Vec<u32> = serde_json::from_value(expected["ids"].clone()).unwrap();
        assert_eq!(prepare(&checkpoint, name).0, ids, "{family}, {name}");
        let input = DecoderInput::new(vec![row(&checkpoint, name, DType::F32)]);
        let logits = logits_at(&checkpoint, &input, None, None).remove(0);
        assert_close(&format!("{family}, {name}"), &logits, &floats(&expected["logits"]), tolerance);
    }
}

#[test]
fn quantised_decoders_agree_with_transformers() {
    for family in FAMILIES {
        assert_agrees(family, &fixture(family).join("checkpoint"), TOLERANCE_IN_BLOCKS);
    }
}

/// Names, fields, rotary pairs and dequantised values, without the rounding of activations.
#[test]
fn the_same_values_in_f32_agree_closely() {
    for family in FAMILIES {
        let folder = copy(family);
        change(folder.path(), |_, tensors| {
            for tensor in tensors.values_mut() {
                let values = tensor.dequantize(&Device::Cpu).unwrap();
                *tensor = QTensor::quantize(&values, GgmlDType::F32).unwrap();
            }
        });
        assert_agrees(family, folder.path(), TOLERANCE);
    }
}

#[test]
fn rows_read_together_and_on_from_a_cache_give_the_same() {
    let checkpoint = load_from(&fixture("qwen2_vl").join("checkpoint"), None, DType::F32);
    let rows: Vec<DecoderRow> = ["one image", "no image"].map(|name| row(&checkpoint, name, DType::F32)).into();
    let together = logits_at(&checkpoint, &DecoderInput::new(rows.clone()), None, None);
    for (row, together) in rows.into_iter().zip(together) {
        let alone = logits_at(&checkpoint, &DecoderInput::new(vec![row]), None, None).remove(0);
        assert_close("alone", &together, &alone, TOLERANCE);
    }
}

#[test]
fn a_pixtral_decoder_gives_what_its_safetensors_give() {
    let plain = fixtures::path("pixtral/checkpoint");
    let folder = copy_of(&plain);
    // The field that the converter reads beside `rope_parameters`.
    let path = folder.path().join("config.json");
    let mut config: Json = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    config["text_config"]["rope_theta"] = config["text_config"]["rope_parameters"]["rope_theta"].clone();
    fs::write(&path, config.to_string()).unwrap();
    // The tower's file lies beside the decoder's, as llama.cpp's converter leaves them.
    convert(folder.path(), folder.path());
    let (plain, converted) = (load_from(&plain, None, DType::F32), load_from(folder.path(), None, DType::F32));
    assert!(converted.notes.iter().any(|note| note.contains("model.gguf (F32)")), "{:?}", converted.notes);
    assert_ne!(plain.fingerprint, converted.fingerprint);
    let logits = |checkpoint: &ReaderCheckpoint| {
        let input = DecoderInput::new(vec![DecoderRow::text(vec![1, 30, 31, 32, 40, 35])]);
        logits_at(checkpoint, &input, None, None).remove(0)
    };
    assert_close("Pixtral", &logits(&converted), &logits(&plain), TOLERANCE);
}

fn refusal(folder: &Path, adapter: Option<&Path>, dtype: DType) -> String {
    match load_reader(folder, adapter, &Device::Cpu, dtype) {
        Ok(_) => panic!("it was loaded"),
        Err(error) => format!("{error:#}"),
    }
}

/// Each change of a family's decoder is refused with the word.
fn assert_refused(cases: &[(&str, Change, &str)]) {
    for (family, edit, word) in cases {
        let folder = copy(family);
        change(folder.path(), edit);
        let message = refusal(folder.path(), None, DType::F32);
        assert!(message.contains("decoder.gguf") && message.contains(word), "{word}: {message}");
    }
}

#[test]
fn a_decoder_of_another_model_is_refused() {
    let cases: [(&str, Change, &str); 12] = [
        (
            "qwen2_vl",
            |fields, _| {
                fields.insert("general.architecture".into(), Value::String("llama".into()));
            },
            "expected qwen2vl",
        ),
        (
            "qwen2_vl",
            |fields, _| {
                fields.insert("qwen2vl.block_count".into(), Value::U32(3));
            },
            "qwen2vl.block_count is 3, but num_hidden_layers of config.json is 2",
        ),
        (
            "qwen2_vl",
            |fields, _| {
                fields.insert("qwen2vl.rope.freq_base".into(), Value::F32(1e4));
            },
            "rope_theta of config.json is 1000000",
        ),
        (
            "qwen2_vl",
            |fields, _| {
                fields.insert(
                    "qwen2vl.rope.dimension_sections".into(),
                    Value::Array([3, 2, 3, 0].map(Value::I32).into()),
                );
            },
            "mrope_section",
        ),
        (
            "smolvlm",
            |fields, _| {
                fields.insert("llama.rope.scaling.type".into(), Value::String("yarn".into()));
            },
            "llama.rope.scaling.type",
        ),
        (
            "smolvlm",
            |_, tensors| {
                tensors.remove("output.weight");
            },
            "tensor output.weight is missing",
        ),
        (
            "smolvlm",
            |_, tensors| {
                let bias = tensors.remove("output_norm.weight").unwrap();
                tensors.insert("blk.0.attn_q.bias".into(), bias);
            },
            "tensor output_norm.weight is missing",
        ),
        (
            "smolvlm",
            |_, tensors| {
                let bias = candle_core::Tensor::zeros(256, DType::F32, &Device::Cpu).unwrap();
                tensors.insert("blk.0.attn_q.bias".into(), QTensor::quantize(&bias, GgmlDType::F32).unwrap());
            },
            "tensor blk.0.attn_q.bias has no counterpart",
        ),
        (
            "smolvlm",
            |_, tensors| {
                let few = candle_core::Tensor::zeros((32, 256), DType::F32, &Device::Cpu).unwrap();
                tensors.insert("blk.0.attn_k.weight".into(), QTensor::quantize(&few, GgmlDType::Q8_0).unwrap());
            },
            "tensor blk.0.attn_k.weight has shape [32, 256], the configuration requires [64, 256]",
        ),
        (
            "gemma3",
            |fields, _| {
                fields.insert("gemma3.attention.sliding_window".into(), Value::U32(12));
            },
            "gemma3.attention.sliding_window is 12, but sliding_window of config.json is 11",
        ),
        (
            "gemma3",
            |fields, _| {
                fields.insert("gemma3.rope.freq_base_swa".into(), Value::F32(1e6));
            },
            "rope_local_base_freq of config.json is 10000",
        ),
        (
            "gemma3",
            |_, tensors| {
                tensors.remove("blk.1.post_ffw_norm.weight");
            },
            "tensor blk.1.post_ffw_norm.weight is missing",
        ),
    ];
    assert_refused(&cases);
}

#[test]
fn a_decoder_without_a_token_of_the_tokenizer_is_refused() {
    let cases: [(&str, Change, &str); 1] = [(
        "gemma3",
        |_, tensors| {
            let few = candle_core::Tensor::zeros((100, 64), DType::F32, &Device::Cpu).unwrap();
            tensors.insert("token_embd.weight".into(), QTensor::quantize(&few, GgmlDType::F32).unwrap());
        },
        "tensor token_embd.weight has 100 rows, the tokenizer has tokens up to",
    )];
    assert_refused(&cases);
}

#[test]
fn a_decoder_of_another_qwen3_is_refused() {
    let cases: [(&str, Change, &str); 2] = [
        (
            "qwen3_vl",
            |fields, _| {
                fields.insert("qwen3vl.n_deepstack_layers".into(), Value::U32(3));
            },
            "qwen3vl.n_deepstack_layers is 3, but deepstack_visual_indexes of config.json is 1",
        ),
        (
            "qwen3_vl",
            |_, tensors| {
                tensors.remove("blk.1.attn_k_norm.weight");
            },
            "tensor blk.1.attn_k_norm.weight is missing",
        ),
    ];
    assert_refused(&cases);
}

/// `message` is empty where the files agree.
struct Scaled {
    parameters: Json,
    fields: Vec<(&'static str, Value)>,
    tables: Vec<(&'static str, Vec<f32>)>,
    message: &'static str,
}

#[test]
fn a_rotation_scaled_otherwise_is_refused() {
    let case = |parameters: &Json, fields: &[(&'static str, Value)], message| Scaled {
        parameters: parameters.clone(),
        fields: fields.into(),
        tables: Vec::new(),
        message,
    };
    let kind = |kind: &str| ("type", Value::String(kind.into()));
    let factor = |factor: f32| ("factor", Value::F32(factor));
    let original = |length: u32| ("original_context_length", Value::U32(length));
    let plain = json!({"rope_type": "default", "rope_theta": 100_000.0});
    let linear = json!({"rope_type": "linear", "rope_theta": 100_000.0, "factor": 4.0});
    let dynamic = json!({"rope_type": "dynamic", "rope_theta": 100_000.0, "factor": 4.0});
    let yarn = json!({"rope_type": "yarn", "rope_theta": 100_000.0, "original_max_position_embeddings": 128});
    let (short, long) = ([1.0; 16], [1.0, 1.5].repeat(8));
    let long_rope = json!({
        "rope_type": "longrope", "rope_theta": 100_000.0, "original_max_position_embeddings": 128, "factor": 4.0,
        "short_factor": short, "long_factor": long,
    });
    let with_tables = |short: &[f32], long: &[f32], message| Scaled {
        tables: vec![("rope_factors_short.weight", short.into()), ("rope_factors_long.weight", long.into())],
        ..case(&long_rope, &[], message)
    };
    let long: Vec<f32> = long.iter().map(|factor| *factor as f32).collect();
    let mut other = long.clone();
    other[3] = 1.6;
    for Scaled { parameters, fields, tables, message } in [
        case(&linear, &[kind("linear"), factor(4.0)], ""),
        case(&linear, &[factor(4.0)], ""),
        case(&linear, &[kind("linear"), factor(2.0)], "llama.rope.scaling.factor is 2, but factor of config.json is 4"),
        case(&linear, &[], "llama.rope.scaling.type is none, but rope_parameters of config.json is linear"),
        case(
            &linear,
            &[kind("yarn"), factor(4.0)],
            "llama.rope.scaling.type is yarn, but rope_parameters of config.json is linear",
        ),
        case(&plain, &[kind("linear"), factor(1.0)], ""),
        case(&plain, &[factor(4.0)], "llama.rope.scaling.type is linear, but rope_parameters of config.json is none"),
        case(&dynamic, &[], ""),
        case(
            &dynamic,
            &[kind("yarn"), factor(4.0)],
            "llama.rope.scaling.type is yarn, but rope_parameters of config.json is dynamic",
        ),
        // The factor is that of max_position_embeddings, 512.
        case(&yarn, &[kind("yarn"), factor(4.0), original(128), ("yarn_beta_fast", Value::F32(32.0))], ""),
        case(&yarn, &[], "llama.rope.scaling.type is none, but rope_parameters of config.json is yarn"),
        case(&yarn, &[kind("yarn"), factor(8.0)], "llama.rope.scaling.factor is 8, but factor of config.json is 4"),
        case(
            &yarn,
            &[kind("yarn"), factor(4.0), original(256)],
            "llama.rope.scaling.original_context_length is 256, but original_max_position_embeddings of config.json is 128",
        ),
        case(
            &yarn,
            &[kind("yarn"), factor(4.0), ("yarn_beta_slow", Value::F32(2.0))],
            "llama.rope.scaling.yarn_beta_slow is 2, but beta_slow of config.json is 1",
        ),
        case(&yarn, &[kind("yarn"), ("factor", Value::U32(4))], "llama.rope.scaling.factor: expected a number"),
        with_tables(&short, &long, ""),
        with_tables(
            &short,
            &other,
            "tensor rope_factors_long.weight: the divisor of pair 3 is 1.6, but rope_parameters of config.json is 1.5",
        ),
        with_tables(
            &long,
            &long,
            "tensor rope_factors_short.weight: the divisor of pair 1 is 1.5, but rope_parameters of config.json is 1",
        ),
        with_tables(
            &short[1..],
            &long,
            "tensor rope_factors_short.weight has shape [15], the configuration requires [16]",
        ),
    ] {
        let folder = copy("smolvlm");
        set_rotation(folder.path(), &parameters);
        change(folder.path(), |all, tensors| {
            for (name, value) in &fields {
                all.insert(format!("llama.rope.scaling.{name}"), value.clone());
            }
            for (name, values) in &tables {
                let table = candle_core::Tensor::new(values.as_slice(), &Device::Cpu).unwrap();
                tensors.insert((*name).into(), QTensor::quantize(&table, GgmlDType::F32).unwrap());
            }
        });
        if message.is_empty() {
            load_from(folder.path(), None, DType::F32);
        } else {
            let found = refusal(folder.path(), None, DType::F32);
            assert!(found.contains(message), "{parameters}, {fields:?}: {found}");
        }
    }
}

#[test]
fn hostile_files_are_refused() {
    let folder = copy("smolvlm");
    let path = folder.path().join("decoder.gguf");
    let whole = fs::read(&path).unwrap();
    for length in [3, 20, 400, 2000, whole.len() - 40_000] {
        fs::write(&path, &whole[..length]).unwrap();
        let message = refusal(folder.path(), None, DType::F32);
        assert!(message.contains("decoder.gguf"), "{length}: {message}");
    }
    // More tensors than there are bytes.
    let mut lying = whole.clone();
    lying[8..16].copy_from_slice(&(1_u64 << 50).to_le_bytes());
    fs::write(&path, lying).unwrap();
    assert!(refusal(folder.path(), None, DType::F32).contains("not a complete GGUF file"));
    // Two tensors of one name.
    let mut twice = whole.clone();
    let [from, to] = ["blk.0.attn_k.weight", "blk.0.attn_q.weight"];
    let place = whole.windows(from.len()).position(|bytes| bytes == from.as_bytes()).unwrap();
    twice[place..place + to.len()].copy_from_slice(to.as_bytes());
    fs::write(&path, twice).unwrap();
    let message = refusal(folder.path(), None, DType::F32);
    assert!(message.contains("decoder.gguf: the file contains tensor blk.0.attn_q.weight twice"), "{message}");
    // A value that is not a number.
    fs::write(&path, &whole).unwrap();
    change(folder.path(), |_, tensors| {
        let shape = tensors["blk.0.ffn_up.weight"].shape().clone();
        let mut values = vec![0.5_f32; shape.elem_count()];
        values[5 * 256] = f32::NAN;
        let values = candle_core::Tensor::from_vec(values, shape, &Device::Cpu).unwrap();
        tensors.insert("blk.0.ffn_up.weight".into(), QTensor::quantize(&values, GgmlDType::F16).unwrap());
    });
    let message = refusal(folder.path(), None, DType::F32);
    assert!(message.contains("blk.0.ffn_up.weight") && message.contains("in row 5"), "{message}");
}

#[test]
fn what_does_not_go_with_a_quantised_decoder_is_refused() {
    let folder = copy("smolvlm");
    assert!(refusal(folder.path(), None, DType::BF16).contains("computes in f32"));
    let adapter = super::world::fixture("smolvlm").join("adapter");
    assert!(refusal(folder.path(), Some(&adapter), DType::F32).contains("cannot be merged into a quantised decoder"));
    fs::copy(folder.path().join("decoder.gguf"), folder.path().join("other.GGUF")).unwrap();
    assert!(refusal(folder.path(), None, DType::F32).contains("expected one decoder (*.gguf)"));
    fs::rename(folder.path().join("other.GGUF"), folder.path().join("mmproj-f16.gguf")).unwrap();
    load_from(folder.path(), None, DType::F32);
}

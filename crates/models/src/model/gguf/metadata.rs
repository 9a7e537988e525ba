//! Comparing the metadata of a GGUF file with `config.json`.

use super::fields::{differs, integer, number};
use super::rope::check_scaling;
use crate::model::decoder::TextConfig;
use candle_core::quantized::gguf_file::Value;
use std::collections::HashMap;

/// llama.cpp's name of the decoder's architecture.
pub(super) fn architecture(config: &TextConfig) -> &'static str {
    match &config.gemma {
        Some(gemma) if gemma.has_head_norms => "gemma3",
        Some(gemma) if gemma.has_norms_after => "gemma2",
        Some(_) => "gemma",
        None if config.mrope_interleaved => "qwen3vl",
        None if config.mrope_sections.is_some() => "qwen2vl",
        None if config.attention_bias => "qwen2",
        None => "llama",
    }
}

/// Compares the metadata with the configuration.
///
/// # Errors
/// Fails at the first field that differs; the message has both values.
pub(super) fn check_metadata(fields: &HashMap<String, Value>, config: &TextConfig) -> Result<(), String> {
    let architecture = architecture(config);
    match fields.get("general.architecture") {
        Some(Value::String(found)) if found == architecture => {}
        Some(Value::String(found)) => {
            return Err(format!(
                "general.architecture: expected {architecture}, the decoder of config.json, found {found}"
            ));
        }
        _ => return Err("general.architecture: expected a text, found none".into()),
    }
    let (heads, deepstack) = (config.heads as u64, config.deepstack_layers);
    for (name, own, theirs, default) in [
        ("block_count", "num_hidden_layers", config.layers, None),
        ("embedding_length", "hidden_size", config.hidden, None),
        ("feed_forward_length", "intermediate_size", config.intermediate, None),
        ("attention.head_count", "num_attention_heads", config.heads, None),
        ("attention.head_count_kv", "num_key_value_heads", config.key_value_heads, Some(heads)),
        ("attention.key_length", "head_dim", config.head_size, Some(config.hidden as u64 / heads)),
        ("rope.dimension_count", "head_dim", config.head_size, Some(config.head_size as u64)),
        ("vocab_size", "vocab_size", config.vocabulary, Some(config.vocabulary as u64)),
        ("n_deepstack_layers", "deepstack_visual_indexes", deepstack, Some(deepstack as u64)),
    ] {
        let name = format!("{architecture}.{name}");
        let found = match fields.get(&name) {
            None => default.ok_or_else(|| format!("{name}: the field is missing"))?,
            Some(value) => integer(value).ok_or_else(|| format!("{name}: expected a whole number, found {value:?}"))?,
        };
        if found != theirs as u64 {
            return Err(differs(&name, &found.to_string(), &theirs.to_string(), own));
        }
    }
    for (name, own, theirs, default) in [
        ("rope.freq_base", "rope_theta", config.rope_theta, Some(10_000.0)),
        ("attention.layer_norm_rms_epsilon", "rms_norm_eps", config.norm_epsilon, None),
    ] {
        let name = format!("{architecture}.{name}");
        let found = match fields.get(&name) {
            None => default.ok_or_else(|| format!("{name}: the field is missing"))?,
            Some(Value::F32(found)) => f64::from(*found),
            Some(value) => return Err(format!("{name}: expected a number of type f32, found {value:?}")),
        };
        // f32 fields have about seven significant digits.
        if (found - theirs).abs() > 1e-5 * theirs.abs() {
            return Err(differs(&name, &found.to_string(), &theirs.to_string(), own));
        }
    }
    check_sections(fields, config, architecture)?;
    check_windows(fields, config, architecture)?;
    check_scaling(fields, config, architecture)
}

/// Compares the sliding window of a Gemma decoder; which layers have it, and their rotation base if the file does not say it,
/// is part of llama.cpp's code.
fn check_windows(fields: &HashMap<String, Value>, config: &TextConfig, architecture: &str) -> Result<(), String> {
    let Some(gemma) = config.gemma.as_ref().filter(|gemma| gemma.attends_to_all.contains(&false)) else {
        return Ok(());
    };
    let name = format!("{architecture}.attention.sliding_window");
    let found = fields.get(&name).and_then(integer).ok_or_else(|| format!("{name}: expected a whole number"))?;
    let own = config.sliding_window.unwrap_or(0);
    if found != own as u64 {
        return Err(differs(&name, &found.to_string(), &own.to_string(), "sliding_window"));
    }
    let name = format!("{architecture}.rope.freq_base_swa");
    match (number(fields, &name)?, gemma.local_rope_theta) {
        (Some(found), Some(own)) if (found - own).abs() > 1e-5 * own.abs() => {
            Err(differs(&name, &found.to_string(), &own.to_string(), "rope_local_base_freq"))
        }
        _ => Ok(()),
    }
}

/// Checks that part number and count in the metadata agree with the file names.
///
/// # Errors
/// Fails if the metadata differ from the name, or a part is used on its own.
pub(super) fn check_part(fields: &HashMap<String, Value>, number: usize, count: usize) -> Result<(), String> {
    for (name, expected, default) in [("split.count", count as u64, 1), ("split.no", number as u64, 0)] {
        let found = match fields.get(name) {
            None => default,
            Some(value) => integer(value).ok_or_else(|| format!("{name}: expected a whole number, found {value:?}"))?,
        };
        // Some writers store 0 for a file that was not split.
        if found != expected && !(name == "split.count" && found == 0 && count == 1) {
            return Err(format!(
                "{name} is {found}, but {expected} by the file names: expected all parts of one file, named \
                 NAME-00001-of-0000N.gguf"
            ));
        }
    }
    Ok(())
}

/// Compares the M-RoPE sections; llama.cpp has a fourth one, which is empty.
fn check_sections(fields: &HashMap<String, Value>, config: &TextConfig, architecture: &str) -> Result<(), String> {
    let Some([time, row, column]) = config.mrope_sections else { return Ok(()) };
    let name = format!("{architecture}.rope.dimension_sections");
    let found: Option<Vec<u64>> = match fields.get(&name) {
        Some(Value::Array(values)) if values.len() <= 4 => values.iter().map(integer).collect(),
        _ => None,
    };
    let mut found = found.ok_or_else(|| format!("{name}: expected a list of up to four whole numbers"))?;
    found.resize(4, 0);
    let theirs = [time as u64, row as u64, column as u64, 0];
    if found != theirs {
        return Err(differs(&name, &format!("{found:?}"), &format!("{theirs:?}"), "mrope_section"));
    }
    Ok(())
}

//! Comparing the RoPE scaling of a GGUF file with `config.json`. llama.cpp stores linear and YaRN scaling as fields, and
//! that of Llama 3.1 and LongRoPE as tables.

use super::fields::{differs, integer, number};
use crate::model::decoder::{RopeScaling, TextConfig};
use candle_core::quantized::gguf_file::Value;
use std::collections::HashMap;

/// Relative tolerance: fields and tables are f32, and our divisors are quotients of f32 values.
const TOLERANCE: f64 = 1e-4;

/// Compares the fields. As in llama.cpp, a file without a scaling type is scaled linearly if it has a factor.
///
/// # Errors
/// Fails at the first field that differs; the message has both values.
pub(super) fn check_scaling(
    fields: &HashMap<String, Value>,
    config: &TextConfig,
    architecture: &str,
) -> Result<(), String> {
    let kind_name = format!("{architecture}.rope.scaling.type");
    // The second is the older name of the field.
    let factor_names = ["rope.scaling.factor", "rope.scale_linear"].map(|name| format!("{architecture}.{name}"));
    let [new_name, old_name] = &factor_names;
    let (factor_name, factor) = match number(fields, new_name)? {
        Some(factor) => (new_name, Some(factor)),
        None => (old_name, number(fields, old_name)?),
    };
    // llama.cpp treats 0 as absent.
    let factor = factor.filter(|factor| *factor != 0.0);
    let kind = match fields.get(&kind_name) {
        Some(Value::String(kind)) => kind.as_str(),
        Some(kind) => return Err(format!("{kind_name}: expected a text, found {kind:?}")),
        None if factor.is_some() => "linear",
        None => "none",
    };
    let factor = factor.unwrap_or(1.0);
    let scales = |kind, factor| if kind == "linear" && is_close(factor, 1.0) { "none" } else { kind };
    // Some converters write a factor of 1 if there is no scaling.
    let kind = scales(kind, factor);
    let theirs = match &config.rope_scaling {
        None => "none",
        Some(RopeScaling::Linear { factor }) => scales("linear", *factor),
        Some(RopeScaling::Yarn { .. }) => "yarn",
        Some(RopeScaling::Dynamic { .. }) => "dynamic",
        Some(RopeScaling::Llama3 { .. }) => "llama3",
        Some(RopeScaling::LongRope { .. }) => "longrope",
    };
    // Files may omit these types, and not all have a name in llama.cpp.
    let may_be_unnamed = ["dynamic", "llama3", "longrope"].contains(&theirs);
    if kind != theirs && !(kind == "none" && may_be_unnamed) {
        return Err(differs(&kind_name, kind, theirs, "rope_parameters"));
    }
    let Some(scaling) = config.rope_scaling.as_ref().filter(|_| ["linear", "yarn"].contains(&kind)) else {
        return Ok(());
    };
    let own = scaling.factor_for(config.positions);
    if !is_close(factor, own) {
        return Err(differs(factor_name, &factor.to_string(), &own.to_string(), "factor"));
    }
    let RopeScaling::Yarn { beta_fast, beta_slow, attention_factor, .. } = scaling else { return Ok(()) };
    let name = format!("{architecture}.rope.scaling.original_context_length");
    let own = scaling.original(config.positions) as u64;
    match fields.get(&name) {
        None => {}
        Some(value) => match integer(value) {
            Some(found) if found == own => {}
            Some(found) => {
                let field = "original_max_position_embeddings";
                return Err(differs(&name, &found.to_string(), &own.to_string(), field));
            }
            None => return Err(format!("{name}: expected a whole number, found {value:?}")),
        },
    }
    for (field, config_field, own, default) in [
        ("yarn_beta_fast", "beta_fast", beta_fast, 32.0),
        ("yarn_beta_slow", "beta_slow", beta_slow, 1.0),
        ("yarn_attn_factor", "attention_factor", attention_factor, 1.0),
    ] {
        let name = format!("{architecture}.rope.scaling.{field}");
        let own = own.filter(|own| *own != 0.0).unwrap_or(default);
        if let Some(found) = number(fields, &name)?.filter(|found| !is_close(*found, own)) {
            return Err(differs(&name, &found.to_string(), &own.to_string(), config_field));
        }
    }
    Ok(())
}

/// Names and expected values of RoPE tables: the divisor of each pair's frequency. They are only compared; the network
/// computes its frequencies from `config.json`.
pub(super) fn tables(config: &TextConfig) -> Vec<(&'static str, Vec<f64>)> {
    let divisors = |length: usize| config.rope_divisors(length);
    match &config.rope_scaling {
        Some(RopeScaling::Llama3 { .. }) => vec![("rope_freqs.weight", divisors(1))],
        Some(scaling @ RopeScaling::LongRope { .. }) => vec![
            ("rope_factors_short.weight", divisors(1)),
            ("rope_factors_long.weight", divisors(scaling.original(config.positions).saturating_add(1))),
        ],
        _ => Vec::new(),
    }
}

/// Compares the table `name` of the file with that of the configuration.
///
/// # Errors
/// Fails at the first pair that differs; the message has both values.
pub(super) fn check_table(name: &str, found: &[f32], expected: &[f64]) -> Result<(), String> {
    for (pair, (found, expected)) in found.iter().zip(expected).enumerate() {
        if !is_close(f64::from(*found), *expected) {
            let name = format!("tensor {name}: the divisor of pair {pair}");
            return Err(differs(&name, &found.to_string(), &(*expected as f32).to_string(), "rope_parameters"));
        }
    }
    Ok(())
}

/// False if either value is NaN.
fn is_close(found: f64, expected: f64) -> bool {
    (found - expected).abs() <= TOLERANCE * expected.abs()
}

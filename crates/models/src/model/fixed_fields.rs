//! Configuration fields of which only one value is supported, since other values change the network. Absent or null means
//! that value.

use dissent_core::text::printable::beginning;
use serde_json::Value;

/// Fields of all decoders: name, and the supported value as JSON.
pub(in crate::model) const DECODER_FIELDS: [(&str, &str); 10] = [
    ("attn_logit_softcapping", "null"),
    ("final_logit_softcapping", "null"),
    ("logit_soft_cap", "null"),
    ("mlp_bias", "false"),
    ("partial_rotary_factor", "1"),
    ("qk_layer_norms", "false"),
    ("rope_interleaved", "false"),
    ("use_qk_norm", "false"),
    ("use_resampler", "false"),
    ("is_causal", "true"),
];

/// Fails if a field of `settings` has an unsupported value. `place` is prepended to the message.
pub(in crate::model) fn expect_fixed(settings: &Value, fields: &[(&str, &str)], place: &str) -> Result<(), String> {
    for (name, expected) in fields {
        let found = match settings.get(*name) {
            None | Some(Value::Null) => continue,
            Some(found) => found,
        };
        let is_it = match (found.as_f64(), expected.parse::<f64>()) {
            (Some(found), Ok(expected)) => (found - expected).abs() < f64::EPSILON,
            _ => serde_json::from_str::<Value>(expected).is_ok_and(|expected| *found == expected),
        };
        if !is_it {
            let found = beginning(&found.to_string(), 60);
            return Err(format!("{place}expected \"{name}\": {expected}, found {found}"));
        }
    }
    Ok(())
}

/// Fails unless `layer_types` has a known type for each layer.
pub(in crate::model) fn check_layer_types(types: &[String], layers: usize, place: &str) -> Result<(), String> {
    if types.len() != layers {
        let found = types.len();
        return Err(format!("{place}layer_types: expected one for each of {layers} layers, found {found}"));
    }
    match types.iter().find(|kind| !matches!(kind.as_str(), "full_attention" | "sliding_attention")) {
        None => Ok(()),
        Some(kind) => Err(format!(
            "{place}layer_types: expected \"full_attention\" or \"sliding_attention\", found \"{}\"",
            beginning(kind, 60)
        )),
    }
}

/// Fails if `head_dim` is given and differs from width / heads, which the calling networks use.
pub(in crate::model) fn check_head_dim(
    settings: &Value,
    width: usize,
    heads: usize,
    place: &str,
) -> Result<(), String> {
    let expected = width / heads.max(1);
    expect_fixed(settings, &[("head_dim", &expected.to_string())], place)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn other_values_are_refused() {
        let fields = [("a", "false"), ("b", "1"), ("c", "null")];
        for passes in [json!({}), json!({"a": false, "b": 1.0, "c": null}), json!({"a": null, "b": 1, "d": true})] {
            expect_fixed(&passes, &fields, "").unwrap();
        }
        for (settings, message) in [
            (json!({"a": true}), "text_config: expected \"a\": false, found true"),
            (json!({"b": 0.5}), "text_config: expected \"b\": 1, found 0.5"),
            (json!({"c": 30}), "text_config: expected \"c\": null, found 30"),
        ] {
            assert_eq!(expect_fixed(&settings, &fields, "text_config: ").unwrap_err(), message);
        }
    }
}

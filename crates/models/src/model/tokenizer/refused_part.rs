//! Finds the part of `tokenizer.json` that the tokenizers crate refuses, as its own messages only name Rust types.

use serde::de::DeserializeOwned;
use serde_json::Value;
use tokenizers::{DecoderWrapper, ModelWrapper, NormalizerWrapper, PostProcessorWrapper, PreTokenizerWrapper};

/// The crate's message `reason`, with the part of the definition that causes it if it can be found.
pub(super) fn refused_part(definition: &Value, reason: &str) -> String {
    let refused = refused::<NormalizerWrapper>(definition, "normalizer")
        .or_else(|| refused::<PreTokenizerWrapper>(definition, "pre_tokenizer"))
        .or_else(|| refused::<ModelWrapper>(definition, "model"))
        .or_else(|| refused::<PostProcessorWrapper>(definition, "post_processor"))
        .or_else(|| refused::<DecoderWrapper>(definition, "decoder"));
    refused.unwrap_or_else(|| reason.to_owned())
}

/// The error of one part; `None` if the part is valid or absent.
fn refused<Part: DeserializeOwned>(definition: &Value, name: &str) -> Option<String> {
    let part = definition.get(name).filter(|part| !part.is_null())?;
    let error = serde_json::from_value::<Part>(part.clone()).err()?.to_string();
    let kind = match part.get("type") {
        Some(kind) => format!("type {kind}"),
        None => "no type".to_owned(),
    };
    // Names of Rust types mean nothing to users.
    if error.contains("untagged enum") {
        return Some(format!(
            "field {name}: expected one of the kinds of Hugging Face tokenizers, found {kind} with other fields"
        ));
    }
    Some(format!("field {name} ({kind}): {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_part_is_named_and_no_type_of_the_crate() {
        for (part, value, expected) in [
            ("normalizer", json!({ "type": "Nonsense" }), "field normalizer"),
            ("pre_tokenizer", json!({ "type": 3 }), "field pre_tokenizer"),
            ("model", json!({ "type": "BPE", "vocab": 3 }), "field model"),
            ("model", json!({}), "field model: expected one of the kinds of Hugging Face tokenizers, found no type"),
            ("post_processor", json!([]), "field post_processor"),
            ("decoder", json!("x"), "field decoder"),
        ] {
            let mut definition = json!({ "normalizer": null, "model": { "type": "BPE", "vocab": {}, "merges": [] } });
            definition[part] = value;
            let reason = refused_part(&definition, "the crate's reason");
            assert!(reason.contains(expected) && !reason.contains("untagged"), "{reason}");
        }
        assert_eq!(refused_part(&json!({ "normalizer": null }), "the crate's reason"), "the crate's reason");
    }
}

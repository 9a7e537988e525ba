//! Which part of `tokenizer.json` the tokenizers crate refuses: it tries one kind after the other and then names its own types.

use serde::de::DeserializeOwned;
use serde_json::Value;
use tokenizers::{DecoderWrapper, ModelWrapper, NormalizerWrapper, PostProcessorWrapper, PreTokenizerWrapper};

/// `reason` of the crate with the part that it is about, where that can be found.
pub(super) fn refused_part(definition: &Value, reason: &str) -> String {
    let refused = refused::<NormalizerWrapper>(definition, "normalizer")
        .or_else(|| refused::<PreTokenizerWrapper>(definition, "pre_tokenizer"))
        .or_else(|| refused::<ModelWrapper>(definition, "model"))
        .or_else(|| refused::<PostProcessorWrapper>(definition, "post_processor"))
        .or_else(|| refused::<DecoderWrapper>(definition, "decoder"));
    refused.unwrap_or_else(|| reason.to_owned())
}

/// What is wrong with a part; `None` where it can be read or is not there.
fn refused<Part: DeserializeOwned>(definition: &Value, name: &str) -> Option<String> {
    let part = definition.get(name).filter(|part| !part.is_null())?;
    let error = serde_json::from_value::<Part>(part.clone()).err()?.to_string();
    let kind = match part.get("type") {
        Some(kind) => format!("type {kind}"),
        None => "no type".to_owned(),
    };
    // The crate's types mean nothing to whoever has the file.
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

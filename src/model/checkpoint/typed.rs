//! From JSON to the settings that a model reads: what is of another type is named by its field.

use serde::de::DeserializeOwned;
use serde_json::Value;

/// `value` as the settings `T`.
///
/// # Errors
/// What was expected and found, and in which field: serde alone says only the former, and a `config.json` has a hundred
/// numbers.
pub(in crate::model) fn typed<T: DeserializeOwned>(value: Value) -> Result<T, String> {
    serde_path_to_error::deserialize(value).map_err(|error| {
        let path = error.path().to_string();
        // What is said of the whole object (a missing field) names the field itself.
        if path == "." { error.into_inner().to_string() } else { format!("field {path}: {}", error.into_inner()) }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;
    use serde_json::json;

    #[derive(Debug, Deserialize)]
    struct Outer {
        #[allow(dead_code, reason = "what is read is not looked at here")]
        text_config: Inner,
    }

    #[derive(Debug, Deserialize)]
    struct Inner {
        #[allow(dead_code, reason = "what is read is not looked at here")]
        hidden_size: usize,
    }

    #[test]
    fn the_field_is_named_however_deep() {
        let of = |value: Value| typed::<Outer>(value).unwrap_err();
        assert_eq!(
            of(json!({ "text_config": { "hidden_size": null } })),
            "field text_config.hidden_size: invalid type: null, expected usize"
        );
        assert_eq!(of(json!({ "text_config": {} })), "field text_config: missing field `hidden_size`");
        assert_eq!(of(json!({})), "missing field `text_config`");
        assert!(typed::<Outer>(json!({ "text_config": { "hidden_size": 3 } })).is_ok());
    }
}

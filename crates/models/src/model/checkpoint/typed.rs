//! Deserialising JSON settings with errors that name the field.

use serde::de::DeserializeOwned;
use serde_json::Value;

/// Deserialises `value` as `T`.
///
/// # Errors
/// Fails with what was expected, what was found and the path of the field, which serde alone does not report.
pub(in crate::model) fn typed<T: DeserializeOwned>(value: Value) -> Result<T, String> {
    serde_path_to_error::deserialize(value).map_err(|error| {
        let path = error.path().to_string();
        // Errors about the whole object, such as a missing field, name the field themselves.
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
    fn nested_fields_are_named() {
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

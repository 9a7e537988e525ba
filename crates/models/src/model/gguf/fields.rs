//! Metadata fields of a GGUF file as numbers, and the message for one that does not fit `config.json`.

use candle_core::quantized::gguf_file::Value;
use std::collections::HashMap;

/// The value of an integer of any width; `None` for negative values and other types.
pub(super) fn integer(value: &Value) -> Option<u64> {
    match value {
        Value::I8(number) => u64::try_from(*number).ok(),
        Value::I16(number) => u64::try_from(*number).ok(),
        Value::I32(number) => u64::try_from(*number).ok(),
        Value::I64(number) => u64::try_from(*number).ok(),
        other => other.to_u64().ok(),
    }
}

/// The float `name`; `None` if there is no such field.
///
/// # Errors
/// Fails if the field has another type.
pub(super) fn number(fields: &HashMap<String, Value>, name: &str) -> Result<Option<f64>, String> {
    match fields.get(name) {
        None => Ok(None),
        Some(Value::F32(found)) => Ok(Some(f64::from(*found))),
        Some(Value::F64(found)) => Ok(Some(*found)),
        Some(value) => Err(format!("{name}: expected a number of type f32, found {value:?}")),
    }
}

/// The message for a field that has another value than the field `own` of `config.json`.
pub(super) fn differs(name: &str, found: &str, theirs: &str, own: &str) -> String {
    format!("{name} is {found}, but {own} of config.json is {theirs}: the files belong to different models")
}

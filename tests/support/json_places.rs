//! Places in a JSON value, as pointers.

use serde_json::Value;

/// Collects the places of numbers below `place`, in the order of the text.
pub fn numbers_of(value: &Value, place: String, pointers: &mut Vec<String>) {
    match value {
        Value::Number(_) => pointers.push(place),
        Value::Object(fields) => {
            for (name, value) in fields {
                numbers_of(value, format!("{place}/{name}"), pointers);
            }
        }
        Value::Array(values) => {
            for (number, value) in values.iter().enumerate() {
                numbers_of(value, format!("{place}/{number}"), pointers);
            }
        }
        _ => {}
    }
}

//! JSON in which no key appears twice with different values.
//!
//! `serde_json` and Python use the last value, other readers the first: two `layer_norm_eps` are two models
//! (issue 18, A4). Keys are compared while their object is built, so that a tokenizer of 17 MB takes no longer.

use super::printable::beginning;
use serde::de::{DeserializeSeed, Error, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Number, Value};
use std::fmt;

/// A value whose objects have one value for each key; a repeated key with the same value is accepted.
pub struct SingleKeys(pub Value);

impl<'de> Deserialize<'de> for SingleKeys {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Keeper.deserialize(deserializer).map(Self)
    }
}

#[derive(Clone, Copy)]
struct Keeper;

impl<'de> DeserializeSeed<'de> for Keeper {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Keeper {
    type Value = Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("any JSON value")
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E: Error>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(self)? {
            list.push(item);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some(key) = entries.next_key::<String>()? {
            let value: Value = entries.next_value_seed(self)?;
            match object.entry(key) {
                serde_json::map::Entry::Vacant(place) => {
                    place.insert(value);
                }
                serde_json::map::Entry::Occupied(first) if *first.get() == value => {}
                serde_json::map::Entry::Occupied(first) => {
                    let key = beginning(first.key(), 60);
                    return Err(A::Error::custom(format!("the key \"{key}\" appears twice with different values")));
                }
            }
        }
        Ok(Value::Object(object))
    }
}

#[cfg(test)]
mod tests {
    use crate::text::single_keys::*;

    fn read(text: &str) -> Result<Value, String> {
        serde_json::from_str::<SingleKeys>(text).map(|read| read.0).map_err(|error| error.to_string())
    }

    #[test]
    fn keys_that_stand_twice_are_refused_at_any_depth() {
        for text in [
            r#"{"a": 1e-05, "a": 0.5}"#,
            r#"{"a": 1, "b": 2, "\u0061": 2}"#,
            r#"[{"b": {"c": [{"a": 1, "x": 0, "a": {}}]}}]"#,
            r#"{"a": {"x": 1}, "a": {"x": 2}}"#,
            r#"{"a": null, "a": false}"#,
        ] {
            let message = read(text).unwrap_err();
            assert!(message.starts_with("the key \"a\" appears twice with different values at line 1"), "{message}");
        }
        assert_eq!(
            read(r#"{"a": [1], "b": {"a": 2}, "a": [1]}"#).unwrap(),
            serde_json::json!({"a": [1], "b": {"a": 2}})
        );
    }

    #[test]
    fn all_else_is_what_serde_json_makes_of_it() {
        for text in [
            r#"[null, true, -3, 18446744073709551615, 1e-5, 123456789012345678901234567890, "a\u00e9\n", "", {}, []]"#,
            r#"{"z": {"b": [1, {"c": 2.5}]}, "a": "x"}"#,
            "\"text\"",
        ] {
            assert_eq!(read(text).unwrap(), serde_json::from_str::<Value>(text).unwrap());
        }
        let deep = "[".repeat(200);
        for text in ["{", "{\"a\":1,}", "1 2", "", deep.as_str(), "{1:2}", "1e999"] {
            assert_eq!(read(text).unwrap_err(), serde_json::from_str::<Value>(text).unwrap_err().to_string());
        }
    }
}

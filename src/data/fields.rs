//! The fields of one JSON line, taken out one by one so that every wrong one is named.

use super::Problem;
use serde_json::{Map, Value};
use std::path::Path;

/// A parsed line, its place, and what was found wrong with it so far.
pub(super) struct Fields<'a> {
    values: Map<String, Value>,
    path: &'a Path,
    line: usize,
    pub problems: Vec<Problem>,
}

impl<'a> Fields<'a> {
    /// Parses a line, which must be a JSON object.
    pub fn parse(bytes: &[u8], path: &'a Path, line: usize) -> Result<Self, Problem> {
        let fail = |message: String| Err(Problem::error(path, message).at_line(line));
        match serde_json::from_slice::<Value>(bytes) {
            Ok(Value::Object(values)) => Ok(Self { values, path, line, problems: Vec::new() }),
            Ok(other) => fail(format!("expected a JSON object {{…}} on one line, found {}", kind_of(&other))),
            Err(error) => {
                let text = error.to_string();
                let reason = text.split(" at line ").next().unwrap_or(&text);
                fail(format!("not valid JSON: {reason} at column {}; expected one object on one line", error.column()))
            }
        }
    }

    /// A text that must be there and not be empty; `names` are the field's name and its other spellings.
    pub fn required(&mut self, names: &[&str]) -> String {
        match self.text(names) {
            Some(text) if !text.trim().is_empty() => text,
            Some(_) => {
                self.report(names[0], "expected a text, found an empty one".into());
                String::new()
            }
            None => {
                // A wrong type was reported already.
                if !self.problems.iter().any(|problem| problem.field.as_deref() == Some(names[0])) {
                    self.report(names[0], "the field is missing; expected a text".into());
                }
                String::new()
            }
        }
    }

    /// A text that may be missing or null. A number is read as its digits: the reference writes ids and grades so.
    /// An empty text is none: an empty group would be one group of all that have it, an empty question would hide the
    /// task's.
    pub fn optional(&mut self, names: &[&str]) -> Option<String> {
        self.text(names).filter(|text| !text.trim().is_empty())
    }

    fn text(&mut self, names: &[&str]) -> Option<String> {
        let value = names.iter().find_map(|name| self.values.get(*name))?;
        match value {
            Value::Null => None,
            Value::String(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            other => {
                let message = format!("expected a text, found {}", kind_of(other));
                self.report(names[0], message);
                None
            }
        }
    }

    /// Warns of fields that are neither known nor the reference's (reference.md §1.3): a misspelled `group` would
    /// otherwise go unnoticed.
    pub fn warn_of_unknown(&mut self, known: &[&str]) {
        let mut unknown = Vec::new();
        for name in self.values.keys() {
            if !known.contains(&name.as_str()) {
                unknown.push(name.clone());
            }
        }
        for name in unknown {
            let message = format!("unknown field, ignored; known ones are {}", known.join(", "));
            self.problems.push(Problem::warning(self.path, message).at_line(self.line).in_field(&name));
        }
    }

    /// Notes an error in a field.
    pub fn report(&mut self, field: &str, message: String) {
        self.problems.push(Problem::error(self.path, message).at_line(self.line).in_field(field));
    }
}

fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

//! Takes the fields of one JSON line one by one, so that every wrong one is reported.

use super::Problem;
use super::identifier::{group_of, identifier_of};
use super::label_set::list_text;
use crate::text::written_json::{Written, repeated};
use std::path::Path;

/// A parsed line, its place, and its problems so far.
pub(super) struct Fields<'a> {
    entries: Vec<(String, Written)>,
    path: &'a Path,
    line: usize,
    pub problems: Vec<Problem>,
}

impl<'a> Fields<'a> {
    /// Parses a line, which must be a JSON object. A repeated key with different values is an error, with the
    /// same value a warning.
    pub fn parse(bytes: &[u8], path: &'a Path, line: usize) -> Result<Self, Problem> {
        let fail = |message: String| Err(Problem::error(path, message).at_line(line));
        let list = if bytes.starts_with(b"[") { "; `jq -c '.[]' FILE` converts a list into lines" } else { "" };
        let entries = match Written::parse(bytes) {
            Ok(Written::Object(entries)) => entries,
            Ok(other) => {
                return fail(format!("expected a JSON object {{…}} on one line, found {}{list}", other.kind()));
            }
            Err(error) => return fail(format!("not valid JSON: {error}; expected one object on one line{list}")),
        };
        let mut problems = Vec::new();
        for (key, differs) in repeated(&entries) {
            let problem = if differs {
                Problem::error(path, "the field appears twice with different values; expected it once")
            } else {
                Problem::warning(path, "the field appears twice with the same value")
            };
            problems.push(problem.at_line(line).in_field(key));
        }
        Ok(Self { entries, path, line, problems })
    }

    /// Like [`Fields::required`], for an identifier: surrounding space is removed, and a whole number becomes its digits.
    pub fn required_id(&mut self, names: &[&str]) -> String {
        let text = self.required(names);
        self.without_space(names[0], &text)
    }

    /// Like [`Fields::required_id`], for a set of labels, which may also be a list of labels; it becomes the text of the
    /// list.
    pub fn required_set(&mut self, names: &[&str]) -> String {
        let text = self.text_of(names, "a text or a list of labels ([] for none of them)", &|value| match value {
            Written::List(entries) => Some(list_text(&entries.iter().map(identifier_of).collect::<Option<Vec<_>>>()?)),
            other => identifier_of(other),
        });
        let text = self.not_empty(names, text, "labels, or [] for none of them");
        self.without_space(names[0], &text)
    }

    /// A list of labels that may be missing or null.
    pub fn labels(&mut self, name: &str) -> Vec<String> {
        let Some((_, value)) = self.entries.iter().rev().find(|(key, _)| key == name) else { return Vec::new() };
        let labels = match value {
            Written::Null => return Vec::new(),
            Written::List(entries) => entries.iter().map(identifier_of).collect::<Option<Vec<String>>>(),
            _ => None,
        };
        labels.unwrap_or_else(|| {
            self.report(name, "expected a list of labels, such as [\"Edema\"]".into());
            Vec::new()
        })
    }

    /// The patient or study, normalised for comparison.
    pub fn group(&mut self) -> Option<String> {
        let text = self.optional(&["group"])?;
        let trimmed = self.without_space("group", &text);
        let group = group_of(&trimmed);
        (!group.is_empty()).then_some(group)
    }

    fn without_space(&mut self, field: &str, text: &str) -> String {
        let trimmed = super::identifier::trimmed(text);
        if trimmed != text {
            let message = format!("spaces or invisible characters around {text:?} are ignored");
            self.problems.push(Problem::warning(self.path, message).at_line(self.line).in_field(field));
        }
        trimmed.to_owned()
    }

    /// A required text that must not be empty; `names` are the field's name and its other spellings.
    pub fn required(&mut self, names: &[&str]) -> String {
        let text = self.text(names);
        self.not_empty(names, text, "a text")
    }

    fn not_empty(&mut self, names: &[&str], text: Option<String>, expected: &str) -> String {
        match text {
            Some(text) if !super::identifier::trimmed(&text).is_empty() => text,
            Some(_) => {
                self.report(names[0], format!("expected {expected}, found an empty text"));
                String::new()
            }
            None => {
                // A wrong type was reported already.
                let is_named = |problem: &Problem| problem.field.as_deref().is_some_and(|field| names.contains(&field));
                if !self.problems.iter().any(is_named) {
                    self.report(names[0], format!("the field is missing; expected {expected}"));
                }
                String::new()
            }
        }
    }

    /// A text that may be missing or null. A number is read as its digits, because the reference code writes ids and grades so.
    /// An empty text counts as missing: an empty group would put all its cases into one group, an empty question would hide the
    /// task's.
    pub fn optional(&mut self, names: &[&str]) -> Option<String> {
        self.text(names).filter(|text| !super::identifier::trimmed(text).is_empty())
    }

    /// The text under one of the names. Under several names, it must be the same.
    fn text(&mut self, names: &[&str]) -> Option<String> {
        self.text_of(names, "a text", &identifier_of)
    }

    /// As [`Fields::text`]; `read` gives the text of a value that is none, or `None` if it is not what is `expected`.
    fn text_of(&mut self, names: &[&str], expected: &str, read: &dyn Fn(&Written) -> Option<String>) -> Option<String> {
        let mut found: Option<(&str, String)> = None;
        for name in names {
            let Some((_, value)) = self.entries.iter().rev().find(|(key, _)| key == name) else { continue };
            let text = match value {
                Written::Null => continue,
                // The caller handles space around a text.
                Written::Text(text) => text.clone(),
                Written::NotFinite(word) => {
                    let message = format!(
                        "found {word}, which is not JSON (Python writes it for a missing value); expected a text or null"
                    );
                    self.report(name, message);
                    return None;
                }
                other => {
                    let Some(text) = read(other) else {
                        let message = format!("expected {expected}, found {}", other.kind());
                        self.report(names[0], message);
                        return None;
                    };
                    text
                }
            };
            match &found {
                Some((before, known)) if *known != text => {
                    let message =
                        format!("found {text:?}, but {before} is {known:?}; expected only one of the two fields");
                    self.report(name, message);
                    return None;
                }
                Some(_) => {}
                None => found = Some((name, text)),
            }
        }
        found.map(|(_, text)| text)
    }

    /// Warns of fields that are neither ours nor the reference code's (docs/method.md, "Data"): a misspelled `group` would
    /// otherwise go unnoticed.
    pub fn warn_of_unknown(&mut self, known: &[&str]) {
        let mut unknown = Vec::new();
        for (name, _) in &self.entries {
            if !known.contains(&name.as_str()) && !unknown.contains(name) {
                unknown.push(name.clone());
            }
        }
        for name in unknown {
            let message = format!("unknown field, ignored; known ones are {}", known.join(", "));
            self.problems.push(Problem::warning(self.path, message).at_line(self.line).in_field(&name));
        }
    }

    /// Records an error in a field.
    pub fn report(&mut self, field: &str, message: String) {
        self.problems.push(Problem::error(self.path, message).at_line(self.line).in_field(field));
    }
}

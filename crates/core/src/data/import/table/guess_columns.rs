//! What the values of a column look like in the first rows of a table.

use crate::data::import::{Value, split_of_word};
use std::collections::BTreeMap;

/// The first rows of one column.
#[derive(Debug)]
pub(super) struct ColumnSample {
    pub name: String,
    /// Number of values that are not missing.
    pub filled: usize,
    pub rows: usize,
    /// Different values with their numbers.
    pub values: BTreeMap<String, usize>,
    pub has_lists: bool,
    letters: usize,
}

impl ColumnSample {
    pub fn new(name: &str) -> Self {
        Self { name: name.into(), filled: 0, rows: 0, values: BTreeMap::new(), has_lists: false, letters: 0 }
    }

    pub fn add(&mut self, value: &Value) {
        self.rows += 1;
        self.has_lists |= matches!(value, Value::List(_));
        if let Some(text) = value.text().map(str::trim).filter(|text| !text.is_empty()) {
            self.filled += 1;
            self.letters += text.chars().count();
            *self.values.entry(text.to_owned()).or_default() += 1;
        }
    }

    /// Whether the name is one of these or has one as a part, in lower case.
    pub fn is_called(&self, words: &[&str]) -> bool {
        let name = self.name.to_lowercase();
        words.iter().any(|word| name.split(|letter: char| !letter.is_alphanumeric()).any(|part| part == *word))
    }

    /// Whether every value is one of 0, 1 and -1, with both 0 and 1 or only 1 and missing ones.
    pub fn is_zero_or_one(&self) -> bool {
        let is_mark = |text: &str| matches!(text.parse::<f64>(), Ok(-1.0 | 0.0 | 1.0));
        self.filled > 0 && self.values.keys().all(|text| is_mark(text))
    }

    pub fn is_split(&self) -> bool {
        self.filled == self.rows && self.rows > 0 && self.values.keys().all(|text| split_of_word(text).is_some())
    }

    pub fn is_different_in_every_row(&self) -> bool {
        self.rows > 0 && self.values.len() == self.rows
    }

    /// Whether the values are few and repeat themselves.
    pub fn is_label(&self) -> bool {
        let (found, filled) = (self.values.len(), self.filled);
        !self.has_lists && (2..=60).contains(&found) && (found * 2 <= filled || filled < 10) && self.mean_length() < 60
    }

    pub fn mean_length(&self) -> usize {
        self.letters / self.filled.max(1)
    }

    /// The text between the labels of one value, if there is one.
    pub fn separator(&self) -> Option<&'static str> {
        ["|", ";"].into_iter().find(|separator| self.values.keys().any(|text| text.contains(separator)))
    }

    /// The first values, for a comment.
    pub fn shown(&self) -> String {
        let shown: Vec<String> =
            self.values.keys().take(4).map(|text| format!("{:?}", text.chars().take(30).collect::<String>())).collect();
        shown.join(", ")
    }
}

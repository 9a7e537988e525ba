//! The labels of a task, gathered while rows stream by.

use super::mapping::TaskMapping;
use crate::data::identifier::{group_of, trimmed};
use crate::data::{MOST_LABELS_IN_SETS, TaskKind};
use anyhow::{Result, bail};
use std::cmp::Ordering;
use std::collections::{BTreeMap, HashMap, HashSet};

/// Most labels of a task with one label per answer. A column with more distinct values holds no labels but ids or texts.
const MOST_LABELS: usize = 1000;

/// Labels by their key.
#[derive(Debug)]
pub(super) struct GatheredLabels {
    /// Names by the key of their code.
    codes: HashMap<String, String>,
    /// The first spelling of each label, by its key.
    labels: HashMap<String, String>,
    /// Labels of the mapping, in its order; others are then refused.
    fixed: Vec<String>,
    /// Other spellings of labels, with the one that counts.
    spellings: BTreeMap<String, String>,
    most: usize,
}

impl GatheredLabels {
    /// The labels that the mapping lists, or none yet.
    pub fn new(task: &TaskMapping) -> Self {
        let codes: HashMap<String, String> =
            task.names.iter().map(|(code, name)| (key_of(code), trimmed(name).to_owned())).collect();
        let named = |label: &String| codes.get(&key_of(label)).cloned().unwrap_or_else(|| trimmed(label).to_owned());
        let none: HashSet<String> = task.none.iter().map(|label| key_of(label)).collect();
        let columns = task.columns.iter().filter(|column| !none.contains(&key_of(column)));
        let mut fixed: Vec<String> = Vec::new();
        for label in task.labels.iter().chain(columns).map(named) {
            if !fixed.contains(&label) {
                fixed.push(label);
            }
        }
        let labels = fixed.iter().map(|label| (key_of(label), label.clone())).collect();
        let most = if task.kind == TaskKind::MultiLabel { MOST_LABELS_IN_SETS } else { MOST_LABELS };
        Self { codes, labels, fixed, spellings: BTreeMap::new(), most }
    }

    /// The name of the label with this code or name. `None` if the mapping lists the labels, and not this one.
    ///
    /// # Errors
    /// Fails if there are too many labels.
    pub fn name_of(&mut self, text: &str) -> Result<Option<String>> {
        let text = trimmed(text);
        let name = self.codes.get(&key_of(text)).map_or(text, String::as_str);
        let key = key_of(name);
        if let Some(known) = self.labels.get(&key) {
            if known != name && !self.spellings.contains_key(name) {
                self.spellings.insert(name.to_owned(), known.clone());
            }
            return Ok(Some(known.clone()));
        }
        if !self.fixed.is_empty() {
            return Ok(None);
        }
        if self.labels.len() == self.most {
            bail!("expected at most {} labels, found another one: {:?}; is this column an answer?", self.most, name);
        }
        let name = name.to_owned();
        self.labels.insert(key, name.clone());
        Ok(Some(name))
    }

    /// The name that the mapping has for a code.
    pub fn name_of_code(&self, text: &str) -> Option<&str> {
        self.codes.get(&key_of(text)).map(String::as_str)
    }

    /// Whether the mapping says what this text means.
    pub fn is_named(&self, text: &str) -> bool {
        let key = key_of(text);
        self.codes.contains_key(&key) || (!self.fixed.is_empty() && self.labels.contains_key(&key))
    }

    /// All labels: in the order of the mapping, or sorted, numbers by their value.
    pub fn sorted(&self) -> Vec<String> {
        if !self.fixed.is_empty() {
            return self.fixed.clone();
        }
        let mut labels: Vec<String> = self.labels.values().cloned().collect();
        labels.sort_by(|one, other| in_order(one, other));
        labels
    }

    /// Spellings that count as another one, with that one.
    pub fn spellings(&self) -> &BTreeMap<String, String> {
        &self.spellings
    }
}

/// Codes and labels with the same key are the same: they differ only in case, in space around them, or as 1 and 1.0 do.
pub(super) fn key_of(text: &str) -> String {
    group_of(text).to_lowercase()
}

fn in_order(one: &str, other: &str) -> Ordering {
    match (one.parse::<f64>(), other.parse::<f64>()) {
        (Ok(first), Ok(second)) => first.total_cmp(&second),
        (Ok(_), Err(_)) => Ordering::Less,
        (Err(_), Ok(_)) => Ordering::Greater,
        (Err(_), Err(_)) => one.cmp(other),
    }
}

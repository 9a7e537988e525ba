//! Does the dataset have the names that a filter asks for?

use super::field::{Field, Kind};
use super::matching::same;
use super::{Filter, Test};
use crate::cases::Cases;
use crate::cases::answer_names::{NO_LABEL, letter};
use crate::data::{Task, TaskKind};

/// Names in a message; a corpus may have thousands of sources.
const MOST_NAMES: usize = 12;

impl Filter {
    /// Is every task, label, source and category among those of the dataset? Groups and parts of ids are not checked: they are
    /// too many to be listed.
    ///
    /// # Errors
    /// Names the value that no case can have, and those that exist.
    pub fn check(&self, cases: &Cases) -> Result<(), String> {
        for term in &self.terms {
            let Test::Is(field, values) = &term.test else { continue };
            for value in values {
                if let Some(known) = unknown(cases, *field, value) {
                    return Err(format!("{}:{value}: expected {}", field.row().name, listed(&known)));
                }
            }
        }
        Ok(())
    }
}

/// The names that exist, if this is none of them.
fn unknown(cases: &Cases, field: Field, value: &str) -> Option<Vec<String>> {
    let tasks = &cases.dataset().tasks;
    let known: Vec<String> = match field {
        Field::Task => tasks.iter().map(|task| task.id.clone()).collect(),
        // Any words may answer an open question.
        Field::Label | Field::Answer if tasks.iter().any(|task| task.kind == TaskKind::OpenVqa) => return None,
        Field::Answer if value == "?" => return None,
        Field::Label | Field::Answer if value == NO_LABEL && tasks.iter().any(takes_several) => return None,
        Field::Label | Field::Answer => {
            if tasks.iter().any(|task| !takes_several(task) && is_letter_of(task, value)) {
                return None;
            }
            let labels = || tasks.iter().flat_map(|task| &task.labels);
            if labels().any(|label| same(&label.id, value)) {
                return None;
            }
            labels().map(|label| label.name.clone()).collect()
        }
        // While only the cases are read, no source is known.
        Field::Source if cases.dataset().corpus.is_empty() => return None,
        Field::Source => cases.sources().to_vec(),
        Field::Head => cases.heads().to_vec(),
        Field::Mine | Field::Final => {
            let Kind::Words(words) = field.row().kind else { return None };
            if words.contains(&value) {
                return None;
            }
            // Keys are told apart by case.
            let keys: Vec<String> = cases.categories().iter().map(|category| category.key.to_string()).collect();
            if keys.iter().any(|key| key == value) {
                return None;
            }
            return Some(words.iter().map(ToString::to_string).chain(keys).collect());
        }
        _ => return None,
    };
    if known.iter().any(|name| same(name, value)) { None } else { Some(known) }
}

fn takes_several(task: &Task) -> bool {
    task.kind == TaskKind::MultiLabel
}

/// The letter that one of the task's labels has on the screen.
fn is_letter_of(task: &Task, value: &str) -> bool {
    let mut letters = (0..task.labels.len()).map(|label| letter(Some(label)));
    letters.any(|letter| letter.is_ascii_uppercase() && value.chars().eq([letter.to_ascii_lowercase()]))
}

fn listed(known: &[String]) -> String {
    let mut names: Vec<&str> = Vec::new();
    for name in known {
        if !names.contains(&name.as_str()) {
            names.push(name);
        }
    }
    let rest = names.len().saturating_sub(MOST_NAMES);
    let mut text = names[..names.len() - rest].join(", ");
    if text.is_empty() {
        "no name: this dataset has none".clone_into(&mut text);
    }
    if rest > 0 {
        text.push_str(&format!(" and {rest} more"));
    }
    text
}

//! A label: one possible answer of a task.

use serde::{Deserialize, Serialize};

/// One possible answer. The reader's score is the likelihood of `id`; people read `name`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Label {
    pub id: String,
    pub name: String,
    /// Words for the label in captions (`malignant` for Yes); default: its name, unless that is `Yes` or `No`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub named_as: Vec<String>,
}

impl Label {
    /// A label without other words in captions.
    pub fn new(id: impl Into<String>, name: impl Into<String>) -> Self {
        Self { id: id.into(), name: name.into(), named_as: Vec::new() }
    }
}

/// Position of the label with this id; ids are compared ignoring case if none is the same.
pub(super) fn position_of(labels: &[Label], id: &str) -> Option<usize> {
    let id = id.trim();
    labels
        .iter()
        .position(|label| label.id == id)
        .or_else(|| labels.iter().position(|label| label.id.eq_ignore_ascii_case(id)))
}

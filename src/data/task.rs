//! A task: a question family with its label set and its prompt.

use serde::{Deserialize, Serialize};

/// What kind of answer a task wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TaskKind {
    Classification,
    ClosedVqa,
    MultiLabel,
}

/// One possible answer. The reader is scored on `id`, the text it would say; people read `name`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Label {
    pub id: String,
    pub name: String,
}

/// Prompt text with slots, in the order of the reference (paper section on prompts; reference.md §3.2):
/// `{document_image}`, `{caption}`, `{query_image}`, `{question}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PromptTemplate {
    #[serde(default = "default_with_document")]
    pub with_document: String,
    #[serde(default = "default_closed_book")]
    pub closed_book: String,
}

impl Default for PromptTemplate {
    fn default() -> Self {
        Self { with_document: default_with_document(), closed_book: default_closed_book() }
    }
}

fn default_with_document() -> String {
    "{document_image}background: {caption}\n\n{query_image}{question}".into()
}

fn default_closed_book() -> String {
    "{query_image}{question}".into()
}

/// One `[[task]]` of `dataset.toml`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Task {
    pub id: String,
    pub kind: TaskKind,
    /// Asked where a case brings no question of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub question: Option<String>,
    pub labels: Vec<Label>,
    #[serde(default)]
    pub prompt: PromptTemplate,
}

impl Task {
    /// Position of the label with this id; ids of closed questions are compared without regard to case.
    pub fn label_index(&self, answer: &str) -> Option<usize> {
        let answer = answer.trim();
        self.labels
            .iter()
            .position(|label| label.id == answer)
            .or_else(|| self.labels.iter().position(|label| label.id.eq_ignore_ascii_case(answer)))
    }
}

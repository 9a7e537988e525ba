//! A task: a kind of question with its labels and its prompt.

use super::answer::Answer;
use super::case::Case;
use super::label::{Label, position_of};
use super::set_prompt::SetPrompt;
use serde::{Deserialize, Serialize};

/// The kind of answer of a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TaskKind {
    Classification,
    ClosedVqa,
    /// Several labels at once: the answer lists their ids, as in `0, 3`, or `[]` for none of them.
    MultiLabel,
    /// The answer is one of some sets of labels, each of which is a label id: `0, 3`.
    LabelSet,
    /// The answer is free text; there are no labels.
    OpenVqa,
}

/// Prompt text with slots, in the order of the reference (paper section on prompts; docs/method.md, "Prompt"):
/// `{document_image}`, `{caption}`, `{query_image}`, `{question}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PromptTemplate {
    #[serde(default = "default_with_document")]
    pub with_document: String,
    #[serde(default = "default_closed_book")]
    pub closed_book: String,
    /// How a set of labels is asked for.
    #[serde(default, skip_serializing_if = "SetPrompt::is_default")]
    pub sets: SetPrompt,
}

impl Default for PromptTemplate {
    fn default() -> Self {
        Self { with_document: default_with_document(), closed_book: default_closed_book(), sets: SetPrompt::default() }
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
    /// The question for cases without their own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub question: Option<String>,
    /// The labels; empty for [`TaskKind::OpenVqa`].
    #[serde(default)]
    pub labels: Vec<Label>,
    #[serde(default)]
    pub prompt: PromptTemplate,
}

impl Task {
    /// Position of the label with this id; ids of closed questions are compared ignoring case.
    pub(crate) fn label_index(&self, answer: &str) -> Option<usize> {
        position_of(&self.labels, answer)
    }

    /// Whether the answer is one of the labels; otherwise documents are rated by the likelihood of the answer text.
    pub fn chooses_one_label(&self) -> bool {
        matches!(self.kind, TaskKind::Classification | TaskKind::ClosedVqa | TaskKind::LabelSet)
    }

    /// The gold answer to a case of this task; `None` if some of its labels are unknown, so that no set is known to be right.
    pub fn gold_of(&self, case: &Case) -> Option<Answer> {
        if case.unknown.is_empty() { self.answer_of(&case.answer) } else { None }
    }

    /// The answer with this text, for comparison with predictions: the label with this id, the set of
    /// these labels, or the words of an open answer.
    pub fn answer_of(&self, text: &str) -> Option<Answer> {
        match self.kind {
            TaskKind::OpenVqa => Answer::from_words(text),
            TaskKind::MultiLabel => self.set_of(text).ok().map(Answer::Set),
            _ => self.label_index(text).map(Answer::Label),
        }
    }

    /// The answer as a reader would write it: the label's id, the ids in the order of the labels, or the text itself.
    ///
    /// # Errors
    /// Fails with the part of the answer that is not a label.
    pub(crate) fn spell(&self, answer: &str) -> Result<String, String> {
        let known = |part: &str| self.label_index(part).ok_or_else(|| part.trim().to_owned());
        match self.kind {
            TaskKind::Classification | TaskKind::ClosedVqa | TaskKind::LabelSet => {
                Ok(self.labels[known(answer)?].id.clone())
            }
            TaskKind::OpenVqa => Ok(answer.trim().to_owned()),
            TaskKind::MultiLabel => Ok(self.text_of_set(self.set_of(answer)?)),
        }
    }

    /// For a task whose answers are sets of labels: the labels in them, in order (shorter ones first, to sort numbers), and
    /// for each answer the positions of its labels. `None` for other tasks.
    pub fn label_sets(&self) -> Option<(Vec<&str>, Vec<Vec<usize>>)> {
        if self.kind != TaskKind::LabelSet {
            return None;
        }
        let mut names: Vec<&str> = self.labels.iter().flat_map(names_in).collect();
        names.sort_unstable_by_key(|name| (name.len(), *name));
        names.dedup();
        let position = |name: &str| names.iter().position(|known| *known == name);
        let sets = self.labels.iter().map(|label| names_in(label).filter_map(position).collect()).collect();
        Some((names, sets))
    }

    /// The task with this answer as its only label, so that a reader returns the likelihood of the whole text.
    #[must_use]
    pub fn asking_for(&self, answer: &str) -> Self {
        Self { labels: vec![Label::new(answer, answer)], ..self.clone() }
    }
}

/// The labels of a set written as a list.
fn names_in(set: &Label) -> impl Iterator<Item = &str> {
    set.id.split(',').map(str::trim)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn task(kind: TaskKind, labels: &[&str]) -> Task {
        let labels = labels.iter().map(|id| Label::new(*id, *id)).collect();
        Task { id: "t".into(), kind, question: None, labels, prompt: PromptTemplate::default() }
    }

    #[test]
    fn answers_are_spelt_in_one_way() {
        assert_eq!(task(TaskKind::ClosedVqa, &["Yes", "No"]).spell(" yes "), Ok("Yes".into()));
        assert_eq!(task(TaskKind::ClosedVqa, &["Yes", "No"]).spell("maybe"), Err("maybe".into()));
        let findings = task(TaskKind::MultiLabel, &["0", "1", "2", "3"]);
        assert_eq!(findings.spell("3,0, 3"), Ok("0, 3".into()));
        assert_eq!(findings.label_sets(), None);
        let sets = task(TaskKind::LabelSet, &["10", "2, 10", "1"]);
        assert_eq!(sets.label_sets(), Some((vec!["1", "2", "10"], vec![vec![2], vec![1, 2], vec![0]])));
        assert_eq!(findings.spell("3, 9"), Err("9".into()));
        assert_eq!(task(TaskKind::OpenVqa, &[]).spell(" left upper lobe"), Ok("left upper lobe".into()));
    }
}

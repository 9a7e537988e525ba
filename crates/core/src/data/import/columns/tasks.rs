//! The tasks of the manifest, from a mapping and the answers of all rows.

use super::answers::RowAnswer;
use super::gathered_labels::GatheredLabels;
use super::mapping::TaskMapping;
use crate::data::{Label, PromptTemplate, Task, TaskKind};
use anyhow::{Result, bail};

/// Most labels that a question of the importer lists.
const MOST_LISTED: usize = 15;

/// A task of the mapping with what its rows have shown so far.
#[derive(Debug)]
pub(super) struct GatheredTask {
    pub mapping: TaskMapping,
    pub labels: GatheredLabels,
    /// Numbers of rows with a label or set, with yes or no, and with other words.
    labelled: usize,
    yes_no: usize,
    words: usize,
    /// Number of rows with a set of one label.
    single: usize,
}

impl GatheredTask {
    pub fn new(mapping: TaskMapping) -> Self {
        let labels = GatheredLabels::new(&mapping);
        Self { mapping, labels, labelled: 0, yes_no: 0, words: 0, single: 0 }
    }

    /// Counts an answer; returns the id of its task, its text and its unknown labels for the case.
    pub fn written(&mut self, answer: &RowAnswer) -> (String, String, Vec<String>) {
        match answer {
            RowAnswer::Label(name) => {
                self.labelled += 1;
                (self.mapping.id.clone(), name.clone(), Vec::new())
            }
            RowAnswer::Set { labels, unknown } => {
                self.labelled += 1;
                self.single += usize::from(labels.len() == 1);
                // A JSON list stays right whatever labels later rows have.
                (self.mapping.id.clone(), serde_json::Value::from(labels.clone()).to_string(), unknown.clone())
            }
            RowAnswer::YesNo(yes) => {
                self.yes_no += 1;
                (self.mapping.id.clone(), if *yes { "yes" } else { "no" }.into(), Vec::new())
            }
            RowAnswer::Words(text) => {
                self.words += 1;
                (self.open_id(), text.clone(), Vec::new())
            }
        }
    }

    /// The id of the task of the answers in words.
    fn open_id(&self) -> String {
        if self.mapping.kind == TaskKind::OpenVqa {
            return self.mapping.id.clone();
        }
        format!("{}-open", self.mapping.id)
    }

    /// The tasks of the manifest: those that have cases.
    ///
    /// # Errors
    /// Fails if there is only one label, which leaves nothing to choose.
    pub fn tasks(&self) -> Result<Vec<Task>> {
        let mut tasks = Vec::new();
        if self.labelled > 0 {
            let names = self.labels.sorted();
            if let [only] = &names[..] {
                bail!(
                    "task {:?}: expected at least two labels, found only {only:?}; list them all as labels = […] in a mapping",
                    self.mapping.id
                );
            }
            let question = self.mapping.question.clone().or_else(|| self.default_question(&names));
            let labels = names.iter().map(|name| Label::new(name, name)).collect();
            tasks.push(task(&self.mapping.id, self.mapping.kind, question, labels));
        }
        if self.yes_no > 0 {
            let labels = vec![Label::new("yes", "Yes"), Label::new("no", "No")];
            tasks.push(task(&self.mapping.id, TaskKind::ClosedVqa, self.mapping.question.clone(), labels));
        }
        if self.words > 0 {
            tasks.push(task(&self.open_id(), TaskKind::OpenVqa, self.mapping.question.clone(), Vec::new()));
        }
        Ok(tasks)
    }

    /// The question of a task without one: the reader must know the labels.
    fn default_question(&self, names: &[String]) -> Option<String> {
        if self.mapping.question_column.is_some() {
            return None;
        }
        let listed = if names.len() <= MOST_LISTED { format!(": {}", names.join("; ")) } else { String::new() };
        Some(match self.mapping.kind {
            TaskKind::MultiLabel => {
                format!("Which of these does the image show{listed}? There may be several or none.")
            }
            _ => format!("Which of these does the image show{listed}?"),
        })
    }

    /// What the user should know about the answers.
    pub fn remarks(&self) -> Vec<String> {
        let id = &self.mapping.id;
        let mut remarks = Vec::new();
        if self.mapping.kind == TaskKind::ClosedVqa && self.words > 0 {
            let open = self.open_id();
            remarks.push(format!(
                "task {id}: {} answers are yes or no; {} others are cases of the open task {open}",
                self.yes_no, self.words
            ));
        }
        for (spelling, counted) in self.labels.spellings().iter().take(10) {
            remarks.push(format!("task {id}: {spelling:?} counts as the label {counted:?}"));
        }
        if self.mapping.kind == TaskKind::MultiLabel && self.labelled > 0 && self.single == self.labelled {
            remarks.push(format!("task {id}: every row has exactly one label; kind classification asks for one"));
        }
        if self.mapping.kind == TaskKind::Classification {
            let joined = self.labels.sorted().into_iter().find(|label| label.contains('|'));
            if let Some(label) = joined {
                remarks.push(format!(
                    "task {id}: {label:?} is one label; kind multi-label with the separator | makes it several"
                ));
            }
        }
        remarks
    }
}

fn task(id: &str, kind: TaskKind, question: Option<String>, labels: Vec<Label>) -> Task {
    Task { id: id.into(), kind, question, labels, prompt: PromptTemplate::default() }
}

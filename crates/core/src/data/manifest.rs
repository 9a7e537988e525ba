//! `dataset.toml`: name, licence, note and tasks.

use super::identifier::{look_alikes, trimmed};
use super::{MOST_LABELS_IN_SETS, Problem, Task, TaskKind};
use crate::files::input_file;
use crate::text::toml_text;
use serde::{Deserialize, Serialize};
use std::collections::HashSet;
use std::path::Path;

/// File name of the manifest.
pub const MANIFEST_FILE: &str = "dataset.toml";

/// Maximum size: a thousand times that of the largest known dataset.
const LONGEST: u64 = 1 << 20;

/// The slots that a prompt template may use.
const SLOTS: [&str; 4] = ["document_image", "caption", "query_image", "question"];

/// The content of `dataset.toml`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    pub name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub licence: Option<String>,
    /// Shown wherever the dataset is explored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// The one part that the dataset has on purpose; without this, an empty `cases.jsonl` or `corpus.jsonl` is an error.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub only: Option<OnlyPart>,
    #[serde(default, rename = "task", skip_serializing_if = "Vec::is_empty")]
    pub tasks: Vec<Task>,
}

/// A part of a dataset that is there without the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OnlyPart {
    /// Cases without a corpus: only closed-book predictions are possible.
    Cases,
    /// A corpus without cases: it can be indexed and searched.
    Corpus,
}

impl Manifest {
    /// A manifest of a dataset with cases and corpus, without licence and note.
    pub fn new(name: impl Into<String>, tasks: Vec<Task>) -> Self {
        Self { name: name.into(), licence: None, note: None, only: None, tasks }
    }

    /// Reads `path`. A file that is not a manifest is an error; its tasks may have several problems.
    pub fn read(path: &Path) -> Result<(Self, Vec<Problem>), Problem> {
        let text = input_file::read_text(path, LONGEST).map_err(|error| {
            Problem::error(path, format!("cannot read the file ({error}); expected name and [[task]] entries"))
        })?;
        let mut manifest: Self = toml_text::parse(&text).map_err(|error| {
            let problem = Problem::error(path, error.reason);
            match error.place {
                Some((line, _)) => problem.at_line(line),
                None => problem,
            }
        })?;
        for task in &mut manifest.tasks {
            // Task ids in cases are trimmed, too.
            task.id = trimmed(&task.id).to_owned();
        }
        let problems = manifest.problems(path);
        Ok((manifest, problems))
    }

    /// The text of `dataset.toml`.
    pub fn to_toml(&self) -> anyhow::Result<String> {
        Ok(toml::to_string_pretty(self)?)
    }

    fn problems(&self, path: &Path) -> Vec<Problem> {
        let mut problems = Vec::new();
        if self.name.trim().is_empty() {
            problems.push(Problem::error(path, "expected a name, found an empty one").in_field("name"));
        }
        if self.tasks.is_empty() && self.only != Some(OnlyPart::Corpus) {
            problems.push(Problem::error(path, "expected at least one [[task]], found none").in_field("task"));
        }
        let mut ids = HashSet::new();
        for task in &self.tasks {
            if !ids.insert(&task.id) {
                problems.push(Problem::error(path, format!("task id {:?} is used twice", task.id)).in_field("task.id"));
            }
            task_problems(task, path, &mut problems);
        }
        for (one, other) in look_alikes(self.tasks.iter().map(|task| task.id.as_str())) {
            let message = format!(
                "task ids {one:?} and {other:?} differ only in case, space or spelling; they count as two tasks"
            );
            problems.push(Problem::warning(path, message).in_field("task.id"));
        }
        problems
    }
}

fn task_problems(task: &Task, path: &Path, problems: &mut Vec<Problem>) {
    let mut report = |field: &str, message: String| {
        problems.push(Problem::error(path, message).in_field(&format!("task {}: {field}", task.id)));
    };
    if task.id.trim().is_empty() {
        report("id", "expected an id, found an empty one".into());
    }
    match (task.kind, task.labels.len()) {
        (TaskKind::OpenVqa, 0) => {}
        (TaskKind::OpenVqa, count) => report("labels", format!("expected no labels for open-vqa, found {count}")),
        (_, count @ 0..2) => report("labels", format!("expected at least two labels, found {count}")),
        (TaskKind::MultiLabel, count) if count > MOST_LABELS_IN_SETS => {
            report("labels", format!("expected at most {MOST_LABELS_IN_SETS} labels for multi-label, found {count}"));
        }
        _ => {}
    }
    let mut ids = HashSet::new();
    for label in &task.labels {
        if label.id.trim().is_empty() || label.id.trim() != label.id {
            report("labels", format!("expected a label id without surrounding spaces, found {:?}", label.id));
        }
        if !ids.insert(&label.id) {
            report("labels", format!("label id {:?} is used twice", label.id));
        }
    }
    for (one, other) in look_alikes(task.labels.iter().map(|label| label.id.as_str())) {
        let message = format!("label ids {one:?} and {other:?} differ only in case, space or spelling");
        problems.push(Problem::warning(path, message).in_field(&format!("task {}: labels", task.id)));
    }
    for (word, one, other) in task.words_of_two_labels() {
        let message = format!("{word:?} names both {one:?} and {other:?}, so a caption that contains it names neither");
        problems.push(Problem::warning(path, message).in_field(&format!("task {}: labels.named_as", task.id)));
    }
    for (field, message) in task.prompt.sets.problems(task) {
        problems.push(Problem::error(path, message).in_field(&format!("task {}: {field}", task.id)));
    }
    prompt_problems(task, path, problems);
}

fn prompt_problems(task: &Task, path: &Path, problems: &mut Vec<Problem>) {
    let in_task = |field: &str| format!("task {}: {field}", task.id);
    if !["{document_image}", "{caption}"].iter().any(|slot| task.prompt.with_document.contains(slot)) {
        let message = "found neither {document_image} nor {caption}: the reader would see nothing of a document";
        problems.push(Problem::warning(path, message).in_field(&in_task("prompt.with_document")));
    }
    for (field, template) in
        [("prompt.with_document", &task.prompt.with_document), ("prompt.closed_book", &task.prompt.closed_book)]
    {
        for word in words_in_braces(template) {
            let message =
                format!("{{{word}}} is not a slot and stays as text; the slots are {{{}}}", SLOTS.join("}, {"));
            problems.push(Problem::warning(path, message).in_field(&in_task(field)));
        }
    }
    let mut report = |field: &str, message: String| {
        problems.push(Problem::error(path, message).in_field(&in_task(field)));
    };
    for (field, template) in
        [("prompt.with_document", &task.prompt.with_document), ("prompt.closed_book", &task.prompt.closed_book)]
    {
        for slot in slots_of(template) {
            if !SLOTS.contains(&slot) {
                report(field, format!("unknown slot {{{slot}}}; expected one of {{{}}}", SLOTS.join("}, {")));
            } else if field == "prompt.closed_book" && ["document_image", "caption"].contains(&slot) {
                report(field, format!("found the slot {{{slot}}}, but there is no document in closed-book prompts"));
            }
        }
        for slot in ["{query_image}", "{question}"] {
            if !template.contains(slot) {
                report(field, format!("expected the slot {slot}, found none"));
            }
        }
    }
}

/// The names in `{braces}` that look like slots: lower-case letters and underscores, or a slot's name in other case.
fn slots_of(template: &str) -> Vec<&str> {
    let is_lower = |name: &str| name.chars().all(|letter| letter.is_ascii_lowercase() || letter == '_');
    in_braces(template).filter(|name| is_lower(name) || SLOTS.iter().any(|slot| plain(slot) == plain(name))).collect()
}

/// Other single words in `{braces}` that may be meant as a slot: `{Text}`, `{image1}`.
fn words_in_braces(template: &str) -> Vec<&str> {
    let slots = slots_of(template);
    let is_word = |name: &str| name.chars().all(|letter| letter.is_alphanumeric() || "_-".contains(letter));
    let has_letter = |name: &str| name.chars().any(char::is_alphabetic);
    in_braces(template).filter(|name| !slots.contains(name) && is_word(name) && has_letter(name)).collect()
}

fn in_braces(template: &str) -> impl Iterator<Item = &str> {
    let names = template.split('{').skip(1).filter_map(|piece| piece.split_once('}').map(|(name, _)| name));
    names.filter(|name| !name.is_empty())
}

/// Lower-case letters only.
fn plain(name: &str) -> String {
    name.chars().filter(|letter| letter.is_alphabetic()).flat_map(char::to_lowercase).collect()
}

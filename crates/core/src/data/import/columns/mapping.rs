//! A mapping: which column of a table is what. It is written in TOML, made from flags, or made by an importer that knows its
//! format.

use crate::data::{MOST_LABELS_IN_SETS, Split, TaskKind};
use crate::text::toml_text;
use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashSet};
use std::path::PathBuf;

/// What the columns of a table mean.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ColumnMapping {
    /// Name of the dataset.
    pub name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub licence: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// Column of the id. Without it, ids are made of the image's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Without a column of the id: how many of the last parts of the image's path make the id; default 1, its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id_path_parts: Option<usize>,
    /// Column of the image: its file name with or without extension, or a path.
    pub image: String,
    /// Folders or archives that the images are in, relative to the table; default: the table's folder.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub image_folders: Vec<PathBuf>,
    /// Text in front of every path that is not on this disk.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image_prefix: Option<String>,
    /// Column that is equal for all rows with the same picture. Without it, the image's path tells.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub picture: Option<String>,
    /// Column of the patient, study or article. Without it, each picture is its own group.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// Only the part of the group's path that begins with this text is the group (`patient`, of `a/patient00001/b.jpg`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group_path_part: Option<String>,
    /// Only the text before this one is the group (`_`, of `PMC123_Fig1.jpg`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group_before: Option<String>,
    /// Column of the split. Without it, and if the source has no splits, groups are drawn.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub split: Option<String>,
    /// Splits by their word in the column, for words that do not say it themselves.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub split_words: BTreeMap<String, Split>,
    /// Text files that list the images of a split, one per line, beside the table.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub split_lists: Vec<SplitFile>,
    /// The tables of a folder, and the split of each.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tables: Vec<SplitFile>,
    /// Column of the caption. Without it, captions of training rows are made of their answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub caption: Option<String>,
    /// Text in front of a caption that is made of label names.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub caption_start: Option<String>,
    /// Column of the documents' source. Without it, the source is the dataset's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    #[serde(rename = "task", skip_serializing_if = "Vec::is_empty")]
    pub tasks: Vec<TaskMapping>,
}

impl ColumnMapping {
    /// Sets the question of the only task.
    ///
    /// # Errors
    /// Fails if there is no task, there are several, or each row has its own question.
    pub fn ask(&mut self, question: &str) -> Result<()> {
        match &mut self.tasks[..] {
            [task] => match &task.question_column {
                Some(column) => bail!("--question: expected no column of questions, found {column:?}"),
                None => task.question = Some(question.to_owned()),
            },
            [] => bail!("--question: expected a task (--label or --answer COLUMN), found none"),
            tasks => bail!("--question: expected one task, found {}; a mapping says the question of each", tasks.len()),
        }
        Ok(())
    }
}

/// A file with the split of its rows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SplitFile {
    /// Name of the file, relative to the table or the folder.
    pub file: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub split: Option<Split>,
}

/// What a missing value in a column of a label means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MissingValue {
    /// The label does not belong to the answer.
    Absent,
    /// Nobody knows.
    Unknown,
    /// The row cannot be used.
    LeaveOut,
}

/// A question that every row answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TaskMapping {
    pub id: String,
    /// [`TaskKind::ClosedVqa`] takes yes and no in any case; other answers become open questions of the task `ID-open`.
    pub kind: TaskKind,
    /// The question of all rows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub question: Option<String>,
    /// Column of the row's own question.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub question_column: Option<String>,
    /// Column of the answer: a text, a number, a list, or labels with a separator between them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<String>,
    /// Columns that are 1 if the answer has the label that they are named after.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub columns: Vec<String>,
    /// Text between the labels of one answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub separator: Option<String>,
    /// All labels, in order. Without them, the labels are those that occur.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub labels: Vec<String>,
    /// Names of labels by the codes that the table has for them.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub names: BTreeMap<String, String>,
    /// Values (or columns) that say that no label applies.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub none: Vec<String>,
    /// Values that say that the answer is not known; they are never 0.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unknown: Vec<String>,
    /// Default: unknown for columns, and otherwise the row is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub missing: Option<MissingValue>,
}

impl TaskMapping {
    /// A task with the answer in one column.
    pub fn new(id: impl Into<String>, kind: TaskKind, answer: impl Into<String>) -> Self {
        Self {
            id: id.into(),
            kind,
            question: None,
            question_column: None,
            answer: Some(answer.into()),
            columns: Vec::new(),
            separator: None,
            labels: Vec::new(),
            names: BTreeMap::new(),
            none: Vec::new(),
            unknown: Vec::new(),
            missing: None,
        }
    }

    /// What a missing value means.
    pub fn missing(&self) -> MissingValue {
        let default = if self.columns.is_empty() { MissingValue::LeaveOut } else { MissingValue::Unknown };
        self.missing.unwrap_or(default)
    }

    /// The answer is words rather than labels of the mapping.
    pub(super) fn is_question(&self) -> bool {
        matches!(self.kind, TaskKind::ClosedVqa | TaskKind::OpenVqa)
    }

    fn check(&self) -> Result<()> {
        if self.id.trim().is_empty() {
            bail!("id: expected the task's id, found an empty text");
        }
        if self.kind == TaskKind::LabelSet {
            bail!("kind: expected classification, closed-vqa, multi-label or open-vqa, found label-set");
        }
        if self.answer.is_some() != self.columns.is_empty() {
            bail!("expected either answer (one column) or columns (one per label)");
        }
        if !self.columns.is_empty() && self.is_question() {
            bail!("columns: expected kind classification or multi-label");
        }
        if self.columns.len() == 1 {
            bail!("columns: expected at least two, found {:?}", self.columns[0]);
        }
        if self.separator.is_some() && (self.kind != TaskKind::MultiLabel || self.answer.is_none()) {
            bail!("separator: expected kind multi-label and answer");
        }
        if self.separator.as_deref() == Some("") {
            bail!("separator: expected a text, found an empty one");
        }
        if self.question.is_some() && self.question_column.is_some() {
            bail!("expected either question (one text) or question_column");
        }
        if self.is_question() && self.question.is_none() && self.question_column.is_none() {
            bail!("expected question (one text) or question_column");
        }
        if !self.labels.is_empty() && (self.is_question() || !self.columns.is_empty()) {
            bail!("labels: expected kind classification or multi-label, with answer");
        }
        if self.kind == TaskKind::MultiLabel && self.labels.len().max(self.columns.len()) > MOST_LABELS_IN_SETS {
            bail!("expected at most {MOST_LABELS_IN_SETS} labels for multi-label");
        }
        if self.missing == Some(MissingValue::Absent) && self.kind != TaskKind::MultiLabel {
            bail!("missing: absent means something only for multi-label");
        }
        Ok(())
    }
}

impl ColumnMapping {
    /// Parses a mapping in TOML.
    ///
    /// # Errors
    /// Fails if the text is not a mapping, or its parts contradict each other.
    pub fn parse(text: &str) -> Result<Self> {
        let mapping: Self = toml_text::parse(text)?;
        mapping.check()?;
        Ok(mapping)
    }

    /// Checks that the parts of the mapping do not contradict each other.
    ///
    /// # Errors
    /// Fails with the first field that does.
    pub fn check(&self) -> Result<()> {
        if self.image.trim().is_empty() {
            bail!("image: expected the column of the image");
        }
        if self.tasks.is_empty() && self.caption.is_none() {
            bail!(
                "expected a task (--label or --answer COLUMN; [[task]] in a mapping), or a caption column for a corpus"
            );
        }
        if self.id.is_some() && self.id_path_parts.is_some() {
            bail!("expected either id (a column) or id_path_parts");
        }
        if self.group.is_none() && (self.group_path_part.is_some() || self.group_before.is_some()) {
            bail!("group_path_part and group_before: expected the column, group");
        }
        let mut ids = HashSet::new();
        for task in &self.tasks {
            task.check().with_context(|| format!("task {:?}", task.id))?;
            if !ids.insert(&task.id) {
                bail!("task {:?}: expected each id once", task.id);
            }
        }
        Ok(())
    }

    /// Every column that the mapping names, with the field that names it.
    pub fn columns(&self) -> Vec<(&'static str, &str)> {
        let mut columns = vec![("image", self.image.as_str())];
        let optional = [
            ("id", &self.id),
            ("picture", &self.picture),
            ("group", &self.group),
            ("split", &self.split),
            ("caption", &self.caption),
            ("source", &self.source),
        ];
        columns.extend(optional.iter().filter_map(|(field, column)| Some((*field, column.as_deref()?))));
        for task in &self.tasks {
            columns.extend(task.question_column.as_deref().map(|column| ("question_column", column)));
            columns.extend(task.answer.as_deref().map(|column| ("answer", column)));
            columns.extend(task.columns.iter().map(|column| ("columns", column.as_str())));
            let none = task.none.iter().filter(|_| !task.columns.is_empty());
            columns.extend(none.map(|column| ("none", column.as_str())));
        }
        columns
    }

    /// Checks that a table has every column of the mapping, once.
    ///
    /// # Errors
    /// Fails with the columns that are missing and those that there are.
    pub fn check_columns(&self, found: &[String]) -> Result<()> {
        for (field, column) in self.columns() {
            match found.iter().filter(|name| *name == column).count() {
                1 => {}
                0 => bail!("{field}: expected the column {column:?}, found {}", shown(found)),
                count => bail!("{field}: expected one column {column:?}, found {count}"),
            }
        }
        Ok(())
    }
}

/// The first names of a header.
fn shown(columns: &[String]) -> String {
    let first: Vec<String> = columns.iter().take(40).map(|name| format!("{name:?}")).collect();
    let more = if columns.len() > first.len() { ", …" } else { "" };
    format!("{}{more}", first.join(", "))
}

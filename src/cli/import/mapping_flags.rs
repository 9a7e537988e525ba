//! Flags that say what the columns of a table mean.

use crate::data::TaskKind;
use crate::data::import::{ColumnMapping, MissingValue, TaskMapping, shipped_mapping, shipped_names};
use crate::files::input_file;
use anyhow::{Context, Result, bail};
use std::path::{Path, PathBuf};

/// Maximum size of a mapping file in bytes.
const LONGEST: u64 = 1 << 20;

/// Flags of table, folder and the other formats with columns.
#[derive(Debug, Default, clap::Args)]
#[command(next_help_heading = "What the columns mean (table, folder)")]
pub struct MappingFlags {
    /// A mapping: a TOML file, or the name of one that comes with the program
    #[arg(long, value_name = "FILE|NAME", conflicts_with_all = ["image", "label", "answer", "caption", "group", "split_column", "id", "question_column"])]
    pub mapping: Option<String>,
    /// Write a mapping for the table to FILE, or to standard output, and import nothing
    #[arg(long, value_name = "FILE", num_args = 0..=1, default_missing_value = "-")]
    pub guess: Option<PathBuf>,
    /// Column of the image: stem, file name or path
    #[arg(long, value_name = "COLUMN")]
    pub image: Option<String>,
    /// Column of the label; several times: one column of 0 and 1 per label
    #[arg(long, value_name = "COLUMN")]
    pub label: Vec<String>,
    /// With several --label: exactly one of them is 1 in each row
    #[arg(long, requires = "label")]
    pub one_hot: bool,
    /// Text between the labels of one value (|): a row may have several labels
    #[arg(long, value_name = "TEXT", requires = "label")]
    pub separator: Option<String>,
    /// Label, or column of 0 and 1, that says that no label applies (No Finding); repeatable
    #[arg(long = "no-label", value_name = "LABEL", requires = "label")]
    pub no_label: Vec<String>,
    /// What an empty field means where several labels are possible: absent, unknown or leave-out
    #[arg(long, value_name = "MEANING", value_parser = missing_value, requires = "label")]
    pub empty: Option<MissingValue>,
    /// Column of the question; --question is one question for all rows
    #[arg(long, value_name = "COLUMN", conflicts_with = "question")]
    pub question_column: Option<String>,
    /// Column of the answer to the question
    #[arg(long, value_name = "COLUMN")]
    pub answer: Option<String>,
    /// Column of the caption
    #[arg(long, value_name = "COLUMN")]
    pub caption: Option<String>,
    /// Column of the patient, study or article
    #[arg(long, value_name = "COLUMN")]
    pub group: Option<String>,
    /// Column of the split
    #[arg(long, value_name = "COLUMN")]
    pub split_column: Option<String>,
    /// Column of the id
    #[arg(long, value_name = "COLUMN")]
    pub id: Option<String>,
}

impl MappingFlags {
    /// The mapping that the flags say, `None` if they say none, and the question that is left for the task that the format
    /// finds. Its image column is empty without `--image`: the format may know it.
    ///
    /// # Errors
    /// Fails if a mapping cannot be read, or the flags contradict each other.
    pub fn mapping(&self, question: Option<&str>) -> Result<(Option<ColumnMapping>, Option<String>)> {
        if let Some(name) = &self.mapping {
            let mut mapping = read_mapping(name)?;
            if let Some(question) = question {
                mapping.ask(question).with_context(|| format!("the mapping {name}"))?;
            }
            return Ok((Some(mapping), None));
        }
        let has_meaning = self.image.is_some()
            || !self.label.is_empty()
            || self.answer.is_some()
            || self.caption.is_some()
            || self.group.is_some()
            || self.question_column.is_some()
            || self.split_column.is_some()
            || self.id.is_some();
        if !has_meaning {
            return Ok((None, question.map(str::to_owned)));
        }
        let mut tasks = Vec::new();
        tasks.extend(self.label_task(question)?);
        if let Some(answer) = &self.answer {
            let mut task = TaskMapping::new("vqa", TaskKind::ClosedVqa, answer);
            task.question = question.map(str::to_owned);
            task.question_column.clone_from(&self.question_column);
            if task.question.is_none() && task.question_column.is_none() {
                bail!("--answer: expected --question-column COLUMN, or --question for all rows");
            }
            tasks.push(task);
        }
        let left = question.filter(|_| tasks.is_empty()).map(str::to_owned);
        let mapping = ColumnMapping {
            image: self.image.clone().unwrap_or_default(),
            id: self.id.clone(),
            group: self.group.clone(),
            split: self.split_column.clone(),
            caption: self.caption.clone(),
            tasks,
            ..ColumnMapping::default()
        };
        Ok((Some(mapping), left))
    }

    fn label_task(&self, question: Option<&str>) -> Result<Option<TaskMapping>> {
        let question = question.filter(|_| self.answer.is_none()).map(str::to_owned);
        let mut task = match &self.label[..] {
            [] => return Ok(None),
            [column] => {
                if self.one_hot {
                    bail!("--one-hot: expected several --label, one per column");
                }
                let kind = if self.separator.is_some() { TaskKind::MultiLabel } else { TaskKind::Classification };
                TaskMapping::new("label", kind, column)
            }
            columns => {
                if self.separator.is_some() {
                    bail!("--separator: expected one --label, whose values list labels");
                }
                let kind = if self.one_hot { TaskKind::Classification } else { TaskKind::MultiLabel };
                TaskMapping { answer: None, columns: columns.to_vec(), ..TaskMapping::new("label", kind, "") }
            }
        };
        task.question = question;
        task.separator.clone_from(&self.separator);
        task.none.clone_from(&self.no_label);
        task.missing = self.empty;
        Ok(Some(task))
    }
}

/// A mapping that comes with the program, or the one in a file.
fn read_mapping(name: &str) -> Result<ColumnMapping> {
    if shipped_names().any(|known| known == name) {
        return shipped_mapping(name);
    }
    let path = Path::new(name);
    let known = || {
        format!(
            "cannot read the mapping {name}: expected a file or one of {}",
            shipped_names().collect::<Vec<_>>().join(", ")
        )
    };
    let text = input_file::read_text(path, LONGEST).with_context(known)?;
    ColumnMapping::parse(&text).with_context(|| format!("{name}: not a valid mapping"))
}

fn missing_value(text: &str) -> Result<MissingValue, String> {
    match text {
        "absent" => Ok(MissingValue::Absent),
        "unknown" => Ok(MissingValue::Unknown),
        "leave-out" => Ok(MissingValue::LeaveOut),
        other => Err(format!("expected absent, unknown or leave-out, found {other:?}")),
    }
}

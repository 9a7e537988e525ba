//! The answer of one row to one task.

use super::gathered_labels::{GatheredLabels, key_of};
use super::mapping::{MissingValue, TaskMapping};
use crate::data::import::{Record, Value};
use crate::data::{Answer, TaskKind};
use crate::text::written_json::Written;
use anyhow::Result;

/// The answer of a row, as it is written into a case.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum RowAnswer {
    /// The name of one label.
    Label(String),
    /// Names of labels.
    Set { labels: Vec<String>, unknown: Vec<String> },
    /// Yes or no, to a closed question.
    YesNo(bool),
    /// The words of an open answer.
    Words(String),
}

/// Why a row has no answer.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct NoAnswer {
    /// The same for all rows with it.
    pub reason: String,
    /// What this row has instead.
    pub found: Option<String>,
}

type Read = Result<Result<RowAnswer, NoAnswer>>;

#[expect(clippy::unnecessary_wraps, reason = "its callers return it, and they may fail")]
fn no_answer(reason: impl Into<String>, found: Option<&str>) -> Read {
    Ok(Err(NoAnswer { reason: reason.into(), found: found.map(str::to_owned) }))
}

/// Reads the answer of a row.
///
/// # Errors
/// Fails if the column has too many labels to be one of labels.
pub(super) fn answer_of(task: &TaskMapping, labels: &mut GatheredLabels, record: &Record) -> Read {
    if let Some(column) = &task.answer {
        let value = record.value(column).unwrap_or(&Value::Missing);
        return match task.kind {
            TaskKind::MultiLabel => set_in_one_column(task, labels, column, value),
            TaskKind::Classification | TaskKind::LabelSet => one_label(task, labels, column, value),
            TaskKind::ClosedVqa | TaskKind::OpenVqa => words(task, labels, column, value),
        };
    }
    let marks = match marks_of(task, record) {
        Ok(marks) => marks,
        Err(no_answer) => return Ok(Err(no_answer)),
    };
    let mut names = Vec::new();
    for (column, mark) in marks {
        if let Some(name) = labels.name_of(column)? {
            names.push((name, mark));
        }
    }
    let with = |wanted: Mark| -> Vec<String> {
        names.iter().filter(|(_, mark)| *mark == wanted).map(|(name, _)| name.clone()).collect()
    };
    let (present, unknown) = (with(Mark::Present), with(Mark::Unknown));
    if task.kind == TaskKind::MultiLabel {
        if unknown.len() == names.len() {
            return no_answer("no label is known", None);
        }
        return Ok(Ok(RowAnswer::Set { labels: present, unknown }));
    }
    match <[String; 1]>::try_from(present) {
        Ok([label]) => Ok(Ok(RowAnswer::Label(label))),
        Err(present) if present.is_empty() => no_answer("no column of the labels is 1", None),
        Err(present) => no_answer("several columns of the labels are 1", Some(&present.join(", "))),
    }
}

/// What a column says about its label.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mark {
    Present,
    Absent,
    Unknown,
}

/// The columns of labels with their marks, without those that say that no label applies.
fn marks_of<'a>(task: &'a TaskMapping, record: &Record) -> Result<Vec<(&'a str, Mark)>, NoAnswer> {
    let mark = |column: &str| mark_of(task, column, record.value(column).unwrap_or(&Value::Missing));
    let mut has_none = false;
    for column in &task.none {
        has_none |= mark(column)? == Some(Mark::Present);
    }
    let mut marks = Vec::new();
    for column in task.columns.iter().filter(|column| !task.none.contains(column)) {
        let mark = match (mark(column)?, task.missing()) {
            (Some(mark), _) => mark,
            // "No Finding" says it of the labels that the table leaves empty.
            (None, _) if has_none => Mark::Absent,
            (None, MissingValue::Absent) => Mark::Absent,
            (None, MissingValue::Unknown) => Mark::Unknown,
            (None, MissingValue::LeaveOut) => {
                return Err(NoAnswer { reason: format!("column {column:?} is empty"), found: None });
            }
        };
        marks.push((column.as_str(), mark));
    }
    Ok(marks)
}

/// What a column says; `None` if it is empty.
fn mark_of(task: &TaskMapping, column: &str, value: &Value) -> Result<Option<Mark>, NoAnswer> {
    if is_missing(value) {
        return Ok(None);
    }
    let wrong =
        |found: &str| NoAnswer { reason: format!("column {column:?} is neither 0 nor 1"), found: Some(found.into()) };
    let Some(text) = value.text() else { return Err(wrong("a list or an image")) };
    if task.unknown.iter().any(|word| key_of(word) == key_of(text)) {
        return Ok(Some(Mark::Unknown));
    }
    match key_of(text).as_str() {
        "1" | "true" | "yes" => Ok(Some(Mark::Present)),
        "0" | "false" | "no" => Ok(Some(Mark::Absent)),
        "-1" => Ok(Some(Mark::Unknown)),
        _ => Err(wrong(text)),
    }
}

/// Whether there is nothing: pandas writes `nan` for it.
fn is_missing(value: &Value) -> bool {
    match value {
        Value::Missing => true,
        Value::Text(text) | Value::Number(text) => {
            let text = text.trim();
            text.is_empty() || text.eq_ignore_ascii_case("nan")
        }
        Value::Bool(_) | Value::List(_) | Value::Image(_) => false,
    }
}

/// Whether the text says that the answer is not known.
fn is_unknown(task: &TaskMapping, labels: &GatheredLabels, text: &str) -> bool {
    let key = key_of(text);
    task.unknown.iter().any(|word| key_of(word) == key) || (key == "-1" && !labels.is_named(text))
}

fn one_label(task: &TaskMapping, labels: &mut GatheredLabels, column: &str, value: &Value) -> Read {
    let value = match value {
        Value::List(items) if items.len() == 1 => &items[0],
        Value::List(_) => {
            return no_answer(format!("column {column:?} is a list, and the task has one label per answer"), None);
        }
        value => value,
    };
    let Some(text) = value.text().filter(|_| !is_missing(value)) else {
        return no_answer(format!("column {column:?} is empty"), None);
    };
    if is_unknown(task, labels, text) {
        return no_answer(format!("column {column:?} says unknown"), Some(text));
    }
    match labels.name_of(text)? {
        Some(name) => Ok(Ok(RowAnswer::Label(name))),
        None => no_answer(format!("column {column:?} is no label of the mapping"), Some(text)),
    }
}

fn set_in_one_column(task: &TaskMapping, labels: &mut GatheredLabels, column: &str, value: &Value) -> Read {
    if is_missing(value) {
        return match task.missing() {
            MissingValue::Absent => Ok(Ok(RowAnswer::Set { labels: Vec::new(), unknown: Vec::new() })),
            MissingValue::Unknown | MissingValue::LeaveOut => no_answer(format!("column {column:?} is empty"), None),
        };
    }
    let mut texts: Vec<String> = Vec::new();
    match value {
        Value::List(items) => {
            for item in items {
                match item.text().filter(|_| !is_missing(item)) {
                    Some(text) => texts.push(text.to_owned()),
                    None => return no_answer(format!("a list in column {column:?} has an empty entry"), None),
                }
            }
        }
        other => {
            let Some(text) = other.text() else {
                return no_answer(format!("column {column:?} is no text or list"), None);
            };
            match (&task.separator, listed(text)) {
                (_, Some(Err(()))) => {
                    return no_answer(format!("column {column:?} has a list that is not JSON"), Some(text));
                }
                (_, Some(Ok(items))) => texts = items,
                (Some(separator), None) => texts.extend(text.split(separator.as_str()).map(str::to_owned)),
                (None, None) => texts.push(text.to_owned()),
            }
        }
    }
    let mut names = Vec::new();
    let mut has_none = false;
    for text in texts.iter().map(|text| text.trim()).filter(|text| !text.is_empty()) {
        if task.none.iter().any(|word| key_of(word) == key_of(text)) {
            has_none = true;
            continue;
        }
        if is_unknown(task, labels, text) {
            return no_answer(format!("column {column:?} says unknown"), Some(text));
        }
        match labels.name_of(text)? {
            Some(name) => names.push(name),
            None => return no_answer(format!("column {column:?} is no label of the mapping"), Some(text)),
        }
    }
    if has_none && !names.is_empty() {
        return no_answer(format!("column {column:?} says none and a label"), value.text());
    }
    names.sort_unstable();
    names.dedup();
    Ok(Ok(RowAnswer::Set { labels: names, unknown: Vec::new() }))
}

/// The texts of a JSON list in a text; `None` if the text is no list, an error if it looks like one.
fn listed(text: &str) -> Option<Result<Vec<String>, ()>> {
    let text = text.trim();
    if !(text.starts_with('[') && text.ends_with(']')) {
        return None;
    }
    let Ok(Written::List(items)) = Written::parse(text.as_bytes()) else { return Some(Err(())) };
    Some(items.iter().map(|item| crate::data::identifier::identifier_of(item).ok_or(())).collect())
}

fn words(task: &TaskMapping, labels: &GatheredLabels, column: &str, value: &Value) -> Read {
    let value = match value {
        Value::List(items) if items.len() == 1 => &items[0],
        Value::List(_) => return no_answer(format!("column {column:?} has several answers or none"), None),
        value => value,
    };
    let Some(text) = value.text().map(str::trim).filter(|text| !text.is_empty()) else {
        return no_answer(format!("column {column:?} is empty"), None);
    };
    if task.unknown.iter().any(|word| key_of(word) == key_of(text)) {
        return no_answer(format!("column {column:?} says unknown"), Some(text));
    }
    let text = labels.name_of_code(text).unwrap_or(text);
    if task.kind == TaskKind::ClosedVqa {
        let is_bool = matches!(value, Value::Bool(_));
        match key_of(text.trim_end_matches('.')).as_str() {
            "yes" => return Ok(Ok(RowAnswer::YesNo(true))),
            "no" => return Ok(Ok(RowAnswer::YesNo(false))),
            "true" if is_bool => return Ok(Ok(RowAnswer::YesNo(true))),
            "false" if is_bool => return Ok(Ok(RowAnswer::YesNo(false))),
            _ => {}
        }
    }
    if Answer::from_words(text).is_none() {
        return no_answer(format!("column {column:?} has no word"), Some(text));
    }
    Ok(Ok(RowAnswer::Words(text.to_owned())))
}

//! Reads `cases.jsonl` and `corpus.jsonl`: the valid lines, and the problems of the others.

use super::fields::Fields;
use super::identifier::{is_plain, is_plain_group};
use super::{Case, Document, LabelSet, Problem, Split, Task, TaskKind};
use crate::files::fingerprint::Fingerprint;
use crate::files::input_file::without_bom;
use crate::files::line_blocks::LineBlocks;
use rayon::prelude::*;
use rustc_hash::FxHashMap;
use serde::Deserialize;
use std::collections::hash_map::Entry;
use std::path::{Path, PathBuf};

/// The content of a file.
pub(super) struct Lines<T> {
    /// Valid lines, each with its number in the file (from 1).
    pub good: Vec<(usize, T)>,
    pub problems: Vec<Problem>,
}

/// Fields of a case, the reference code's and ours; `target`, `passages` and `metadata` are the reference code's and unused.
const CASE_FIELDS: [&str; 13] = [
    "id",
    "task",
    "split",
    "image",
    "question",
    "answer",
    "unknown",
    "group",
    "image_path",
    "answers",
    "target",
    "passages",
    "metadata",
];

/// Fields of a document; those after `dataset_source` are the reference code's and unused.
const DOCUMENT_FIELDS: [&str; 12] = [
    "id",
    "image",
    "caption",
    "source",
    "group",
    "img_path",
    "text",
    "dataset_source",
    "type",
    "score",
    "title",
    "type_split",
];

/// How a problem begins that is not of a line, but of the reading.
const CANNOT_READ: &str = "cannot read";

/// Whether lines are missing that are in the file.
pub(super) fn is_cut_short(problems: &[Problem]) -> bool {
    problems.iter().any(|problem| problem.field.is_none() && problem.message.starts_with(CANNOT_READ))
}

/// A case as dissent writes it, which needs no remarks.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PlainCase {
    id: String,
    task: String,
    split: Split,
    image: String,
    question: Option<String>,
    answer: String,
    group: Option<String>,
}

/// A document as dissent writes it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PlainDocument {
    id: String,
    image: String,
    caption: String,
    source: Option<String>,
    group: Option<String>,
}

/// Converts a line into an item: at once, or field by field if that fails, so that every wrong field is reported.
struct Reading<P, F> {
    plain: P,
    by_field: F,
}

/// Reads the cases; a line is valid if its fields are present, its id is new and its task, split and answer are known.
pub(super) fn read_cases(path: &Path, tasks: &[Task]) -> Lines<Case> {
    let mut good = Vec::new();
    let problems = for_each_case(path, tasks, &mut |line, case| good.push((line, case)));
    Lines { good, problems }
}

/// Passes each valid case of [`read_cases`] with its line to `keep`, without holding the others; returns the problems.
pub(super) fn for_each_case(path: &Path, tasks: &[Task], keep: &mut dyn FnMut(usize, Case)) -> Vec<Problem> {
    let plain = |line: &[u8]| {
        let line: PlainCase = serde_json::from_slice(line).ok()?;
        let task = tasks.iter().find(|task| task.id == line.task)?;
        let is_label = task.labels.iter().any(|label| label.id == line.answer);
        let is_plain_group = line.group.as_deref().is_none_or(is_plain_group);
        if !is_label || !is_plain(&line.id) || !is_plain_group || is_blank(&line.id) || is_blank(&line.image) {
            return None;
        }
        let (question, group) = (not_blank(line.question), not_blank(line.group));
        question.as_ref().or(task.question.as_ref())?;
        let PlainCase { id, task, split, image, answer, .. } = line;
        Some((id.clone(), Case { id, task, split, image: image.into(), question, answer, unknown: Vec::new(), group }))
    };
    let by_field = |fields: &mut Fields| {
        let id = fields.required_id(&["id"]);
        let task = fields.required_id(&["task"]);
        let takes_several = tasks.iter().any(|known| known.id == task && known.kind == TaskKind::MultiLabel);
        let mut case = Case {
            id,
            task,
            split: split_of(fields),
            image: PathBuf::from(fields.required(&["image", "image_path"])),
            question: fields.optional(&["question"]),
            answer: if takes_several {
                fields.required_set(&["answer", "answers"])
            } else {
                fields.required_id(&["answer", "answers"])
            },
            unknown: fields.labels("unknown"),
            group: fields.group(),
        };
        check_task(fields, &mut case, tasks);
        fields.warn_of_unknown(&CASE_FIELDS);
        let id = case.id.clone();
        (id, case)
    };
    read_lines(path, &Reading { plain, by_field }, keep)
}

/// Passes each valid document with its line to `keep`, without holding the others; returns the problems. A line is valid if its
/// fields are present and its id is new.
pub(super) fn for_each_document(path: &Path, keep: &mut dyn FnMut(usize, Document)) -> Vec<Problem> {
    let plain = |line: &[u8]| {
        let PlainDocument { id, image, caption, source, group } = serde_json::from_slice(line).ok()?;
        let is_plain = is_plain(&id) && group.as_deref().is_none_or(is_plain_group);
        if !is_plain || is_blank(&id) || is_blank(&image) || is_blank(&caption) {
            return None;
        }
        let (source, group) = (not_blank(source), not_blank(group));
        Some((id.clone(), Document { id, image: image.into(), caption, source, group }))
    };
    let by_field = |fields: &mut Fields| {
        let document = Document {
            id: fields.required_id(&["id"]),
            image: PathBuf::from(fields.required(&["image", "img_path"])),
            caption: fields.required(&["caption", "text"]),
            source: fields.optional(&["source", "dataset_source"]),
            group: fields.group(),
        };
        fields.warn_of_unknown(&DOCUMENT_FIELDS);
        let id = document.id.clone();
        (id, document)
    };
    read_lines(path, &Reading { plain, by_field }, keep)
}

fn is_blank(text: &str) -> bool {
    text.trim().is_empty()
}

fn not_blank(text: Option<String>) -> Option<String> {
    text.filter(|text| !is_blank(text))
}

/// A parsed line: its number, its id and item, and its problems.
struct Parsed<T> {
    number: usize,
    found: Option<(String, T)>,
    problems: Vec<Problem>,
}

/// Parses each block of lines on all cores; bytes that are not UTF-8 invalidate one line only.
fn read_lines<T: Send>(
    path: &Path,
    reading: &Reading<impl Fn(&[u8]) -> Option<(String, T)> + Sync, impl Fn(&mut Fields) -> (String, T) + Sync>,
    keep: &mut dyn FnMut(usize, T),
) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut blocks = match LineBlocks::open(path) {
        Ok(blocks) => blocks,
        Err(error) => {
            let message = format!("{CANNOT_READ} the file ({error}); expected one JSON object per line");
            problems.push(Problem::error(path, message));
            return problems;
        }
    };
    let mut first_lines: FxHashMap<u64, usize> = FxHashMap::default();
    loop {
        let block = match blocks.next_block() {
            Ok(Some(block)) => block,
            Ok(None) => return problems,
            Err(error) => {
                let message = format!("{CANNOT_READ} further ({error})");
                problems.push(Problem::error(path, message).at_line(blocks.lines_read() + 1));
                return problems;
            }
        };
        let parsed: Vec<Parsed<T>> = block
            .lines()
            .into_par_iter()
            .filter_map(|(number, bytes)| parse_line(path, number, bytes, reading))
            .collect();
        for mut line in parsed {
            if let Some((id, item)) = line.found {
                check_new(&mut first_lines, (path, line.number), &id, &mut line.problems);
                if !line.problems.iter().any(Problem::is_error) {
                    keep(line.number, item);
                }
            }
            problems.append(&mut line.problems);
        }
    }
}

fn parse_line<T>(
    path: &Path,
    number: usize,
    bytes: &[u8],
    reading: &Reading<impl Fn(&[u8]) -> Option<(String, T)>, impl Fn(&mut Fields) -> (String, T)>,
) -> Option<Parsed<T>> {
    let content = if number == 1 { without_bom(bytes) } else { bytes }.trim_ascii();
    if content.is_empty() {
        return None;
    }
    if let Some(found) = (reading.plain)(content) {
        return Some(Parsed { number, found: Some(found), problems: Vec::new() });
    }
    Some(match Fields::parse(content, path, number) {
        Ok(mut fields) => {
            let found = Some((reading.by_field)(&mut fields));
            Parsed { number, found, problems: fields.problems }
        }
        Err(problem) => Parsed { number, found: None, problems: vec![problem] },
    })
}

/// Reports an id that an earlier line has. Only hashes are kept, because a corpus has millions of ids: two that differ and share
/// one are less likely than a damaged disk.
fn check_new(
    first_lines: &mut FxHashMap<u64, usize>,
    (path, number): (&Path, usize),
    id: &str,
    problems: &mut Vec<Problem>,
) {
    if id.is_empty() {
        return;
    }
    match first_lines.entry(Fingerprint::number_of(id.as_bytes())) {
        Entry::Occupied(first) => {
            let message = format!("{id:?} is already used on line {}; expected a unique id", first.get());
            problems.push(Problem::error(path, message).at_line(number).in_field("id"));
        }
        Entry::Vacant(place) => drop(place.insert(number)),
    }
}

fn split_of(fields: &mut Fields) -> Split {
    let text = fields.required_id(&["split"]);
    match text.as_str() {
        "train" => Split::Train,
        "validation" | "val" | "valid" => Split::Validation,
        "test" => Split::Test,
        other => {
            // A missing split was reported already.
            if !other.is_empty() {
                fields.report("split", format!("unknown split {other:?}; expected train, validation or test"));
            }
            Split::Test
        }
    }
}

/// Checks the task's fields. Replaces the answer by the label's id as the task spells it, because everything else
/// compares with that.
fn check_task(fields: &mut Fields, case: &mut Case, tasks: &[Task]) {
    if case.task.is_empty() {
        return;
    }
    let Some(task) = tasks.iter().find(|task| task.id == case.task) else {
        let known: Vec<&str> = tasks.iter().map(|task| task.id.as_str()).collect();
        let message = format!("unknown task {:?}; dataset.toml has {}", case.task, quoted(&known));
        fields.report("task", message);
        return;
    };
    match task.spell(&case.answer) {
        Ok(answer) => case.answer = answer,
        Err(_) if case.answer.is_empty() => {}
        Err(unknown) => {
            let known: Vec<&str> = task.labels.iter().map(|label| label.id.as_str()).collect();
            let message = format!("unknown label {unknown:?} of task {}; expected one of {}", task.id, quoted(&known));
            fields.report("answer", message);
        }
    }
    check_unknown(fields, case, task);
    if case.question.is_none() && task.question.is_none() {
        let message = format!("the field is missing, and task {} has no question of its own", task.id);
        fields.report("question", message);
    }
}

/// Checks the labels that are unknown and replaces them by their ids in the task's order.
fn check_unknown(fields: &mut Fields, case: &mut Case, task: &Task) {
    if case.unknown.is_empty() {
        return;
    }
    if task.kind != TaskKind::MultiLabel {
        let message = format!("found unknown labels, but task {} is answered with one label or in words", task.id);
        fields.report("unknown", message);
        return;
    }
    let mut unknown = Vec::with_capacity(case.unknown.len());
    for name in &case.unknown {
        let Some(label) = task.label_index(name) else {
            let known: Vec<&str> = task.labels.iter().map(|label| label.id.as_str()).collect();
            let message = format!("unknown label {name:?} of task {}; expected one of {}", task.id, quoted(&known));
            fields.report("unknown", message);
            return;
        };
        unknown.push(label);
    }
    let unknown = LabelSet::of(unknown);
    let answer = task.set_of(&case.answer).unwrap_or_default();
    if let Some(both) = unknown.labels().find(|label| answer.contains(*label)) {
        let message = format!("label {:?} is in the answer, too; expected it in one of them", task.labels[both].id);
        fields.report("unknown", message);
    }
    case.unknown = unknown.labels().map(|label| task.labels[label].id.clone()).collect();
}

fn quoted(names: &[&str]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("{name:?}")).collect();
    if quoted.is_empty() { "none".into() } else { quoted.join(", ") }
}

//! Reading every journal of the annotations folder.

use super::event::{EVENT_VERSION, Event};
use crate::data::Problem;
use anyhow::{Context, Result};
use std::collections::HashMap;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// Events of all `*.jsonl` files in `folder`, in the order of replay and without duplicates, and the lines that are no
/// events; their good neighbours are kept. A missing folder holds no events. A last line that was cut short belongs to a write that was never
/// acknowledged (or is under way): it is passed over without a problem.
///
/// # Errors
/// When the folder or a file in it cannot be read.
pub fn read_folder(folder: &Path) -> Result<(Vec<Event>, Vec<Problem>)> {
    let mut by_id: HashMap<uuid::Uuid, Event> = HashMap::new();
    let mut problems = Vec::new();
    for path in journal_files(folder)? {
        let content = fs::read(&path).with_context(|| format!("cannot read journal {}", path.display()))?;
        let (lines, tail) = whole_lines(&content);
        for (index, line) in lines.iter().chain(&tail).enumerate() {
            if line.iter().all(u8::is_ascii_whitespace) {
                continue;
            }
            let is_tail = index == lines.len();
            match parse_line(line) {
                Ok(event) => {
                    let known = by_id.entry(event.id).or_insert_with(|| event.clone());
                    if *known != event {
                        let message = format!("id {} was already used by another event", event.id);
                        problems.push(Problem::error(&path, message).at_line(index + 1));
                    }
                }
                Err(_) if is_tail => {}
                Err(message) => problems.push(Problem::error(&path, message).at_line(index + 1)),
            }
        }
    }
    let mut events: Vec<Event> = by_id.into_values().collect();
    events.sort_by_key(Event::order);
    Ok((events, problems))
}

/// The `*.jsonl` files of the folder by name, so that every machine reads them in the same order.
fn journal_files(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error).with_context(|| format!("cannot read folder {}", folder.display())),
    };
    let mut files = Vec::new();
    for entry in entries {
        let path = entry.with_context(|| format!("cannot read folder {}", folder.display()))?.path();
        if path.extension().is_some_and(|ending| ending == "jsonl") && path.is_file() {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

/// The lines that end in a newline, and what follows the last newline if anything does.
fn whole_lines(content: &[u8]) -> (Vec<&[u8]>, Option<&[u8]>) {
    let mut lines: Vec<&[u8]> = content.split(|byte| *byte == b'\n').collect();
    let tail = lines.pop().filter(|tail| !tail.is_empty());
    (lines, tail)
}

fn parse_line(line: &[u8]) -> Result<Event, String> {
    let event: Event = serde_json::from_slice(line).map_err(|error| {
        if error.is_eof() {
            "the line was cut short by an interrupted write; nothing in it was acknowledged".into()
        } else {
            format!("not an annotation event: {error}")
        }
    })?;
    if event.v != EVENT_VERSION {
        return Err(format!("field v: expected {EVENT_VERSION}, found {} (written by another version)", event.v));
    }
    Ok(event)
}

#[cfg(test)]
mod tests {
    use super::super::{EventKind, Journal};
    use super::*;

    #[test]
    fn bad_lines_are_named_and_the_rest_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let mut journal = Journal::open(folder.path(), "ada", "box").unwrap();
        journal.append("c1", EventKind::Skip, None).unwrap();
        let good = fs::read_to_string(journal.path()).unwrap();
        let newer = good.replace("\"v\":1", "\"v\":2");
        fs::write(folder.path().join("bob@box.jsonl"), format!("{good}{{\"v\":1}}\n{newer}{good}")).unwrap();
        let (events, problems) = read_folder(folder.path()).unwrap();
        assert_eq!(events.len(), 1);
        let lines: Vec<Option<usize>> = problems.iter().map(|problem| problem.line).collect();
        assert_eq!(lines, [Some(2), Some(3)]);
        assert!(problems[0].to_string().contains("bob@box.jsonl:2: not an annotation event: missing field"));
        assert!(problems[1].message.contains("expected 1, found 2"));
    }

    #[test]
    fn a_missing_folder_is_empty() {
        let (events, problems) = read_folder(Path::new("/nonexistent/annotations")).unwrap();
        assert!(events.is_empty() && problems.is_empty());
    }
}

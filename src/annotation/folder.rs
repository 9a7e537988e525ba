//! Reading every journal of the annotations folder.

use super::event::{EVENT_VERSION, Event};
use crate::data::Problem;
use anyhow::{Context, Result};
use rayon::prelude::*;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// An event and where it was read.
pub(super) struct Found {
    event: Event,
    /// Position in the list of files.
    file: usize,
    /// From 1.
    line: usize,
}

/// Events of all `*.jsonl` files in `folder`, in the order of replay and without duplicates, and the lines that are no
/// events; their good neighbours are kept. A missing folder holds no events. A last line that was cut short belongs to a
/// write that was never acknowledged (or is under way): it is passed over without a problem.
///
/// # Errors
/// When the folder or a file in it cannot be read.
pub fn read_folder(folder: &Path) -> Result<(Vec<Event>, Vec<Problem>)> {
    let files = journal_files(folder)?;
    let mut found = Vec::new();
    let mut problems = Vec::new();
    for (file, path) in files.iter().enumerate() {
        let content = fs::read(path).with_context(|| format!("cannot read journal {}", path.display()))?;
        read_lines(&content, file, path, &mut found, &mut problems);
    }
    Ok((distinct(found, &files, &mut problems), problems))
}

/// Reads the lines of one file, on all cores.
pub(super) fn read_lines(
    content: &[u8],
    file: usize,
    path: &Path,
    found: &mut Vec<Found>,
    problems: &mut Vec<Problem>,
) {
    let (mut lines, tail) = whole_lines(content);
    let whole = lines.len();
    lines.extend(tail);
    let parsed: Vec<Option<Result<Event, String>>> = lines
        .par_iter()
        .with_min_len(256)
        .map(|line| (!line.iter().all(u8::is_ascii_whitespace)).then(|| parse_line(line)))
        .collect();
    for (index, outcome) in parsed.into_iter().enumerate() {
        let line = index + 1;
        match outcome {
            Some(Ok(event)) => found.push(Found { event, file, line }),
            Some(Err(message)) if index < whole => problems.push(Problem::error(path, message).at_line(line)),
            // Nothing, or the torn tail.
            Some(Err(_)) | None => {}
        }
    }
}

/// Each event once, in the order of replay. Two events that claim one id are a problem, and which of them is kept does not
/// depend on the files' names.
fn distinct(found: Vec<Found>, files: &[PathBuf], problems: &mut Vec<Problem>) -> Vec<Event> {
    let mut by_id: Vec<usize> = (0..found.len()).collect();
    by_id.par_sort_unstable_by_key(|index| (found[*index].event.id, *index));
    let mut is_kept = vec![true; found.len()];
    for same in by_id.chunk_by(|one, other| found[*one].event.id == found[*other].event.id) {
        let mut kept = same[0];
        for index in &same[1..] {
            let (one, other) = (&found[*index].event, &found[kept].event);
            if one != other && one.is_before(other) {
                kept = *index;
            }
        }
        for index in same.iter().filter(|index| **index != kept) {
            is_kept[*index] = false;
            let Found { event, file, line } = &found[*index];
            if *event != found[kept].event {
                let message = format!("id {} was already used by another event", event.id);
                problems.push(Problem::error(&files[*file], message).at_line(*line));
            }
        }
    }
    let kept = found.into_iter().zip(is_kept).filter(|(_, is_kept)| *is_kept);
    let mut events: Vec<Event> = kept.map(|(found, _)| found.event).collect();
    events.par_sort_unstable_by_key(Event::order);
    events
}

/// The `*.jsonl` files of the folder by name, so that every machine reads them in the same order.
pub(super) fn journal_files(folder: &Path) -> Result<Vec<PathBuf>> {
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
    if event.v == 0 || event.v > EVENT_VERSION {
        return Err(format!("field v: expected 1 to {EVENT_VERSION}, found {} (written by another version)", event.v));
    }
    Ok(event)
}

#[cfg(test)]
mod tests {
    use super::super::{Circumstances, EventKind, Journal};
    use super::*;

    #[test]
    fn bad_lines_are_named_and_the_rest_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let mut journal = Journal::open(folder.path(), "ada", "box").unwrap();
        journal.append("c1", EventKind::Skip, Circumstances::default()).unwrap();
        let good = fs::read_to_string(journal.path()).unwrap();
        let newer = good.replace("\"v\":2", "\"v\":3");
        fs::write(folder.path().join("bob@box.jsonl"), format!("{good}{{\"v\":1}}\n{newer}{good}")).unwrap();
        let (events, problems) = read_folder(folder.path()).unwrap();
        assert_eq!(events.len(), 1);
        let lines: Vec<Option<usize>> = problems.iter().map(|problem| problem.line).collect();
        assert_eq!(lines, [Some(2), Some(3)]);
        assert!(problems[0].to_string().contains("bob@box.jsonl:2: not an annotation event: missing field"));
        assert!(problems[1].message.contains("expected 1 to 2, found 3"));
    }

    #[test]
    fn a_missing_folder_is_empty() {
        let (events, problems) = read_folder(Path::new("/nonexistent/annotations")).unwrap();
        assert!(events.is_empty() && problems.is_empty());
    }
}

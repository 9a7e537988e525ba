//! Reading every journal of the annotations folder.

use super::event::{EVENT_VERSION, Event};
use super::interner::Interner;
use anyhow::{Context, Result};
use dissent_core::data::Problem;
use dissent_core::files::input_file;
use dissent_core::files::litter::is_litter_path;
use dissent_core::text::written_json::Written;
use rayon::prelude::*;
use std::fs;
use std::io::{self, BufRead, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Number of lines that one core parses at a time.
const BLOCK: usize = 2048;

/// Size limit of a journal, bytes: several million events.
const LONGEST_JOURNAL: u64 = 4 << 30;

/// Content of one file.
pub(super) struct Content {
    /// Each event with its line number, from 1.
    pub events: Vec<(usize, Arc<Event>)>,
    /// One problem per line that is no event.
    pub problems: Vec<Problem>,
}

/// Events of all `*.jsonl` files in `folder`, in the order of replay and without duplicates, and a problem for each
/// line that is no event; the other lines are kept. A missing folder has no events. A last line that was cut short
/// belongs to a write that was never acknowledged or is under way: it is ignored without a problem.
///
/// # Errors
/// Fails if the folder or a file in it cannot be read.
pub fn read_folder(folder: &Path) -> Result<(Vec<Arc<Event>>, Vec<Problem>)> {
    let files = journal_files(folder)?;
    let read = |path: &PathBuf| {
        let content = read_journal(path).with_context(|| format!("cannot read journal {}", path.display()))?;
        Ok(read_lines(&content, path))
    };
    let contents: Vec<Content> = files.par_iter().map(read).collect::<Result<_>>()?;
    let mut problems = Vec::new();
    let mut events = Vec::with_capacity(contents.len());
    for content in contents {
        problems.extend(content.problems);
        events.push(content.events);
    }
    Ok((distinct(events, &files, &mut problems), problems))
}

/// The bytes of a journal, or of another file beside it.
pub(super) fn read_journal(path: &Path) -> io::Result<Vec<u8>> {
    input_file::read(path, LONGEST_JOURNAL)
}

/// Reads the lines of one file, on all cores.
pub(super) fn read_lines(bytes: &[u8], path: &Path) -> Content {
    // Another program may have saved the file: UTF-16 has no event in it, and a byte order mark is no part of the
    // first.
    if let Err(error) = input_file::refuse_other_encodings(bytes) {
        return Content { events: Vec::new(), problems: vec![Problem::error(path, error.to_string())] };
    }
    let bytes = input_file::without_bom(bytes);
    let (mut lines, tail) = whole_lines(bytes);
    let whole = lines.len();
    lines.extend(tail);
    let read = |(block, lines): (usize, &[&[u8]])| {
        let mut content = Content { events: Vec::with_capacity(lines.len()), problems: Vec::new() };
        let mut interner = Interner::default();
        for (index, line) in lines.iter().enumerate() {
            let index = block * BLOCK + index;
            if line.iter().all(u8::is_ascii_whitespace) {
                continue;
            }
            match parse_line(line) {
                Ok(mut event) => {
                    interner.intern(&mut event);
                    content.events.push((index + 1, Arc::new(event)));
                }
                // An interrupted write at the end of the file.
                Err(_) if index >= whole && is_torn(line) => {}
                Err(message) => content.problems.push(Problem::error(path, message).at_line(index + 1)),
            }
        }
        content
    };
    let blocks: Vec<Content> = lines.par_chunks(BLOCK).enumerate().map(read).collect();
    let mut content = Content { events: Vec::with_capacity(lines.len()), problems: Vec::new() };
    for block in blocks {
        content.events.extend(block.events);
        content.problems.extend(block.problems);
    }
    content
}

/// Each event once, in the order of replay. Two different events with one id are a problem; which of them is kept does
/// not depend on the files' names. Small keys are sorted instead of the events, of which there may be a million.
fn distinct(files: Vec<Vec<(usize, Arc<Event>)>>, paths: &[PathBuf], problems: &mut Vec<Problem>) -> Vec<Arc<Event>> {
    let places =
        || files.iter().enumerate().flat_map(|(file, events)| (0..events.len()).map(move |index| (file, index)));
    let event_at = |(file, index): (usize, usize)| files[file][index].1.as_ref();
    let mut by_id: Vec<(u128, (usize, usize))> = places().map(|place| (event_at(place).id.as_u128(), place)).collect();
    by_id.par_sort();
    let mut kept: Vec<(i128, u128, (usize, usize))> = Vec::with_capacity(by_id.len());
    for same in by_id.chunk_by(|one, other| one.0 == other.0) {
        let mut chosen = same[0].1;
        for (_, place) in &same[1..] {
            let (one, other) = (event_at(*place), event_at(chosen));
            if one != other && one.is_before(other) {
                chosen = *place;
            }
        }
        for (_, place) in same.iter().filter(|(_, place)| *place != chosen) {
            let (line, event) = &files[place.0][place.1];
            if **event != *event_at(chosen) {
                let message = format!("id {} was already used by another event", event.id);
                problems.push(Problem::error(&paths[place.0], message).at_line(*line));
            }
        }
        let event = event_at(chosen);
        kept.push((event.ts.unix_timestamp_nanos(), same[0].0, chosen));
    }
    kept.par_sort();
    kept.into_iter().map(|(_, _, (file, index))| Arc::clone(&files[file][index].1)).collect()
}

/// The `*.jsonl` files of the folder by name, so that every machine reads them in the same order. Files that
/// operating systems add are left out (macOS writes `._NAME` beside files on other disks; no annotator's name begins
/// so). Anything else that is no regular file is included: reading it fails with a message, and leaving it out could
/// hide somebody's work.
pub(super) fn journal_files(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        // A broken link is not a missing folder: its disk may be unmounted.
        Err(error) if error.kind() == ErrorKind::NotFound && !input_file::is_there(folder) => return Ok(Vec::new()),
        Err(error) => return Err(error).with_context(|| format!("cannot read folder {}", folder.display())),
    };
    let mut files = Vec::new();
    for entry in entries {
        let path = entry.with_context(|| format!("cannot read folder {}", folder.display()))?.path();
        let is_hidden = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
        if !is_hidden && !is_litter_path(&path) && path.extension().is_some_and(|ending| ending == "jsonl") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

/// The lines that end in a newline, and the rest after the last newline if there is any.
fn whole_lines(content: &[u8]) -> (Vec<&[u8]>, Option<&[u8]>) {
    let mut lines = Vec::new();
    let mut rest = content;
    while !rest.is_empty() {
        let mut after = rest;
        // The standard library searches by words, not bytes; reading from memory cannot fail.
        let length = after.skip_until(b'\n').unwrap_or(rest.len());
        let line = &rest[..length];
        let Some(line) = line.strip_suffix(b"\n") else { return (lines, Some(line)) };
        lines.push(line);
        rest = after;
    }
    (lines, None)
}

/// Whether an interrupted write left this: nothing or the beginning of an event, perhaps with zeros that a file
/// system added at a power loss. Anything else at the end of a file was meant as a whole line.
fn is_torn(line: &[u8]) -> bool {
    let written = line.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    let written = line[..written].trim_ascii();
    let is_cut = || serde_json::from_slice::<Event>(written).is_err_and(|error| error.is_eof());
    written.is_empty() || (written.starts_with(b"{") && is_cut())
}

fn parse_line(line: &[u8]) -> Result<Event, String> {
    let event: Event = serde_json::from_slice(line).map_err(|error| {
        if error.is_eof() {
            "the line was cut short by an interrupted write; nothing in it was acknowledged".into()
        } else {
            // Name lines that are no JSON object for what they are: a list, another encoding, lone carriage returns.
            let what = Written::parse_line(line).err().unwrap_or_else(|| error.to_string());
            format!("not an annotation event: {what}")
        }
    })?;
    if event.v == 0 || event.v > EVENT_VERSION {
        return Err(format!("field v: expected 1 to {EVENT_VERSION}, found {} (written by another version)", event.v));
    }
    Ok(event)
}

#[cfg(test)]
mod tests {
    use super::super::{EventContext, EventKind, Journal};
    use super::*;

    #[test]
    fn bad_lines_are_named_and_the_rest_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let mut journal = Journal::open(folder.path(), "ada", "box").unwrap();
        journal.append("c1", EventKind::Skip, EventContext::default()).unwrap();
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

    #[cfg(unix)]
    #[test]
    fn a_journal_that_cannot_be_read_is_not_an_empty_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("eve@box.jsonl");
        let refused = |kind: &str| {
            let error = format!("{:#}", read_folder(folder.path()).unwrap_err());
            assert!(error.contains("cannot read journal") && error.contains("eve@box.jsonl"), "{error}");
            assert!(error.contains(kind), "{error}");
        };
        nix::unistd::mkfifo(&path, nix::sys::stat::Mode::S_IRWXU).unwrap();
        refused("a FIFO");
        fs::remove_file(&path).unwrap();
        let socket = std::os::unix::net::UnixListener::bind(&path).unwrap();
        refused("a socket");
        drop(socket);
        for (target, kind) in [("/dev/null", "a device"), ("/nonexistent/j", "a link to nothing"), ("/tmp", "a folder")]
        {
            fs::remove_file(&path).unwrap();
            std::os::unix::fs::symlink(target, &path).unwrap();
            refused(kind);
        }
        let link = folder.path().join("away");
        std::os::unix::fs::symlink("/nonexistent/annotations", &link).unwrap();
        assert!(format!("{:#}", read_folder(&link).unwrap_err()).contains("cannot read folder"));
    }

    #[test]
    fn what_other_programs_make_of_a_journal_is_read_or_named() {
        let folder = tempfile::tempdir().unwrap();
        let mut journal = Journal::open(folder.path(), "ada", "box").unwrap();
        for case in ["c1", "c\u{fc}2"] {
            journal.append(case, EventKind::Skip, EventContext::default()).unwrap();
        }
        let text = fs::read_to_string(journal.path()).unwrap();
        let good = text.clone().into_bytes();
        let utf16 = |mark: &[u8]| [mark, &text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>()].concat();
        let first = text.lines().next().unwrap().len();
        for (content, events, named) in [
            (["\u{feff}".as_bytes(), &good].concat(), 2, None),
            (text.replace('\n', "\r\n").into_bytes(), 2, None),
            (text.trim_end().as_bytes().to_vec(), 2, None),
            (good[..good.len() - 9].to_vec(), 1, None),
            // The cut is between the two bytes of a letter.
            (good[..first + 1 + text[first..].find('\u{fc}').unwrap()].to_vec(), 1, None),
            ([&good[..], &[0; 100]].concat(), 2, None),
            ([&good[..first + 50], &[0; 100]].concat(), 1, None),
            (text.replace('\n', "\r").into_bytes(), 0, Some("lone carriage return")),
            (format!("[{}]", text.trim_end().replace('\n', ",")).into_bytes(), 0, Some("jq -c")),
            (utf16(&[0xff, 0xfe]), 0, Some("UTF-16")),
            (utf16(&[]), 0, Some("UTF-16")),
            ([&good[..], b"not json"].concat(), 2, Some(":3: not an annotation event")),
            (good.iter().map(|byte| if *byte == 0xc3 { 0xe9 } else { *byte }).collect(), 1, Some("not UTF-8")),
        ] {
            let found = read_lines(&content, Path::new("ada.jsonl"));
            let problems: Vec<String> = found.problems.iter().map(ToString::to_string).collect();
            assert_eq!(found.events.len(), events, "{named:?}: {problems:?}");
            assert_eq!(problems.len(), usize::from(named.is_some()), "{problems:?}");
            assert!(named.is_none_or(|named| problems[0].contains(named)), "{named:?} is missing in {problems:?}");
        }
    }

    #[test]
    fn a_missing_folder_is_empty() {
        let (events, problems) = read_folder(Path::new("/nonexistent/annotations")).unwrap();
        assert!(events.is_empty() && problems.is_empty());
    }
}

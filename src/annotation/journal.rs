//! The journal that this process writes: appended to, flushed, never rewritten.

use super::event::{EVENT_VERSION, Event, EventKind};
use super::folder::read_folder;
use super::names::{check_annotator, file_safe_host};
use anyhow::{Context, Result};
use std::collections::HashSet;
use std::fs::{self, File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

/// An open journal. Its file has this one writer as long as it lives.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    file: File,
    annotator: String,
    host: String,
    /// The file ends in a line cut short by an earlier crash, to be closed off before the next one.
    torn: bool,
    last_ts: Option<OffsetDateTime>,
    /// The annotator's events that count (id and case), oldest first: undo takes them from the end.
    undoable: Vec<(Uuid, String)>,
}

impl Journal {
    /// Opens `<annotator>@<host>.jsonl` in `folder`, which is made if missing, or a file of its own
    /// (`<annotator>@<host>-<uuid>.jsonl`) where another process holds that one or the file system knows no locks.
    ///
    /// # Errors
    /// When the annotator's name is not usable as a file name, or the folder cannot be read and written.
    pub fn open(folder: &Path, annotator: &str, host: &str) -> Result<Self> {
        check_annotator(annotator)?;
        let host = file_safe_host(host);
        fs::create_dir_all(folder).with_context(|| format!("cannot create annotations folder {}", folder.display()))?;
        let (path, mut file) = open_locked(folder, &format!("{annotator}@{host}"))?;
        let torn = ends_torn(&mut file).with_context(|| format!("cannot read journal {}", path.display()))?;
        let (events, _) = read_folder(folder)?;
        let mut undone = HashSet::new();
        for event in events.iter().filter(|event| event.annotator == annotator) {
            if let EventKind::Undo { undoes } = event.kind {
                undone.insert(undoes);
            }
        }
        let mut last_ts = None;
        let mut undoable = Vec::new();
        for event in events.into_iter().filter(|event| event.annotator == annotator) {
            last_ts = Some(event.ts);
            if !matches!(event.kind, EventKind::Undo { .. }) && !undone.contains(&event.id) {
                undoable.push((event.id, event.case));
            }
        }
        Ok(Self { path, file, annotator: annotator.into(), host, torn, last_ts, undoable })
    }

    /// The file written to.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes one event and returns once it is on disk.
    ///
    /// # Errors
    /// When it could not be written whole (full disk, lost mount); the journal is then as it was, and the call may be
    /// repeated.
    pub fn append(&mut self, case: &str, kind: EventKind, run_fingerprint: Option<&str>) -> Result<Event> {
        let event = Event {
            v: EVENT_VERSION,
            id: Uuid::now_v7(),
            ts: self.next_ts(),
            annotator: self.annotator.clone(),
            host: self.host.clone(),
            case: case.into(),
            kind,
            run_fingerprint: run_fingerprint.map(Into::into),
        };
        let mut line = if self.torn { vec![b'\n'] } else { Vec::new() };
        serde_json::to_writer(&mut line, &event).context("cannot write the event as JSON")?;
        line.push(b'\n');
        self.write_line(&line)
            .with_context(|| format!("annotation not saved: cannot write {}", self.path.display()))?;
        self.last_ts = Some(event.ts);
        match event.kind {
            EventKind::Undo { undoes } => self.undoable.retain(|(id, _)| *id != undoes),
            _ => self.undoable.push((event.id, event.case.clone())),
        }
        Ok(event)
    }

    /// Undoes the annotator's last event that still counts, of this session or an earlier one; `None` when none does.
    ///
    /// # Errors
    /// As [`Journal::append`].
    pub fn undo(&mut self) -> Result<Option<Event>> {
        let Some((undoes, case)) = self.undoable.last().cloned() else { return Ok(None) };
        self.append(&case, EventKind::Undo { undoes }, None).map(Some)
    }

    /// Now, or just after the last event where the clock stood still or went back: order within a journal is order of
    /// keys pressed.
    fn next_ts(&self) -> OffsetDateTime {
        let now = OffsetDateTime::now_utc();
        match self.last_ts {
            Some(last) if now <= last => last + Duration::NANOSECOND,
            _ => now,
        }
    }

    /// All of `line` is on disk, or the file has its old length.
    fn write_line(&mut self, line: &[u8]) -> std::io::Result<()> {
        let old_length = self.file.metadata()?.len();
        let Err(error) = self.file.write_all(line).and_then(|()| self.file.sync_data()) else {
            self.torn = false;
            return Ok(());
        };
        if self.file.set_len(old_length).is_err() {
            self.torn = true;
        }
        Err(error)
    }
}

impl Drop for Journal {
    /// Lets go of the lock now: closing the file alone leaves it to a process that is just being started and has not yet
    /// closed what it inherited.
    fn drop(&mut self) {
        let _ = self.file.unlock();
    }
}

/// The file with the plain name if no other process writes it, else a new file that nobody can share.
fn open_locked(folder: &Path, stem: &str) -> Result<(PathBuf, File)> {
    let plain = folder.join(format!("{stem}.jsonl"));
    let file = open_append(&plain)?;
    if file.try_lock().is_ok() {
        return Ok((plain, file));
    }
    let own = folder.join(format!("{stem}-{}.jsonl", Uuid::now_v7()));
    let file = open_append(&own)?;
    // The unique name alone keeps others out; the lock is for those who look.
    let _ = file.try_lock();
    Ok((own, file))
}

/// Opens for appending and makes the name itself survive a power loss.
fn open_append(path: &Path) -> Result<File> {
    let is_new = !path.exists();
    let file = OpenOptions::new()
        .create(true)
        .append(true)
        .read(true)
        .open(path)
        .with_context(|| format!("cannot open journal {} for writing", path.display()))?;
    if is_new && let Some(folder) = path.parent() {
        File::open(folder)
            .and_then(|handle| handle.sync_all())
            .with_context(|| format!("cannot sync folder {}", folder.display()))?;
    }
    Ok(file)
}

fn ends_torn(file: &mut File) -> std::io::Result<bool> {
    if file.metadata()?.len() == 0 {
        return Ok(false);
    }
    file.seek(SeekFrom::End(-1))?;
    let mut last = [0];
    file.read_exact(&mut last)?;
    Ok(last != *b"\n")
}

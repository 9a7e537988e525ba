//! The journal that this process writes: appended to, flushed, never rewritten.

use super::event::{EVENT_VERSION, Event, EventContext, EventKind};
use super::folder::read_folder;
use super::history::History;
use super::journal_file::JournalFile;
use super::names::{check_annotator, file_safe_host};
use anyhow::{Context, Result};
use dissent_core::data::Problem;
use dissent_core::files::durable::make_folder;
use std::path::Path;
use std::sync::Arc;
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

/// An open journal. No other program writes to its file while it is open.
#[derive(Debug)]
pub struct Journal {
    file: JournalFile,
    annotator: String,
    host: String,
    last_ts: Option<OffsetDateTime>,
    history: History,
}

impl Journal {
    /// Opens `<annotator>@<host>.jsonl` in `folder`, which is created if missing. If another process has locked that
    /// file or the file system has no locks, opens a new file `<annotator>@<host>-<uuid>.jsonl` instead.
    ///
    /// # Errors
    /// Fails if the annotator's name cannot be a file name, or the folder cannot be read and written.
    pub fn open(folder: &Path, annotator: &str, host: &str) -> Result<Self> {
        Ok(Self::open_and_read(folder, annotator, host)?.0)
    }

    /// Like [`Journal::open`]; also returns the result of [`read_folder`]: every annotator's events, and a problem
    /// for each line that is no event.
    ///
    /// # Errors
    /// Fails like [`Journal::open`].
    pub(crate) fn open_and_read(
        folder: &Path,
        annotator: &str,
        host: &str,
    ) -> Result<(Self, Vec<Arc<Event>>, Vec<Problem>)> {
        check_annotator(annotator)?;
        let host = file_safe_host(host);
        make_folder(folder)?;
        // Lock before reading, so that no other program adds events in between.
        let file = JournalFile::open(folder, &format!("{annotator}@{host}"))?;
        let (events, problems) = read_folder(folder)?;
        let mut journal = Self { file, annotator: annotator.into(), host, last_ts: None, history: History::default() };
        journal.know(&events);
        Ok((journal, events, problems))
    }

    /// Takes over the annotator's own events from these, which are in the order of replay. The next event will be
    /// later than all of them, and undo begins with the last that counts.
    pub(super) fn know(&mut self, events: &[Arc<Event>]) {
        self.history = History::default();
        for event in events.iter().filter(|event| event.annotator == self.annotator) {
            self.last_ts = self.last_ts.max(Some(event.ts));
            self.history.take_in(event);
        }
    }

    /// The path of the file.
    pub fn path(&self) -> &Path {
        self.file.path()
    }

    /// Writes one event and returns once it is on disk.
    ///
    /// # Errors
    /// Fails if the event could not be written completely (full disk, lost mount). The journal is then unchanged, and
    /// the call may be repeated.
    pub fn append(&mut self, case: &str, kind: EventKind, context: EventContext) -> Result<Event> {
        let seconds = context.seconds.filter(|seconds| seconds.is_finite() && *seconds >= 0.0);
        let event = Event {
            v: EVENT_VERSION,
            id: Uuid::now_v7(),
            ts: self.next_ts(),
            annotator: self.annotator.as_str().into(),
            host: self.host.as_str().into(),
            case: case.into(),
            kind,
            context: EventContext { seconds: seconds.map(|seconds| (seconds * 10.0).round() / 10.0), ..context },
        };
        let mut line = serde_json::to_vec(&event).context("cannot write the event as JSON")?;
        line.push(b'\n');
        self.file
            .append(&line)
            .with_context(|| format!("annotation not saved: cannot write {}", self.file.path().display()))?;
        self.last_ts = Some(event.ts);
        self.history.take_in(&event);
        Ok(event)
    }

    /// The event that would be undone next, and its case.
    pub(super) fn next_undo(&self) -> Option<(Uuid, &str)> {
        self.history.next_undo().map(|(id, case)| (*id, case.as_str()))
    }

    /// The event that would be redone next, and its case.
    pub(super) fn next_redo(&self) -> Option<(Uuid, &str)> {
        self.history.next_redo().map(|(id, case)| (*id, case.as_str()))
    }

    /// Undoes the annotator's last event that still counts, of this session or an earlier one; returns `None` if
    /// there is none.
    ///
    /// # Errors
    /// Fails like [`Journal::append`].
    pub fn undo(&mut self) -> Result<Option<Event>> {
        let Some((undoes, case)) = self.history.next_undo().cloned() else { return Ok(None) };
        self.append(&case, EventKind::Undo { undoes }, EventContext::default()).map(Some)
    }

    /// Redoes the event that was undone last; returns `None` if nothing was undone since the last new event.
    ///
    /// # Errors
    /// Fails like [`Journal::append`].
    pub fn redo(&mut self) -> Result<Option<Event>> {
        let Some((redoes, case)) = self.history.next_redo().cloned() else { return Ok(None) };
        self.append(&case, EventKind::Redo { redoes }, EventContext::default()).map(Some)
    }

    /// The current time, or just after the annotator's last event if the clock stood still or went back, or another
    /// machine's clock is ahead. So times are in the order of the keys pressed, as far as this process can know.
    fn next_ts(&self) -> OffsetDateTime {
        let now = OffsetDateTime::now_utc();
        match self.last_ts {
            Some(last) if now <= last => last + Duration::NANOSECOND,
            _ => now,
        }
    }
}

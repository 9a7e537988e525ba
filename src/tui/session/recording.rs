//! Recordings of a session: everything written to the terminal, with its time, as asciicast v2
//! (<https://docs.asciinema.org/manual/asciicast/v2/>).

use anyhow::{Context, Result};
use serde_json::json;
use std::cell::RefCell;
use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Stdout, Write, stdout};
use std::path::Path;
use std::rc::Rc;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// The recording's file, written during the session.
pub struct Recording {
    file: BufWriter<File>,
    begun: Instant,
    /// Bytes of a character whose rest has not come yet.
    begun_character: Vec<u8>,
}

impl Recording {
    /// Starts a new file; an existing one is not overwritten.
    ///
    /// # Errors
    /// Fails if the file exists or cannot be written.
    pub fn start(path: &Path, (columns, rows): (u16, u16)) -> Result<Self> {
        let file = OpenOptions::new().write(true).create_new(true).open(path);
        let file = file.with_context(|| format!("--record {}: expected the name of a new file", path.display()))?;
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        let term = std::env::var("TERM").unwrap_or_default();
        let mut recording = Self { file: BufWriter::new(file), begun: Instant::now(), begun_character: Vec::new() };
        let head = json!({"version": 2, "width": columns, "height": rows, "timestamp": now, "env": {"TERM": term}});
        recording.line(&head.to_string()).with_context(|| format!("cannot write {}", path.display()))?;
        Ok(recording)
    }

    /// Records a new window size.
    pub fn resized(&mut self, columns: u16, rows: u16) -> io::Result<()> {
        self.event("r", &format!("{columns}x{rows}"))
    }

    fn written(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.begun_character.extend_from_slice(bytes);
        let whole = match std::str::from_utf8(&self.begun_character) {
            Ok(text) => text.len(),
            // Bytes that are not text are passed on as they are; a cut character waits for its rest.
            Err(error) if error.error_len().is_some() => self.begun_character.len(),
            Err(error) => error.valid_up_to(),
        };
        let rest = self.begun_character.split_off(whole);
        let text = String::from_utf8_lossy(&std::mem::replace(&mut self.begun_character, rest)).into_owned();
        if text.is_empty() { Ok(()) } else { self.event("o", &text) }
    }

    fn event(&mut self, kind: &str, data: &str) -> io::Result<()> {
        let seconds = (self.begun.elapsed().as_secs_f64() * 1e6).round() / 1e6;
        self.line(&json!([seconds, kind, data]).to_string())
    }

    fn line(&mut self, text: &str) -> io::Result<()> {
        writeln!(self.file, "{text}")?;
        // Flush now, so that a killed session leaves a complete recording.
        self.file.flush()
    }
}

/// The recording, shared by the writer to the terminal and the handler of window sizes. If it cannot be written any
/// more, it ends and the session goes on.
pub type CastRecorder = Rc<RefCell<CastFile>>;

/// The recording, if one is made, and the error that ended it early.
#[derive(Default)]
pub struct CastFile {
    recording: Option<Recording>,
    failure: Option<io::Error>,
}

impl CastFile {
    pub fn new(recording: Option<Recording>) -> Self {
        Self { recording, failure: None }
    }

    /// The error that ended the recording; returned once.
    pub fn take_failure(&mut self) -> Option<io::Error> {
        self.failure.take()
    }
}

/// Adds to the recording, if there is one.
pub fn record(recorder: &CastRecorder, what: impl FnOnce(&mut Recording) -> io::Result<()>) {
    let mut recorder = recorder.borrow_mut();
    if let Some(Err(error)) = recorder.recording.as_mut().map(what) {
        recorder.recording = None;
        recorder.failure = Some(error);
    }
}

/// Standard output, copied to the recording if there is one.
pub struct TeeWriter {
    out: Stdout,
    recorder: CastRecorder,
}

impl TeeWriter {
    pub fn new(recorder: CastRecorder) -> Self {
        Self { out: stdout(), recorder }
    }
}

impl Write for TeeWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.out.write(bytes)?;
        record(&self.recorder, |recording| recording.written(&bytes[..count]));
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_film_has_a_head_and_events_of_whole_characters_and_writes_over_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.cast");
        let mut recording = Recording::start(&path, (80, 24)).unwrap();
        let bytes = "a▀\x1b[m".as_bytes();
        recording.written(&bytes[..2]).unwrap();
        recording.written(&bytes[2..]).unwrap();
        recording.resized(120, 40).unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        let lines: Vec<serde_json::Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!((lines[0]["version"].as_u64(), lines[0]["width"].as_u64()), (Some(2), Some(80)));
        let data: Vec<&str> = lines[1..].iter().map(|event| event[2].as_str().unwrap()).collect();
        assert_eq!(data, ["a", "▀\u{1b}[m", "120x40"]);
        assert_eq!(lines[3][1], "r");
        let message = format!("{:#}", Recording::start(&path, (80, 24)).err().unwrap());
        assert!(message.contains("expected the name of a new file"), "{message}");
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_film_that_no_longer_fits_on_the_disk_ends_and_says_why() {
        let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
        let recording = Recording { file: BufWriter::new(full), begun: Instant::now(), begun_character: Vec::new() };
        let recorder = Rc::new(RefCell::new(CastFile::new(Some(recording))));
        record(&recorder, |recording| recording.resized(80, 24));
        let failure = recorder.borrow_mut().take_failure();
        assert_eq!(failure.unwrap().kind(), io::ErrorKind::StorageFull);
        record(&recorder, |_| panic!("it has ended"));
        assert!(recorder.borrow_mut().take_failure().is_none(), "said once");
    }
}

//! State saved from one session to the next: the place, the saved views, the opened and the marked cases. There is one file per
//! annotator; annotations are in the journal.

use crate::files::durable;
use crate::text::toml_text;
use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use std::io::ErrorKind;
use std::path::Path;

/// Contents of the file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SessionState {
    /// Ids of the cases that were opened.
    pub seen: Vec<String>,
    /// Ids of the cases marked for labelling many at once.
    pub marked: Vec<String>,
    pub place: Option<Place>,
    pub view: Vec<SavedView>,
}

/// The place where the last session ended.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Place {
    /// Id of the case.
    pub case: Option<String>,
    /// Position among its hits, from 0.
    pub hit: usize,
    pub filter: String,
    pub order: String,
    pub columns: Vec<String>,
}

/// Size limit of the file, bytes; it has room for thousands of saved views.
const LONGEST: u64 = 4 << 20;

/// A named filter and order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavedView {
    pub name: String,
    pub filter: String,
    pub order: String,
}

impl SessionState {
    /// Reads the file; a missing one gives the default.
    ///
    /// # Errors
    /// Fails if the file cannot be read or is damaged; the message names path and line.
    pub fn read(path: &Path) -> Result<Self> {
        let text = match crate::files::input_file::read_text(path, LONGEST) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Self::default()),
            text => text.with_context(|| format!("cannot read {}", path.display()))?,
        };
        toml_text::parse(&text).with_context(|| format!("{}: expected the saved state of a session", path.display()))
    }

    /// Replaces the file atomically; ids stand there in order.
    ///
    /// # Errors
    /// Fails if the file cannot be written.
    pub fn write(&self, path: &Path) -> Result<()> {
        let mut sorted = self.clone();
        sorted.seen.sort_unstable();
        sorted.marked.sort_unstable();
        let text = toml::to_string(&sorted).context("cannot write the state of the session as TOML")?;
        durable::write_file(path, text.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again_and_damage_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ada.toml");
        assert_eq!(SessionState::read(&path).unwrap(), SessionState::default());
        let view = SavedView { name: "hard".into(), filter: "fused:wrong \"a, b\"".into(), order: "entropy".into() };
        let place = Place { case: Some("c-1".into()), hit: 2, ..Place::default() };
        let marked = vec!["c-1".into(), "c-2".into()];
        let state = SessionState { seen: vec!["c-1".into()], marked, place: Some(place), view: vec![view] };
        state.write(&path).unwrap();
        assert_eq!(SessionState::read(&path).unwrap(), state);
        std::fs::write(&path, "seen = 3").unwrap();
        let message = format!("{:#}", SessionState::read(&path).unwrap_err());
        assert!(message.contains("ada.toml") && message.contains("line 1"), "{message}");
    }
}

//! The key of an API: from the environment or a file, and never in a message.

use anyhow::{Context, Result, ensure};
use reqwest::header::HeaderValue;
use std::fmt;
use std::path::Path;

/// Environment variable that holds the key.
pub const KEY_VARIABLE: &str = "DISSENT_READER_KEY";
/// Stands in messages where the key would.
const HIDDEN: &str = "[key]";

/// A key; printing it shows nothing.
#[derive(Clone)]
pub struct ApiKey(String);

impl ApiKey {
    /// From `file` where one is named, else from [`KEY_VARIABLE`]; `None` where there is neither.
    ///
    /// # Errors
    /// Where the file cannot be read or holds no key.
    pub fn find(file: Option<&Path>) -> Result<Option<Self>> {
        let (text, from) = match file {
            Some(path) => {
                let text = std::fs::read_to_string(path);
                (
                    text.with_context(|| format!("cannot read the key file {}", path.display()))?,
                    path.display().to_string(),
                )
            }
            None => match std::env::var(KEY_VARIABLE) {
                Ok(text) if !text.trim().is_empty() => (text, KEY_VARIABLE.to_owned()),
                _ => return Ok(None),
            },
        };
        Self::parse(&text).with_context(|| format!("{from}: expected a key")).map(Some)
    }

    fn parse(text: &str) -> Result<Self> {
        let key = text.trim();
        ensure!(!key.is_empty(), "found nothing");
        ensure!(key.bytes().all(|byte| byte.is_ascii_graphic()), "found spaces, line breaks or letters beyond ASCII");
        Ok(Self(key.to_owned()))
    }

    /// `Bearer …`, marked as not to be printed.
    pub(super) fn header(&self) -> Result<HeaderValue> {
        let value = HeaderValue::from_str(&format!("Bearer {}", self.0));
        // The error of the library would say nothing of the key either.
        let mut value = value.context("the key cannot be sent in a header")?;
        value.set_sensitive(true);
        Ok(value)
    }

    /// The text without the key: some servers repeat a key that they refuse.
    pub(super) fn hide_in(&self, text: &str) -> String {
        text.replace(&self.0, HIDDEN)
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(HIDDEN)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_read_from_a_file_and_never_shown() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        std::fs::write(&path, "sk-hunter2\n").unwrap();
        let key = ApiKey::find(Some(&path)).unwrap().unwrap();
        assert_eq!(key.header().unwrap().to_str().unwrap(), "Bearer sk-hunter2");
        assert_eq!(format!("{key:?} {:?}", key.header().unwrap()), "[key] Sensitive");
        assert_eq!(key.hide_in("no such key: sk-hunter2."), "no such key: [key].");
        for wrong in ["", " \n", "two words", "sk-\u{e4}"] {
            std::fs::write(&path, wrong).unwrap();
            let message = format!("{:#}", ApiKey::find(Some(&path)).unwrap_err());
            assert!(message.contains("expected a key"), "{message}");
            assert!(wrong.trim().is_empty() || !message.contains(wrong), "{message}");
        }
        assert!(ApiKey::find(Some(&folder.path().join("none"))).is_err());
    }
}

//! The API key, read from the environment or a file, and never shown in a message.

use anyhow::{Context, Result};
use dissent_core::secret::Secret;
use reqwest::header::HeaderValue;
use std::path::Path;

/// Environment variables that hold the key of a reader's server and of an encoder's.
pub const KEY_VARIABLE: &str = "DISSENT_READER_KEY";
pub const ENCODER_KEY_VARIABLE: &str = "DISSENT_ENCODER_KEY";

/// An API key; its debug output does not show it.
#[derive(Clone, Debug)]
pub struct ApiKey(Secret);

impl ApiKey {
    /// Reads the key from `file` if given, else from [`KEY_VARIABLE`]; `None` if neither exists.
    ///
    /// # Errors
    /// Fails if the file cannot be read or holds no key.
    pub fn find(file: Option<&Path>) -> Result<Option<Self>> {
        Self::find_in(file, KEY_VARIABLE)
    }

    /// [`Self::find`] with another environment variable.
    ///
    /// # Errors
    /// Fails as [`Self::find`] does.
    pub fn find_in(file: Option<&Path>, variable: &str) -> Result<Option<Self>> {
        Ok(Secret::find(file, variable, "a key")?.map(Self))
    }

    /// The header value `Bearer …`, marked as sensitive.
    pub(super) fn header(&self) -> Result<HeaderValue> {
        let value = HeaderValue::from_str(&format!("Bearer {}", self.0.reveal()));
        // The library's error message does not contain the key.
        let mut value = value.context("the key cannot be sent in a header")?;
        value.set_sensitive(true);
        Ok(value)
    }

    /// Hides the key in servers' messages: some repeat a key that they refuse.
    pub(super) fn secret(&self) -> &Secret {
        &self.0
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
        assert_eq!(format!("{key:?} {:?}", key.header().unwrap()), "ApiKey([key]) Sensitive");
        for wrong in ["", " \n", "two words", "sk-\u{e4}"] {
            std::fs::write(&path, wrong).unwrap();
            let message = format!("{:#}", ApiKey::find(Some(&path)).unwrap_err());
            assert!(message.contains("expected a key"), "{message}");
            assert!(wrong.trim().is_empty() || !message.contains(wrong), "{message}");
        }
        assert!(ApiKey::find(Some(&folder.path().join("none"))).is_err());
    }
}

//! The API key, read from the environment or a file, and never shown in a message.

use super::role::ServerRole;
use anyhow::{Context, Result};
use dissent_core::secret::Secret;
use reqwest::header::HeaderValue;
use std::path::Path;

/// An API key; its debug output does not show it.
#[derive(Clone, Debug)]
pub struct ApiKey(Secret);

impl ApiKey {
    /// Reads the key from `file` if given, else from the role's environment variable; `None` if neither exists.
    ///
    /// # Errors
    /// Fails if the file cannot be read or holds no key.
    pub fn find(file: Option<&Path>, role: ServerRole) -> Result<Option<Self>> {
        Ok(Secret::find(file, role.key_variable(), "a key")?.map(Self))
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
        let key = ApiKey::find(Some(&path), ServerRole::Reader).unwrap().unwrap();
        assert_eq!(key.header().unwrap().to_str().unwrap(), "Bearer sk-hunter2");
        assert_eq!(format!("{key:?} {:?}", key.header().unwrap()), "ApiKey([key]) Sensitive");
        for wrong in ["", " \n", "two words", "sk-\u{e4}"] {
            std::fs::write(&path, wrong).unwrap();
            let message = format!("{:#}", ApiKey::find(Some(&path), ServerRole::Reader).unwrap_err());
            assert!(message.contains("expected a key"), "{message}");
            assert!(wrong.trim().is_empty() || !message.contains(wrong), "{message}");
        }
        assert!(ApiKey::find(Some(&folder.path().join("none")), ServerRole::Encoder).is_err());
    }
}

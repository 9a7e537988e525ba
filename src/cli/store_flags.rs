//! `--store` and its companions, for every command that retrieves.

use crate::milvus::{OnWait, StoreAddress, StoreSource, TOKEN_VARIABLE};
use crate::output::say;
use crate::secret::Secret;
use anyhow::{Context, Result};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// In seconds.
const TIMEOUT: u32 = 60;
const PATIENCE: u64 = 300;
const PATIENCE_ON_SCREEN: u64 = 20;

/// A store of documents on a server, in place of the index in the workspace.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct StoreFlags {
    /// Collection of a Milvus server that has the documents, in place of the index in the workspace:
    /// milvus://HOST:PORT/COLLECTION, or milvus+tls://… (`dissent index --store` fills it)
    // The value may contain a password, so the help does not show it.
    #[arg(long, env = "DISSENT_STORE", hide_env_values = true, value_name = "URL")]
    pub store: Option<String>,
    /// File that contains the token of the store (user:password or an API key); default: the environment variable
    /// DISSENT_STORE_TOKEN
    #[arg(long, env = "DISSENT_STORE_TOKEN_FILE", value_name = "FILE")]
    pub store_token_file: Option<PathBuf>,
    /// Seconds to wait for each answer of the store [default: 60]
    #[arg(long, env = "DISSENT_STORE_TIMEOUT", value_name = "SECONDS", value_parser = clap::value_parser!(u32).range(1..))]
    pub store_timeout: Option<u32>,
    /// Seconds to wait for a store that is unreachable or overloaded [default: 300]
    #[arg(long, env = "DISSENT_STORE_PATIENCE", value_name = "SECONDS")]
    pub store_patience: Option<u64>,
}

impl StoreFlags {
    /// Whether a store is named.
    pub fn is_named(&self) -> bool {
        self.store.is_some()
    }

    /// The store that the flags name, if they do. Waiting for it is said on standard error.
    ///
    /// # Errors
    /// Fails if the address is invalid or the token's file cannot be read.
    pub fn resolve(&self) -> Result<Option<StoreSource>> {
        self.resolve_telling(Arc::new(|line: &str| say(line)))
    }

    /// Like [`Self::resolve`], for a program that has the screen: waiting is short and not said, because an error says what to
    /// do and the case can be asked again.
    ///
    /// # Errors
    /// Fails like [`Self::resolve`].
    pub fn resolve_quietly(&self) -> Result<Option<StoreSource>> {
        let patience = Duration::from_secs(self.store_patience.unwrap_or(PATIENCE_ON_SCREEN));
        let source = self.resolve_telling(Arc::new(|_: &str| ()))?;
        Ok(source.map(|source| StoreSource { patience, ..source }))
    }

    fn resolve_telling(&self, on_wait: OnWait) -> Result<Option<StoreSource>> {
        let Some(text) = &self.store else { return Ok(None) };
        Ok(Some(StoreSource {
            address: text.parse::<StoreAddress>().context("--store")?,
            token: Secret::find(self.store_token_file.as_deref(), TOKEN_VARIABLE, "a token")?,
            timeout: Duration::from_secs(u64::from(self.store_timeout.unwrap_or(TIMEOUT))),
            patience: Duration::from_secs(self.store_patience.unwrap_or(PATIENCE)),
            on_wait,
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_read_from_its_file_and_never_shown() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("token");
        std::fs::write(&file, "root:hunter2\n").unwrap();
        let flags = StoreFlags {
            store: Some("milvus+tls://db/scans".into()),
            store_token_file: Some(file),
            ..StoreFlags::default()
        };
        let source = flags.resolve().unwrap().unwrap();
        assert_eq!(source.token.as_ref().unwrap().reveal(), "root:hunter2");
        assert!(!format!("{source:?} {source} {flags:?}").contains("hunter2"));
        assert!(StoreFlags::default().resolve().unwrap().is_none());
    }
}

//! From the flags of a served reader or encoder to its connection: one way for both.

use crate::reader::remote::{ApiKey, ServerAddress, ServerConnection, ServerRole};
use anyhow::{Context, Result};
use std::path::Path;
use std::time::Duration;

/// The values of the flags that readers and encoders have alike.
pub(super) struct ServerFlags<'a> {
    pub model: Option<&'a str>,
    pub key_file: Option<&'a Path>,
    pub requests: Option<u16>,
    /// In seconds.
    pub timeout: Option<u32>,
    pub patience: Option<u64>,
}

/// The text of `--reader` or `--encoder`, if it is an address and not a folder.
pub(super) fn address_in(value: Option<&Path>) -> Option<&str> {
    value.and_then(Path::to_str).filter(|text| ServerAddress::looks_like_one(text))
}

impl ServerFlags<'_> {
    /// The connection to the servers that `addresses` names.
    ///
    /// # Errors
    /// Fails if an address is invalid or the key file cannot be read.
    pub fn connection(self, role: ServerRole, addresses: &str) -> Result<ServerConnection> {
        Ok(ServerConnection {
            role,
            addresses: ServerAddress::parse_list(addresses, role).with_context(|| format!("--{}", role.name()))?,
            model: self.model.map(str::to_owned),
            key: ApiKey::find(self.key_file, role)?,
            requests: usize::from(self.requests.unwrap_or(ServerConnection::REQUESTS)),
            timeout: self.timeout.map(|seconds| Duration::from_secs(u64::from(seconds))),
            patience: Duration::from_secs(self.patience.unwrap_or(ServerConnection::PATIENCE)),
        })
    }
}

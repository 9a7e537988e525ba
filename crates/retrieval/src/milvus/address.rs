//! The address of a collection: `milvus://host:port/collection`, or `milvus+tls://` over TLS.

use anyhow::{Result, ensure};
use std::fmt;
use std::str::FromStr;

/// Milvus's own port.
const PORT: u16 = 19530;
/// Longest name: Milvus takes 255 characters, and a build adds its own.
const LONGEST_NAME: usize = 200;
const EXPECTED: &str = "expected milvus://HOST[:PORT]/COLLECTION, or milvus+tls://HOST[:PORT]/COLLECTION";

/// Where the documents of a corpus are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoreAddress {
    pub host: String,
    pub port: u16,
    pub is_encrypted: bool,
    pub collection: String,
}

impl StoreAddress {
    /// The address for gRPC.
    pub fn endpoint(&self) -> String {
        let scheme = if self.is_encrypted { "https" } else { "http" };
        format!("{scheme}://{}:{}", self.host, self.port)
    }

    /// Whether a token would be sent unencrypted over a network.
    pub fn is_in_the_clear(&self) -> bool {
        let is_here = matches!(self.host.as_str(), "localhost" | "[::1]") || self.host.starts_with("127.");
        !self.is_encrypted && !is_here
    }
}

impl FromStr for StoreAddress {
    type Err = anyhow::Error;

    /// # Errors
    /// Fails if the text is no such address. It may contain a password, so that the message does not repeat it.
    fn from_str(text: &str) -> Result<Self> {
        let (is_encrypted, rest) = match text.trim().split_once("://") {
            Some(("milvus", rest)) => (false, rest),
            Some(("milvus+tls", rest)) => (true, rest),
            _ => anyhow::bail!("{EXPECTED}"),
        };
        let (authority, collection) = rest.split_once('/').unwrap_or((rest, ""));
        ensure!(
            !authority.contains('@'),
            "{EXPECTED}, found a user name or password in it; give the token in {} or --store-token-file",
            super::TOKEN_VARIABLE
        );
        let collection = collection.trim_end_matches('/');
        ensure!(!collection.is_empty(), "{EXPECTED}, found no collection");
        let is_name = collection.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_')
            && !collection.starts_with(|letter: char| letter.is_ascii_digit())
            && collection.len() <= LONGEST_NAME;
        ensure!(
            is_name,
            "{EXPECTED}; a collection's name has at most {LONGEST_NAME} letters, digits and underscores, and no digit first"
        );
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) if !port.contains(']') => {
                let port = port.parse().map_err(|_| anyhow::anyhow!("{EXPECTED}, found a port that is no number"))?;
                (host, port)
            }
            _ => (authority, PORT),
        };
        let is_host =
            !host.is_empty() && host.chars().all(|letter| letter.is_ascii_alphanumeric() || ".-_:[]".contains(letter));
        ensure!(is_host, "{EXPECTED}, found no name of a host");
        Ok(Self { host: host.into(), port, is_encrypted, collection: collection.into() })
    }
}

impl fmt::Display for StoreAddress {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.is_encrypted { "milvus+tls" } else { "milvus" };
        write!(formatter, "{scheme}://{}:{}/{}", self.host, self.port, self.collection)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn host_port_and_collection_are_read() {
        let address: StoreAddress = "milvus://db.example.org/pmc_oa".parse().unwrap();
        assert_eq!((address.host.as_str(), address.port, address.is_encrypted), ("db.example.org", 19530, false));
        assert_eq!(address.to_string(), "milvus://db.example.org:19530/pmc_oa");
        assert!(address.is_in_the_clear());
        let address: StoreAddress = "milvus+tls://[::1]:19531/scans/".parse().unwrap();
        assert_eq!((address.endpoint().as_str(), address.collection.as_str()), ("https://[::1]:19531", "scans"));
        assert!(!address.is_in_the_clear());
    }

    #[test]
    fn what_is_no_address_is_refused_and_not_repeated() {
        for text in [
            "hunter2",
            "http://hunter2:1/x",
            "milvus://user:hunter2@host/x",
            "milvus://hunter2",
            "milvus://host:hunter2/x",
            "milvus://host/hunter2-x",
            "milvus:///x",
            "milvus://host/1hunter2",
        ] {
            let message = text.parse::<StoreAddress>().unwrap_err().to_string();
            assert!(message.contains("expected milvus://HOST") && !message.contains("hunter2"), "{message}");
        }
    }
}

//! Addresses of servers: `http://host:port[,http://…]`.

use super::role::ServerRole;
use anyhow::{Context, Result, bail, ensure};
use reqwest::Url;
use std::fmt;
use std::net::IpAddr;

/// Base address of a server, without a path of the API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerAddress(Url);

impl ServerAddress {
    /// True if this text is an address and not a folder.
    pub fn looks_like_one(text: &str) -> bool {
        // Any scheme counts, so that unknown ones are refused: as a folder name the text would be printed with its
        // password.
        text.split_once("://").is_some_and(|(scheme, _)| scheme.chars().all(|letter| letter.is_ascii_alphanumeric()))
    }

    /// Parses one address, or several with commas between them.
    ///
    /// # Errors
    /// Fails if an address is invalid. Also fails if it has a password or key, which would end up in logs.
    pub fn parse_list(text: &str, role: ServerRole) -> Result<Vec<Self>> {
        let mut addresses: Vec<Self> = Vec::new();
        for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
            let address = Self::parse(part, role)?;
            ensure!(!addresses.contains(&address), "the server {address} is named twice");
            addresses.push(address);
        }
        ensure!(!addresses.is_empty(), "expected http://HOST:PORT, found nothing");
        Ok(addresses)
    }

    fn parse(text: &str, role: ServerRole) -> Result<Self> {
        let expected = "expected http://HOST:PORT or https://HOST[:PORT]";
        // Invalid text may contain a password, so the message does not repeat it.
        let mut url = Url::parse(text).with_context(|| format!("{expected}, found something that is no address"))?;
        if !matches!(url.scheme(), "http" | "https") {
            bail!("{expected}, found the scheme {}", url.scheme());
        }
        ensure!(
            url.username().is_empty() && url.password().is_none(),
            "{expected}, found a user name or password in it; if it needs a key, {}",
            role.key_advice()
        );
        ensure!(url.query().is_none() && url.fragment().is_none(), "{expected}, found ? or # in it");
        // Users copy the address with the API's path.
        let path = url.path().trim_end_matches('/').trim_end_matches("/v1").trim_end_matches('/').to_owned();
        url.set_path(&path);
        Ok(Self(url))
    }

    /// The address of `path`, which starts with a slash.
    pub(super) fn join(&self, path: &str) -> Url {
        let mut url = self.0.clone();
        let base = self.0.path().trim_end_matches('/');
        // Google's endpoint has a version of its own: /v1beta/openai/chat/completions.
        let path = if base.ends_with("/v1beta/openai") { path.strip_prefix("/v1").unwrap_or(path) } else { path };
        url.set_path(&format!("{base}{path}"));
        url
    }

    /// True if scheme, host and port are the same.
    pub(super) fn is_origin_of(&self, url: &Url) -> bool {
        self.0.origin() == url.origin()
    }

    pub(super) fn is_encrypted(&self) -> bool {
        self.0.scheme() == "https"
    }

    pub(super) fn has_port(&self, port: u16) -> bool {
        self.0.port() == Some(port)
    }

    /// True if the server is on this machine or in a private network: a loopback or private address, a name without a dot, or
    /// one of a domain that is not of the internet. Other servers may cost money.
    pub fn is_local(&self) -> bool {
        let host = self.0.host_str().unwrap_or_default();
        match host.trim_matches(['[', ']']).parse() {
            Ok(IpAddr::V4(address)) => address.is_loopback() || address.is_private() || address.is_link_local(),
            Ok(IpAddr::V6(address)) => {
                address.is_loopback() || address.is_unique_local() || address.is_unicast_link_local()
            }
            Err(_) => {
                let own = ["local", "lan", "internal", "localdomain", "localhost"];
                host.rsplit_once('.').is_none_or(|(_, domain)| own.contains(&domain)) || host.ends_with(".home.arpa")
            }
        }
    }

    /// True if a key would be sent unencrypted over a network.
    pub(crate) fn is_in_the_clear(&self) -> bool {
        let host = self.0.host_str().unwrap_or_default();
        let is_here = matches!(host, "localhost" | "[::1]") || host.starts_with("127.");
        self.0.scheme() == "http" && !is_here
    }
}

impl fmt::Display for ServerAddress {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.0.as_str().trim_end_matches('/'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(text: &str) -> Result<Vec<ServerAddress>> {
        ServerAddress::parse_list(text, ServerRole::Reader)
    }

    #[test]
    fn addresses_are_read_with_and_without_the_path_of_the_api() {
        let addresses = list("http://one:8000, https://two/v1/,http://three:1/serve").unwrap();
        let shown: Vec<String> = addresses.iter().map(ToString::to_string).collect();
        assert_eq!(shown, ["http://one:8000", "https://two", "http://three:1/serve"]);
        assert_eq!(addresses[1].join("/v1/models").as_str(), "https://two/v1/models");
        assert_eq!(addresses[2].join("/v1/models").as_str(), "http://three:1/serve/v1/models");
        assert!(addresses[0].is_in_the_clear() && !addresses[1].is_in_the_clear());
        assert!(!list("http://127.0.0.1:1").unwrap()[0].is_in_the_clear());
    }

    #[test]
    fn hosted_servers_are_told_from_local_ones_and_have_their_own_paths() {
        let one = |text: &str| list(text).unwrap().remove(0);
        for local in ["http://gpu:8000", "http://127.0.0.1:1", "http://10.1.2.3", "http://[::1]:1", "http://node.lan:1"]
        {
            assert!(one(local).is_local(), "{local}");
        }
        for hosted in ["https://api.openai.com", "https://8.8.8.8", "https://local.example.org"] {
            assert!(!one(hosted).is_local(), "{hosted}");
        }
        let google = one("https://generativelanguage.googleapis.com/v1beta/openai/");
        assert!(google.join("/v1/chat/completions").path().ends_with("/v1beta/openai/chat/completions"));
        // Other hosts have the API's version behind such a path.
        for host in ["https://api.groq.com/openai/v1", "https://res.openai.azure.com/openai/v1/"] {
            assert!(one(host).join("/v1/chat/completions").path().ends_with("/openai/v1/chat/completions"), "{host}");
        }
        assert!(one("http://localhost:11434/v1/").has_port(11434));
    }

    #[test]
    fn a_password_in_an_address_is_refused_and_not_repeated() {
        let message =
            ServerAddress::parse_list("http://user:hunter2@host:1", ServerRole::Encoder).unwrap_err().to_string();
        assert!(message.contains("--encoder-key-file") && !message.contains("reader"), "{message}");
        for text in ["http://user:hunter2@host:1", "http://host:1?key=hunter2", "http://[hunter2", "ftp://hunter2"] {
            let message = format!("{:#}", list(text).unwrap_err());
            assert!(message.contains("expected http://HOST:PORT") && !message.contains("hunter2"), "{message}");
        }
        assert!(list("http://a:1,http://a:1/").unwrap_err().to_string().contains("twice"));
        assert!(list(" , ").is_err());
    }
}

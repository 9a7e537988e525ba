//! How servers of one model are reached, for readers and encoders alike.

use super::answer::LONGEST_ABOUT_SERVER;
use super::api_key::ApiKey;
use super::embedding::ask_identity;
use super::error::{ServerError, ServerErrorKind};
use super::http::Http;
use super::role::ServerRole;
use super::server_kind::{ServerIdentity, ServerKind};
use super::{ServerAddress, WITHIN_SHORT};
use anyhow::{Context, Result};
use serde::de::IgnoredAny;
use std::time::{Duration, Instant};

/// Pause between attempts while a server is loading its model.
const LOADING: Duration = Duration::from_millis(500);

/// Addresses and settings of servers.
#[derive(Clone, Debug)]
pub struct ServerConnection {
    /// What they are for.
    pub role: ServerRole,
    /// Servers of the same model; the first one determines the identity.
    pub addresses: Vec<ServerAddress>,
    /// Name of the model; `None` if the server has only one.
    pub model: Option<String>,
    pub key: Option<ApiKey>,
    /// Most concurrent requests to each server.
    pub requests: usize,
    /// Time limit for every answer; `None` for limits that depend on the request.
    pub timeout: Option<Duration>,
    /// How long a request waits for servers that are down or overloaded.
    pub patience: Duration,
}

/// Servers, and whether each is up.
pub(super) type FoundServers = Vec<(ServerAddress, bool)>;

impl ServerConnection {
    /// Maximum number of concurrent requests to a server, by default.
    pub const REQUESTS: u16 = 16;
    /// By default, in seconds: a large model on a slow disk takes minutes to load.
    pub const PATIENCE: u64 = 300;

    /// The first server that is outside this machine and its network, and may cost money.
    pub fn hosted(&self) -> Option<String> {
        self.addresses.iter().find(|address| !address.is_local()).map(ToString::to_string)
    }

    /// The addresses, for messages.
    pub fn names(&self) -> String {
        let names: Vec<String> = self.addresses.iter().map(ToString::to_string).collect();
        names.join(", ")
    }

    /// The client for these servers.
    pub(super) fn http(&self, progress: &dyn Fn(String)) -> Result<Http> {
        if self.key.is_some() && self.addresses.iter().any(ServerAddress::is_in_the_clear) {
            let role = self.role.name();
            progress(format!("the key of the {role} goes over the network in the clear: https:// would hide it"));
        }
        Http::new(self)
    }

    /// Identity of the first server that answers, and the servers that are up. All servers that are up must be the same.
    pub(super) async fn find(&self, http: &Http, progress: &dyn Fn(String)) -> Result<(ServerIdentity, FoundServers)> {
        let mut identity: Option<ServerIdentity> = None;
        let mut servers = Vec::new();
        let mut first_error = None;
        for address in &self.addresses {
            let found = match self.ask_until_loaded(http, address, progress).await {
                Ok(found) => found,
                Err(error) if error.kind.passes() && self.addresses.len() > 1 => {
                    progress(format!("{error}; it is skipped for now"));
                    first_error.get_or_insert(error);
                    servers.push((address.clone(), false));
                    continue;
                }
                Err(error) => return Err(error.into()),
            };
            if let Some(what) = identity.as_ref().and_then(|first| first.difference(&found)) {
                return Err(http.failed(address, ServerErrorKind::Unequal { what }).into());
            }
            identity.get_or_insert(found);
            servers.push((address.clone(), true));
        }
        match (identity, first_error) {
            (Some(identity), _) => Ok((identity, servers)),
            (None, Some(error)) => Err(error.into()),
            (None, None) => anyhow::bail!("no server was named"),
        }
    }

    async fn ask_until_loaded(
        &self,
        http: &Http,
        address: &ServerAddress,
        progress: &dyn Fn(String),
    ) -> Result<ServerIdentity, ServerError> {
        let begun = Instant::now();
        let mut is_said = false;
        loop {
            let error = match ask_identity(http, address, self.model.as_deref()).await {
                Ok(identity) if identity.kind != ServerKind::LlamaCpp => return Ok(identity),
                // llama.cpp lists its model before it is loaded.
                Ok(identity) => {
                    match http.get::<IgnoredAny>(address, "/health", LONGEST_ABOUT_SERVER, WITHIN_SHORT).await {
                        Ok(_) => return Ok(identity),
                        Err(error) => error,
                    }
                }
                Err(error) => error,
            };
            if !matches!(error.kind, ServerErrorKind::Busy { .. }) || begun.elapsed() > self.patience {
                return Err(error);
            }
            if !is_said {
                progress(format!("waiting for {address}, which is still loading"));
                is_said = true;
            }
            tokio::time::sleep(LOADING).await;
        }
    }
}

/// The first server that is up.
pub(super) fn first_up(servers: &[(ServerAddress, bool)]) -> Result<&ServerAddress> {
    servers.iter().find(|(_, is_up)| *is_up).map(|(address, _)| address).context("no server answers")
}

//! A fleet: several servers of the same model. Each request goes to the least busy one; a server that is down is
//! skipped and tried again later.

use super::ServerAddress;
use super::answer::{Answer, LONGEST_ABOUT_SERVER};
use super::backoff::wait_before_next;
use super::connection::ServerConnection;
use super::embedding::{KnownProbe, ask_identity};
use super::error::{ServerError, ServerErrorKind};
use super::http::Http;
use super::limit::AdaptiveLimit;
use super::server_kind::ServerIdentity;
use dissent_core::secret::Secret;
use rand::Rng;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Pause between checks of a fleet that is completely down.
const LOOK: Duration = Duration::from_millis(50);

/// Servers of one model.
#[derive(Debug)]
pub(super) struct Fleet {
    http: Http,
    servers: Vec<Server>,
    /// Identity that all servers share.
    identity: ServerIdentity,
    /// How long a request waits for servers that are down or overloaded.
    patience: Duration,
    /// By which a server that comes back is known again, beside its identity.
    probe: Option<KnownProbe>,
}

#[derive(Debug)]
struct Server {
    address: ServerAddress,
    limit: AdaptiveLimit,
    health: Mutex<Health>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Health {
    Up,
    /// Down until this time, after this number of failures.
    Down {
        until: Instant,
        failures: u32,
    },
    /// A request is checking whether the server is up again.
    Asked {
        failures: u32,
    },
}

/// The next action for a request.
enum Next<'a> {
    Send(&'a Server),
    /// The server may be up again: check whether it is the same.
    Look(&'a Server, u32),
    Wait,
}

impl Fleet {
    /// Creates a fleet from the servers and their present errors; `connection` has their limits.
    pub fn new(
        http: Http,
        servers: Vec<(ServerAddress, bool)>,
        identity: ServerIdentity,
        connection: &ServerConnection,
    ) -> Self {
        let (requests, patience) = (connection.requests, connection.patience);
        let server = |(address, is_up)| {
            let health = if is_up { Health::Up } else { Health::Down { until: Instant::now(), failures: 1 } };
            Server { address, limit: AdaptiveLimit::new(requests), health: Mutex::new(health) }
        };
        Self { http, servers: servers.into_iter().map(server).collect(), identity, patience, probe: None }
    }

    /// A server that comes back must give the vectors of this probe.
    #[must_use]
    pub fn with_probe(self, probe: KnownProbe) -> Self {
        Self { probe: Some(probe), ..self }
    }

    /// The identity that all servers share.
    pub fn identity(&self) -> &ServerIdentity {
        &self.identity
    }

    /// The first server, for messages about the whole fleet.
    pub fn first(&self) -> &ServerAddress {
        &self.servers[0].address
    }

    /// Sends `GET path` to the first server.
    ///
    /// # Errors
    /// Fails as [`Http::get`] does.
    pub async fn get<T: DeserializeOwned>(&self, path: &str, within: Duration) -> Result<Answer<T>, ServerError> {
        self.http.get(self.first(), path, LONGEST_ABOUT_SERVER, within).await
    }

    /// An error of a server, with our key hidden.
    pub fn failed(&self, server: &ServerAddress, kind: ServerErrorKind) -> ServerError {
        self.http.failed(server, kind)
    }

    /// Secrets that must not appear in messages, files or on the screen.
    pub fn secrets(&self) -> &[Secret] {
        self.http.secrets()
    }

    /// Sends a request to one of the servers. Overload and broken connections are retried on another server or later;
    /// other errors are returned at once. Dropping the future cancels the request.
    ///
    /// # Errors
    /// Fails with the server's error, or if no server is available before the patience runs out.
    pub async fn ask<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &Value,
        most: usize,
        within: Duration,
    ) -> Result<(Answer<T>, ServerAddress), ServerError> {
        let mut troubled_since: Option<Instant> = None;
        let mut last: Option<ServerError> = None;
        let mut tried = 0;
        loop {
            if troubled_since.is_some_and(|since| since.elapsed() > self.patience)
                && let Some(error) = last.take()
            {
                return Err(error);
            }
            let server = match self.next() {
                Next::Send(server) => server,
                Next::Look(server, failures) => {
                    if let Err(error) = self.look(server, failures).await? {
                        troubled_since.get_or_insert_with(Instant::now);
                        last = Some(error);
                    }
                    continue;
                }
                Next::Wait => {
                    troubled_since.get_or_insert_with(Instant::now);
                    tokio::time::sleep(LOOK).await;
                    continue;
                }
            };
            let place = server.limit.place().await;
            if server.health() != Health::Up {
                continue;
            }
            let outcome = self.http.post(&server.address, path, body, most, within).await;
            drop(place);
            let error = match outcome {
                Ok(value) => {
                    server.limit.succeeded();
                    return Ok((value, server.address.clone()));
                }
                Err(error) => error,
            };
            tried += 1;
            let jitter = rand::rng().random::<f64>();
            let Some(wait) = wait_before_next(&error.kind, tried, jitter) else { return Err(error) };
            troubled_since.get_or_insert_with(Instant::now);
            if error.kind.is_absence() {
                server.failed(1, wait);
            } else {
                server.limit.overloaded();
                // Another server may have room now.
                if self.servers.len() == 1 || wait > Duration::from_secs(1) {
                    tokio::time::sleep(wait.min(self.patience)).await;
                }
            }
            last = Some(error);
        }
    }

    /// Checks that the servers that are up are still the same. An idle connection that was closed is silently opened
    /// again, perhaps to another server. Call this after answers arrive and before they are used.
    ///
    /// # Errors
    /// Fails if a server has changed. A server that is down is skipped.
    pub async fn check(&self) -> Result<(), ServerError> {
        for server in self.servers.iter().filter(|server| server.health() == Health::Up) {
            match ask_identity(&self.http, &server.address, Some(&self.identity.model)).await {
                Ok(now) => self.compare(server, &now)?,
                Err(error) if error.kind.is_absence() => server.failed(1, LOOK),
                // An overloaded server counts as unchanged: it was busy with our prompts before.
                Err(error) if error.kind.passes() => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// The identity of a server that was down, after its vectors were compared.
    async fn ask_who_it_is(&self, server: &Server) -> Result<ServerIdentity, ServerError> {
        let now = ask_identity(&self.http, &server.address, Some(&self.identity.model)).await?;
        if let Some(probe) = self.probe.as_ref().filter(|_| self.identity.difference(&now).is_none()) {
            probe.check(&self.http, &server.address).await?;
        }
        Ok(now)
    }

    fn compare(&self, server: &Server, now: &ServerIdentity) -> Result<(), ServerError> {
        match self.identity.difference(now) {
            Some(what) => Err(self.failed(&server.address, ServerErrorKind::Changed { what })),
            None => Ok(()),
        }
    }

    /// The least busy server that is up, else one whose waiting time is over.
    fn next(&self) -> Next<'_> {
        let now = Instant::now();
        for server in &self.servers {
            let mut health = server.health.lock().unwrap_or_else(PoisonError::into_inner);
            if let Health::Down { until, failures } = *health
                && until <= now
            {
                *health = Health::Asked { failures };
                drop(health);
                return Next::Look(server, failures);
            }
        }
        let up = self.servers.iter().filter(|server| server.health() == Health::Up);
        let busy = |server: &&Server| server.limit.under_way() * 1000 / server.limit.allowed().max(1);
        up.min_by_key(busy).map_or(Next::Wait, Next::Send)
    }

    /// Checks whether a server is up again and unchanged. The inner error is the reason why it is still down.
    ///
    /// # Errors
    /// Fails if the server is up but has changed.
    async fn look(&self, server: &Server, failures: u32) -> Result<Result<(), ServerError>, ServerError> {
        let held = LookedAt { server, failures };
        let asked = self.ask_who_it_is(server).await;
        match asked {
            Ok(now) => {
                drop(held);
                self.compare(server, &now)?;
                server.set(Health::Up);
                Ok(Ok(()))
            }
            Err(error) => {
                let jitter = rand::rng().random::<f64>();
                let wait = wait_before_next(&error.kind, failures + 1, jitter);
                drop(held);
                match wait {
                    Some(wait) => server.failed(failures + 1, wait),
                    // The server answers with an error that a retry would not change, so waiting is of no use.
                    None => return Err(error),
                }
                Ok(Err(error))
            }
        }
    }
}

impl Server {
    fn health(&self) -> Health {
        *self.health.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set(&self, health: Health) {
        *self.health.lock().unwrap_or_else(PoisonError::into_inner) = health;
    }

    fn failed(&self, failures: u32, wait: Duration) {
        self.limit.overloaded();
        self.set(Health::Down { until: Instant::now() + wait, failures });
    }
}

/// A server that is being checked. If the check is cancelled, the server may be checked again.
struct LookedAt<'a> {
    server: &'a Server,
    failures: u32,
}

impl Drop for LookedAt<'_> {
    fn drop(&mut self) {
        self.server.set(Health::Down { until: Instant::now(), failures: self.failures });
    }
}

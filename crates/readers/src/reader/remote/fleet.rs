//! Several servers of the same model as one: the least busy is asked, one that is down is left out and tried again later.

use super::ServerAddress;
use super::answer::{Answer, LONGEST_ABOUT_SERVER};
use super::error::{ServerError, ServerErrorKind};
use super::http::Http;
use super::limit::AdaptiveLimit;
use super::retry::wait_before_next;
use super::server_kind::ServerIdentity;
use dissent_core::secret::Secret;
use rand::Rng;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Between looks at a fleet that is all down.
const LOOK: Duration = Duration::from_millis(50);

/// Servers of one model.
#[derive(Debug)]
pub(super) struct Fleet {
    http: Http,
    servers: Vec<Server>,
    /// What every server is.
    identity: ServerIdentity,
    /// How long a request waits for servers that are gone or overloaded.
    patience: Duration,
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
    /// Left out until then, after so many failures.
    Down {
        until: Instant,
        failures: u32,
    },
    /// Somebody is looking whether it is there again.
    Asked {
        failures: u32,
    },
}

/// What to do next with a request.
enum Next<'a> {
    Send(&'a Server),
    /// A server may be there again: look whether it is the same.
    Look(&'a Server, u32),
    Wait,
}

impl Fleet {
    /// Servers with what is wrong with each now, if anything; at most `requests` at a time to each.
    pub fn new(
        http: Http,
        servers: Vec<(ServerAddress, bool)>,
        identity: ServerIdentity,
        requests: usize,
        patience: Duration,
    ) -> Self {
        let server = |(address, is_up)| {
            let health = if is_up { Health::Up } else { Health::Down { until: Instant::now(), failures: 1 } };
            Server { address, limit: AdaptiveLimit::new(requests), health: Mutex::new(health) }
        };
        Self { http, servers: servers.into_iter().map(server).collect(), identity, patience }
    }

    /// What every server is.
    pub fn identity(&self) -> &ServerIdentity {
        &self.identity
    }

    /// For messages about all of them.
    pub fn first(&self) -> &ServerAddress {
        &self.servers[0].address
    }

    /// `GET path` of the first server.
    ///
    /// # Errors
    /// As [`Http::get`].
    pub async fn get<T: DeserializeOwned>(&self, path: &str, within: Duration) -> Result<Answer<T>, ServerError> {
        self.http.get(self.first(), path, LONGEST_ABOUT_SERVER, within).await
    }

    /// The trouble with a server, without our key.
    pub fn failed(&self, server: &ServerAddress, trouble: ServerErrorKind) -> ServerError {
        self.http.failed(server, trouble)
    }

    /// What must be in no message, file or screen.
    pub fn secrets(&self) -> &[Secret] {
        self.http.secrets()
    }

    /// Has one of the servers answer. Overload and broken connections are tried again, elsewhere or later; whatever else
    /// goes wrong is said at once. Dropping the future cancels the request.
    ///
    /// # Errors
    /// What the server said, or why none could be asked for as long as patience lasts.
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
            let Some(wait) = wait_before_next(&error.trouble, tried, jitter) else { return Err(error) };
            troubled_since.get_or_insert_with(Instant::now);
            if error.trouble.is_absence() {
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

    /// Are the servers that are up still what they were? A connection that was closed while nobody asked is opened again
    /// without a word, be it by another server; so this is asked after answers and before they are believed.
    ///
    /// # Errors
    /// Fails if one has become another. One that is gone is left out.
    pub async fn check(&self) -> Result<(), ServerError> {
        for server in self.servers.iter().filter(|server| server.health() == Health::Up) {
            match ServerIdentity::ask(&self.http, &server.address, Some(&self.identity.model)).await {
                Ok(now) => self.compare(server, &now)?,
                Err(error) if error.trouble.is_absence() => server.failed(1, LOOK),
                // Too busy to say so: it was busy with our prompts before.
                Err(error) if error.trouble.passes() => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn compare(&self, server: &Server, now: &ServerIdentity) -> Result<(), ServerError> {
        match self.identity.difference(now) {
            Some(what) => Err(self.failed(&server.address, ServerErrorKind::Changed { what })),
            None => Ok(()),
        }
    }

    /// The least busy server that is up, else one that was left out for long enough.
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

    /// Is the server there again, and the same? The inner error says why it is still left out.
    ///
    /// # Errors
    /// Fails if it is there and not what it was.
    async fn look(&self, server: &Server, failures: u32) -> Result<Result<(), ServerError>, ServerError> {
        let held = LookedAt { server, failures };
        let asked = ServerIdentity::ask(&self.http, &server.address, Some(&self.identity.model)).await;
        match asked {
            Ok(now) => {
                drop(held);
                self.compare(server, &now)?;
                server.set(Health::Up);
                Ok(Ok(()))
            }
            Err(error) => {
                let jitter = rand::rng().random::<f64>();
                let wait = wait_before_next(&error.trouble, failures + 1, jitter);
                drop(held);
                match wait {
                    Some(wait) => server.failed(failures + 1, wait),
                    // It answers, but not as before: not for long, perhaps, yet nothing to wait for.
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

/// A server that somebody looks at; cancelled in the middle, it may be looked at again.
struct LookedAt<'a> {
    server: &'a Server,
    failures: u32,
}

impl Drop for LookedAt<'_> {
    fn drop(&mut self) {
        self.server.set(Health::Down { until: Instant::now(), failures: self.failures });
    }
}

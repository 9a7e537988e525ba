//! One HTTP exchange with a server: send the request, read the whole answer, classify errors.

use super::ServerAddress;
use super::answer::Answer;
use super::api_key::ApiKey;
use super::backoff::retry_after;
use super::connection::ServerConnection;
use super::error::{ServerError, ServerErrorKind};
use super::refusal::kind_of_refusal;
use super::role::ServerRole;
use anyhow::{Context, Result};
use dissent_core::files::input_file;
use dissent_core::secret::Secret;
use reqwest::header::{AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE, LOCATION};
use reqwest::{Client, Method, Url, redirect};
use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_json::error::Category;
use std::error::Error;
use std::time::Duration;

/// Time limit for connecting.
const CONNECT: Duration = Duration::from_secs(10);
/// Idle connections are closed after this time; servers close theirs after about a minute.
const KEEP_IDLE: Duration = Duration::from_secs(30);
/// Most bytes that are read of a refusal, or of an answer that lacks something.
const LONGEST_REFUSAL: usize = 64 << 10;
const LONGEST_BEGINNING: usize = 4 << 10;
/// Most redirects within one host.
const MOST_REDIRECTS: usize = 3;

/// The HTTP client with its key and limits.
#[derive(Clone, Debug)]
pub(super) struct Http {
    role: ServerRole,
    client: Client,
    key: Option<ApiKey>,
    /// Timeout that the user sets for all requests; it replaces those of callers.
    timeout: Option<Duration>,
}

impl Http {
    /// Creates a client for HTTP/1.1 and, over TLS, HTTP/2. Certificates are checked by the system's rules. Proxies of
    /// the environment are ignored: images of patients go only to the given address.
    ///
    /// # Errors
    /// Fails if an address needs TLS and the system has no certificates.
    pub fn new(connection: &ServerConnection) -> Result<Self> {
        // Fails if another reader has installed it already; ignore that.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut builder = Client::builder()
            .user_agent(concat!("dissent/", env!("CARGO_PKG_VERSION")))
            .redirect(redirect::Policy::none())
            .no_proxy()
            .connect_timeout(CONNECT)
            .pool_idle_timeout(KEEP_IDLE)
            .tcp_nodelay(true);
        if connection.addresses.iter().all(|address| !address.is_encrypted()) {
            // A minimal container may have no certificates; without TLS it needs none.
            builder = builder.tls_certs_only([]);
        }
        let client = builder.build().context("cannot set up HTTPS")?;
        Ok(Self { role: connection.role, client, key: connection.key.clone(), timeout: connection.timeout })
    }

    /// Sends `GET path` and parses the answer as JSON of at most `most` bytes.
    ///
    /// # Errors
    /// Fails as [`Self::post`] does.
    pub async fn get<T: DeserializeOwned>(
        &self,
        server: &ServerAddress,
        path: &str,
        most: usize,
        within: Duration,
    ) -> Result<Answer<T>, ServerError> {
        self.exchange(server, Method::GET, path, None, most, within).await
    }

    /// Sends `POST path` with a JSON body and parses the answer as JSON of at most `most` bytes.
    ///
    /// # Errors
    /// Fails with the [`ServerErrorKind`] that fits best.
    pub async fn post<T: DeserializeOwned>(
        &self,
        server: &ServerAddress,
        path: &str,
        body: &Value,
        most: usize,
        within: Duration,
    ) -> Result<Answer<T>, ServerError> {
        self.exchange(server, Method::POST, path, Some(body.to_string()), most, within).await
    }

    /// An error of a server, with our key hidden.
    pub fn failed(&self, server: &ServerAddress, kind: ServerErrorKind) -> ServerError {
        ServerError::new(self.role, server, kind, self.secrets())
    }

    /// Secrets that must not appear in messages, files or on the screen.
    pub fn secrets(&self) -> &[Secret] {
        self.key.as_ref().map(|key| std::slice::from_ref(key.secret())).unwrap_or_default()
    }

    async fn exchange<T: DeserializeOwned>(
        &self,
        server: &ServerAddress,
        method: Method,
        path: &str,
        body: Option<String>,
        most: usize,
        within: Duration,
    ) -> Result<Answer<T>, ServerError> {
        let within = self.timeout.unwrap_or(within);
        let whole = self.exchange_without_limit(server, method, path, body, most);
        let outcome = match tokio::time::timeout(within, whole).await {
            Ok(outcome) => outcome.and_then(|body| parse(&body)),
            Err(_) => Err(ServerErrorKind::TimedOut { within, is_given: self.timeout.is_some() }),
        };
        outcome.map_err(|kind| self.failed(server, kind))
    }

    async fn exchange_without_limit(
        &self,
        server: &ServerAddress,
        method: Method,
        path: &str,
        body: Option<String>,
        most: usize,
    ) -> Result<Vec<u8>, ServerErrorKind> {
        let mut url = server.join(path);
        for _ in 0..=MOST_REDIRECTS {
            let mut request = self.client.request(method.clone(), url.clone());
            if let Some(key) = &self.key {
                let header =
                    key.header().map_err(|error| ServerErrorKind::Unreachable { reason: error.to_string() })?;
                request = request.header(AUTHORIZATION, header);
            }
            if let Some(body) = &body {
                request = request.header(CONTENT_TYPE, "application/json").body(body.clone());
            }
            let response = request.send().await.map_err(|error| kind_of_transport_error(&error))?;
            if response.status().is_redirection() {
                url = next_address(server, &url, response.headers().get(LOCATION).and_then(|to| to.to_str().ok()))?;
                continue;
            }
            return read_answer(response, path, most).await;
        }
        Err(ServerErrorKind::RedirectedTooOften)
    }
}

fn next_address(server: &ServerAddress, from: &Url, location: Option<&str>) -> Result<Url, ServerErrorKind> {
    let location = location.unwrap_or_default();
    let mut to = from.join(location).map_err(|_| ServerErrorKind::Redirected { to: location.to_owned() })?;
    if !server.is_origin_of(&to) {
        return Err(ServerErrorKind::Redirected { to: to.origin().ascii_serialization() });
    }
    // A user name in the redirect would replace our key. Both calls succeed for an address with a host.
    let _ = to.set_username("").and_then(|()| to.set_password(None));
    Ok(to)
}

async fn read_answer(mut response: reqwest::Response, path: &str, most: usize) -> Result<Vec<u8>, ServerErrorKind> {
    let status = response.status();
    let wait = response.headers().get("retry-after").and_then(|value| value.to_str().ok()).and_then(retry_after);
    if let Some(encoding) = response.headers().get(CONTENT_ENCODING).filter(|encoding| *encoding != "identity") {
        let encoding = String::from_utf8_lossy(encoding.as_bytes());
        return Err(ServerErrorKind::NotJson {
            found: format!("an answer compressed as {encoding}, which was not asked for"),
        });
    }
    let most = if status.is_success() { most } else { LONGEST_REFUSAL };
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| kind_of_transport_error(&error))? {
        if body.len() + chunk.len() > most {
            if status.is_success() {
                return Err(ServerErrorKind::TooLarge { limit: most });
            }
            // The beginning of a refusal is enough.
            body.extend_from_slice(&chunk[..most - body.len()]);
            break;
        }
        body.extend_from_slice(&chunk);
    }
    if !status.is_success() {
        return Err(kind_of_refusal(status.as_u16(), path, &String::from_utf8_lossy(&body), wait));
    }
    Ok(body)
}

/// Parses an answer.
fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<Answer<T>, ServerErrorKind> {
    if let Err(error) = input_file::text(body) {
        return Err(ServerErrorKind::NotJson { found: error.to_string() });
    }
    let body = input_file::without_bom(body);
    let beginning = String::from_utf8_lossy(&body[..body.len().min(LONGEST_BEGINNING)]).into_owned();
    match serde_json::from_slice(body) {
        Ok(value) => Ok(Answer { value, beginning }),
        Err(error) if error.classify() == Category::Data => {
            Err(ServerErrorKind::OtherShape { why: error.to_string(), found: beginning })
        }
        Err(_) => Err(ServerErrorKind::NotJson { found: beginning }),
    }
}

/// Classifies an error of the library. Its own text repeats the address and hides the cause, so we show the cause.
fn kind_of_transport_error(error: &reqwest::Error) -> ServerErrorKind {
    let mut reasons: Vec<String> = Vec::new();
    let mut is_certificate = false;
    let mut cause = error.source();
    while let Some(inner) = cause {
        let text = inner.to_string();
        is_certificate |= inner.is::<rustls::Error>() || text.contains("invalid peer certificate");
        if !reasons.iter().any(|known| known.contains(&text)) {
            reasons.push(text);
        }
        cause = inner.source();
    }
    // The innermost cause is the most specific.
    let reason = reasons.pop().unwrap_or_else(|| error.to_string());
    match () {
        () if is_certificate => ServerErrorKind::Certificate { reason },
        () if error.is_connect() => ServerErrorKind::Unreachable { reason },
        () => ServerErrorKind::Broken { reason },
    }
}

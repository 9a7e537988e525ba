//! One exchange with a server: send, wait, read the whole answer, say what went wrong.

use super::ServerAddress;
use super::api_key::ApiKey;
use super::error::{ServerError, Trouble};
use super::refusal::{excerpt, trouble_of};
use super::retry::retry_after;
use anyhow::{Context, Result};
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, LOCATION};
use reqwest::{Client, Method, Url, redirect};
use serde_json::Value;
use std::error::Error;
use std::time::Duration;

/// Waiting for a connection.
const CONNECT: Duration = Duration::from_secs(10);
/// A connection that is not used for so long is closed; servers close theirs after a minute or so.
const KEEP_IDLE: Duration = Duration::from_secs(30);
/// A whole vocabulary of log-probabilities is a few million bytes.
const LARGEST_ANSWER: usize = 64 << 20;
/// Redirects within one host.
const MOST_REDIRECTS: usize = 3;

/// What a request is sent with.
#[derive(Clone, Debug)]
pub(super) struct Http {
    client: Client,
    key: Option<ApiKey>,
}

impl Http {
    /// HTTP/1.1 in the clear; over TLS also HTTP/2, where the server has it. Certificates are checked as the system
    /// does. No proxy of the environment is used: images of patients go where the address says.
    ///
    /// # Errors
    /// Where the system has no certificates to check others with and an address needs them.
    pub fn new(key: Option<ApiKey>, addresses: &[ServerAddress]) -> Result<Self> {
        // A second reader finds it installed.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut builder = Client::builder()
            .user_agent(concat!("dissent/", env!("CARGO_PKG_VERSION")))
            .redirect(redirect::Policy::none())
            .no_proxy()
            .connect_timeout(CONNECT)
            .pool_idle_timeout(KEEP_IDLE)
            .tcp_nodelay(true);
        if addresses.iter().all(|address| !address.is_encrypted()) {
            // A slim container may have no certificates, which is then no reason to stop.
            builder = builder.tls_certs_only([]);
        }
        Ok(Self { client: builder.build().context("cannot set up HTTPS")?, key })
    }

    /// `GET path` as JSON.
    ///
    /// # Errors
    /// As [`Self::post`].
    pub async fn get(&self, server: &ServerAddress, path: &str, within: Duration) -> Result<Value, ServerError> {
        self.exchange(server, Method::GET, path, None, within).await
    }

    /// `POST path` with a JSON body, answered by JSON.
    ///
    /// # Errors
    /// Whatever [`Trouble`] there is.
    pub async fn post(
        &self,
        server: &ServerAddress,
        path: &str,
        body: &Value,
        within: Duration,
    ) -> Result<Value, ServerError> {
        self.exchange(server, Method::POST, path, Some(body.to_string()), within).await
    }

    async fn exchange(
        &self,
        server: &ServerAddress,
        method: Method,
        path: &str,
        body: Option<String>,
        within: Duration,
    ) -> Result<Value, ServerError> {
        let whole = self.exchange_without_limit(server, method, path, body);
        let outcome = match tokio::time::timeout(within, whole).await {
            Ok(outcome) => outcome,
            Err(_) => Err(Trouble::TimedOut(within)),
        };
        outcome.map_err(|trouble| ServerError::new(server, self.without_key(trouble)))
    }

    async fn exchange_without_limit(
        &self,
        server: &ServerAddress,
        method: Method,
        path: &str,
        body: Option<String>,
    ) -> Result<Value, Trouble> {
        let mut url = server.join(path);
        for _ in 0..=MOST_REDIRECTS {
            let mut request = self.client.request(method.clone(), url.clone());
            if let Some(key) = &self.key {
                let header = key.header().map_err(|error| Trouble::Unreachable { reason: error.to_string() })?;
                request = request.header(AUTHORIZATION, header);
            }
            if let Some(body) = &body {
                request = request.header(CONTENT_TYPE, "application/json").body(body.clone());
            }
            let response = request.send().await.map_err(|error| trouble_on_the_way(&error))?;
            if response.status().is_redirection() {
                url = next_address(server, &url, response.headers().get(LOCATION).and_then(|to| to.to_str().ok()))?;
                continue;
            }
            return read_answer(response, path).await;
        }
        Err(Trouble::RedirectedTooOften)
    }

    /// Servers may repeat what they were sent.
    fn without_key(&self, trouble: Trouble) -> Trouble {
        match &self.key {
            Some(key) => trouble.map_text(&|text| key.hide_in(text)),
            None => trouble,
        }
    }
}

fn next_address(server: &ServerAddress, from: &Url, location: Option<&str>) -> Result<Url, Trouble> {
    let location = location.unwrap_or_default();
    let to = from.join(location).map_err(|_| Trouble::Redirected { to: excerpt(location) })?;
    if server.is_origin_of(&to) { Ok(to) } else { Err(Trouble::Redirected { to: to.origin().ascii_serialization() }) }
}

async fn read_answer(mut response: reqwest::Response, path: &str) -> Result<Value, Trouble> {
    let status = response.status();
    let wait = response.headers().get("retry-after").and_then(|value| value.to_str().ok()).and_then(retry_after);
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| trouble_on_the_way(&error))? {
        if body.len() + chunk.len() > LARGEST_ANSWER {
            return Err(Trouble::TooLarge { limit: LARGEST_ANSWER });
        }
        body.extend_from_slice(&chunk);
    }
    if !status.is_success() {
        return Err(trouble_of(status.as_u16(), path, &String::from_utf8_lossy(&body), wait));
    }
    serde_json::from_slice(&body).map_err(|_| Trouble::NotJson { found: excerpt(&String::from_utf8_lossy(&body)) })
}

/// What the library's error means. Its own text names the address again and hides the cause, so the causes are shown.
fn trouble_on_the_way(error: &reqwest::Error) -> Trouble {
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
    // The innermost says most.
    let reason = reasons.pop().unwrap_or_else(|| error.to_string());
    match () {
        () if is_certificate => Trouble::Certificate { reason },
        () if error.is_connect() => Trouble::Unreachable { reason },
        () => Trouble::Broken { reason },
    }
}

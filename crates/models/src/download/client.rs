//! HTTP requests to the hub: its address, the user's key, redirects.

use crate::model::hub::hugging_face_home;
use anyhow::Context;
use dissent_core::files::input_file;
use dissent_core::secret::{Secret, excerpt};
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue, LOCATION, RANGE};
use reqwest::{Client, Method, Response, StatusCode, Url, redirect};
use std::io::ErrorKind;
use std::path::PathBuf;
use std::time::Duration;
use tokio::time::timeout;

/// Address of the hub unless `HF_ENDPOINT` is set.
const ENDPOINT: &str = "https://huggingface.co";
/// Time limit for connecting.
const CONNECT: Duration = Duration::from_secs(10);
/// Longest time without new data or headers, unless `HF_HUB_DOWNLOAD_TIMEOUT` is set.
const SILENCE: Duration = Duration::from_secs(30);
/// Largest value of `HF_HUB_DOWNLOAD_TIMEOUT` in seconds.
const LONGEST_SILENCE: u64 = 3600;
const MOST_REDIRECTS: usize = 5;
/// Longest key file in bytes; keys have 37 letters.
const LONGEST_KEY_FILE: u64 = 1 << 16;

/// Errors of the hub.
#[derive(Debug, thiserror::Error)]
pub enum HubError {
    #[error("{0}: the hub wants a key that may read this model: put one into HF_TOKEN, or accept its terms on the hub")]
    NotAllowed(String),
    #[error("{0}: the hub has no such model, revision or file")]
    NotFound(String),
    #[error("{place}: the hub answered {status}")]
    Refused { place: String, status: StatusCode },
    #[error("{place}: {reason}")]
    Broken { place: String, reason: String },
    /// The downloaded file has been removed.
    #[error("{file}: {reason}")]
    OtherContent { file: String, reason: String },
    #[error("cannot write {}: {reason}", .path.display())]
    Disk { path: PathBuf, reason: String },
    /// The user cancelled the download.
    #[error("interrupted")]
    Cancelled,
}

impl HubError {
    /// True if the same request may succeed a moment later.
    pub(super) fn may_pass(&self) -> bool {
        match self {
            Self::Broken { .. } => true,
            Self::Refused { status, .. } => status.is_server_error() || *status == StatusCode::TOO_MANY_REQUESTS,
            _ => false,
        }
    }
}

/// The hub with the user's key.
#[derive(Debug)]
pub struct Hub {
    client: Client,
    endpoint: Url,
    /// Marked as sensitive, so that it is never printed.
    key: Option<HeaderValue>,
    /// See [`SILENCE`].
    silence: Duration,
    /// The key and the password of the address, which the hub's messages may repeat.
    secrets: Vec<Secret>,
}

impl Hub {
    /// The hub of the environment: `HF_ENDPOINT`; `HF_TOKEN`, else the file of `HF_TOKEN_PATH` or `HF_HOME/token`.
    ///
    /// # Errors
    /// Fails if a variable has an invalid address or key, `HF_HUB_OFFLINE` is set, or a key would be sent unencrypted.
    pub fn of_environment() -> anyhow::Result<Self> {
        let offline = variable("HF_HUB_OFFLINE").is_some_and(|value| value != "0");
        anyhow::ensure!(!offline, "HF_HUB_OFFLINE is set, so nothing can be downloaded; unset it to download");
        let text = variable("HF_ENDPOINT").unwrap_or_else(|| ENDPOINT.into());
        let endpoint = Url::parse(&text).ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
        // Invalid text may contain a password, so the message does not repeat it.
        let Some(endpoint) = endpoint else {
            anyhow::bail!("HF_ENDPOINT: expected https://HOST, found something else")
        };
        let key = find_key()?;
        if key.is_some() && endpoint.scheme() == "http" && !is_this_machine(&endpoint) {
            let shown = endpoint.origin().ascii_serialization();
            anyhow::bail!("HF_ENDPOINT: {shown} is not encrypted and would expose the key; expected https://");
        }
        let secrets = key.iter().cloned().chain(endpoint.password().map(Secret::new)).collect();
        let key = key.as_ref().map(header_of).transpose()?;
        let silence = silence_of_environment()?;
        // Fails if a reader on a server has installed it already; ignore that.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = Client::builder()
            .user_agent(concat!("dissent/", env!("CARGO_PKG_VERSION")))
            .redirect(redirect::Policy::none())
            .connect_timeout(CONNECT)
            .read_timeout(silence)
            .build()?;
        Ok(Self { client, endpoint, key, silence, secrets })
    }

    /// Longest time without new data.
    pub(super) fn silence(&self) -> Duration {
        self.silence
    }

    fn too_late(&self) -> String {
        format!("nothing came for {} s (HF_HUB_DOWNLOAD_TIMEOUT waits longer)", self.silence.as_secs())
    }

    /// The innermost cause. The library's own text contains the address, which may include a signature.
    pub(super) fn reason_of(&self, error: &reqwest::Error) -> String {
        let mut cause: &dyn std::error::Error = error;
        while let Some(inner) = cause.source() {
            cause = inner;
        }
        if error.is_timeout() { self.too_late() } else { cause.to_string() }
    }

    /// Makes a text of the hub safe for a message.
    pub(super) fn shown(&self, text: &str) -> String {
        excerpt(text, &self.secrets)
    }

    /// The address of a path below the hub's own; `parts` are escaped.
    pub(super) fn address(&self, parts: &[&str]) -> Url {
        let mut url = self.endpoint.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty();
            // A revision such as `refs/pr/1` must be a single part.
            path.extend(parts);
        }
        url
    }

    /// Sends a request and returns a successful answer. Redirects are followed; the key is sent only to the hub's own
    /// host. With `stay`, a redirect to another host is returned as the answer.
    pub(super) async fn ask(
        &self,
        method: Method,
        address: Url,
        from_byte: u64,
        stay: bool,
    ) -> Result<Response, HubError> {
        let place = self.shown(address.path().trim_start_matches('/'));
        let broken = |reason: String| HubError::Broken { place: place.clone(), reason: self.shown(&reason) };
        let mut url = address;
        for _ in 0..=MOST_REDIRECTS {
            let mut headers = HeaderMap::new();
            if let Some(key) = self.key.as_ref().filter(|_| url.origin() == self.endpoint.origin()) {
                headers.insert(AUTHORIZATION, key.clone());
            }
            let mut request = self.client.request(method.clone(), url.clone()).headers(headers);
            if from_byte > 0 {
                request = request.header(RANGE, format!("bytes={from_byte}-"));
            }
            // The limit also covers headers that arrive byte by byte.
            let response = timeout(self.silence, request.send()).await;
            let response =
                response.map_err(|_| broken(self.too_late()))?.map_err(|error| broken(self.reason_of(&error)))?;
            let status = response.status();
            if status.is_redirection() {
                let to = response.headers().get(LOCATION).and_then(|to| to.to_str().ok());
                let to = to.and_then(|to| url.join(to).ok()).filter(|to| matches!(to.scheme(), "http" | "https"));
                let Some(to) = to else { return Err(broken("it redirects to an invalid address".into())) };
                if url.scheme() == "https" && to.scheme() != "https" {
                    return Err(broken(format!(
                        "it redirects to {}, which is not encrypted",
                        to.origin().ascii_serialization()
                    )));
                }
                if stay && to.origin() != self.endpoint.origin() {
                    return Ok(response);
                }
                url = to;
                continue;
            }
            return match status {
                StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Err(HubError::NotAllowed(place)),
                StatusCode::NOT_FOUND => Err(HubError::NotFound(place)),
                status if status.is_success() || status == StatusCode::RANGE_NOT_SATISFIABLE => Ok(response),
                status => Err(HubError::Refused { place, status }),
            };
        }
        Err(broken("it redirects too often".into()))
    }
}

fn find_key() -> anyhow::Result<Option<Secret>> {
    let text = match variable("HF_TOKEN") {
        Some(text) => Some(text),
        None => key_of_file()?,
    };
    let Some(text) = text.filter(|text| !text.trim().is_empty()) else { return Ok(None) };
    let key = text.trim();
    let plain = key.bytes().all(|byte| byte.is_ascii_graphic());
    anyhow::ensure!(plain, "HF_TOKEN: expected a key, found spaces, line breaks or letters beyond ASCII");
    Ok(Some(Secret::new(key)))
}

/// The key that `hf auth login` stored.
fn key_of_file() -> anyhow::Result<Option<String>> {
    let own = || Some(hugging_face_home()?.join("token"));
    let Some(path) = variable("HF_TOKEN_PATH").map(PathBuf::from).or_else(own) else { return Ok(None) };
    match input_file::read_text(&path, LONGEST_KEY_FILE) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| format!("cannot read the key file {}", path.display())),
    }
}

fn header_of(key: &Secret) -> anyhow::Result<HeaderValue> {
    let mut value = HeaderValue::from_str(&format!("Bearer {}", key.reveal()))?;
    value.set_sensitive(true);
    Ok(value)
}

fn is_this_machine(url: &Url) -> bool {
    matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"))
}

fn silence_of_environment() -> anyhow::Result<Duration> {
    let Some(text) = variable("HF_HUB_DOWNLOAD_TIMEOUT") else { return Ok(SILENCE) };
    let seconds: Option<u64> = text.trim().parse().ok().filter(|seconds| *seconds > 0);
    let seconds =
        seconds.with_context(|| format!("HF_HUB_DOWNLOAD_TIMEOUT: expected seconds, found {}", excerpt(&text, &[])))?;
    Ok(Duration::from_secs(seconds.min(LONGEST_SILENCE)))
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.trim().is_empty())
}

//! Requests to the hub: its address, the user's key, redirects.

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

/// Where the hub is unless `HF_ENDPOINT` says otherwise.
const ENDPOINT: &str = "https://huggingface.co";
/// Waiting for a connection.
const CONNECT: Duration = Duration::from_secs(10);
/// Longest silence between two pieces of an answer, and longest wait for its headers, unless `HF_HUB_DOWNLOAD_TIMEOUT` says
/// otherwise.
const SILENCE: Duration = Duration::from_secs(30);
/// The longest that may be asked for.
const LONGEST_SILENCE: u64 = 3600;
const MOST_REDIRECTS: usize = 5;
/// Longest key file in bytes; keys have 37 letters.
const LONGEST_KEY_FILE: u64 = 1 << 16;

/// Why the hub gave nothing.
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
    /// It was removed.
    #[error("{file}: {reason}")]
    OtherContent { file: String, reason: String },
    #[error("cannot write {}: {reason}", .path.display())]
    Disk { path: PathBuf, reason: String },
    /// Someone asked for it.
    #[error("interrupted")]
    Cancelled,
}

impl HubError {
    /// May the same request go through a moment later?
    pub(super) fn may_pass(&self) -> bool {
        match self {
            Self::Broken { .. } => true,
            Self::Refused { status, .. } => status.is_server_error() || *status == StatusCode::TOO_MANY_REQUESTS,
            _ => false,
        }
    }
}

/// The hub and the key that it is asked with.
#[derive(Debug)]
pub struct Hub {
    client: Client,
    endpoint: Url,
    /// Marked as not to be printed.
    key: Option<HeaderValue>,
    /// Longest silence, see [`SILENCE`].
    silence: Duration,
    /// The key and the password of the address: what the hub says may repeat them.
    secrets: Vec<Secret>,
}

impl Hub {
    /// The hub of the environment: `HF_ENDPOINT`; `HF_TOKEN`, else the file of `HF_TOKEN_PATH` or `HF_HOME/token`.
    ///
    /// # Errors
    /// Fails if the variables hold no address or key, the hub must not be asked (`HF_HUB_OFFLINE`), or a key would go over
    /// the network in the clear.
    pub fn of_environment() -> anyhow::Result<Self> {
        let offline = variable("HF_HUB_OFFLINE").is_some_and(|value| value != "0");
        anyhow::ensure!(!offline, "HF_HUB_OFFLINE is set: the hub is not asked");
        let text = variable("HF_ENDPOINT").unwrap_or_else(|| ENDPOINT.into());
        let endpoint = Url::parse(&text).ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
        // What is no address may hold a password: it is not repeated.
        let Some(endpoint) = endpoint else {
            anyhow::bail!("HF_ENDPOINT: expected https://HOST, found something that is no such address")
        };
        let key = find_key()?;
        if key.is_some() && endpoint.scheme() == "http" && !is_this_machine(&endpoint) {
            let shown = endpoint.origin().ascii_serialization();
            anyhow::bail!(
                "HF_ENDPOINT: {shown} is not encrypted, a key would go there in the clear; expected https://"
            );
        }
        let secrets = key.iter().cloned().chain(endpoint.password().map(Secret::new)).collect();
        let key = key.as_ref().map(header_of).transpose()?;
        let silence = silence_of_environment()?;
        // A reader on a server may have installed it.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = Client::builder()
            .user_agent(concat!("dissent/", env!("CARGO_PKG_VERSION")))
            .redirect(redirect::Policy::none())
            .connect_timeout(CONNECT)
            .read_timeout(silence)
            .build()?;
        Ok(Self { client, endpoint, key, silence, secrets })
    }

    /// The longest silence that is waited for.
    pub(super) fn silence(&self) -> Duration {
        self.silence
    }

    fn too_late(&self) -> String {
        format!("nothing came for {} s (HF_HUB_DOWNLOAD_TIMEOUT waits longer)", self.silence.as_secs())
    }

    /// The innermost cause; the library's own text names the address, which may hold what signs it.
    pub(super) fn reason_of(&self, error: &reqwest::Error) -> String {
        let mut cause: &dyn std::error::Error = error;
        while let Some(inner) = cause.source() {
            cause = inner;
        }
        if error.is_timeout() { self.too_late() } else { cause.to_string() }
    }

    /// A text of the hub for a message.
    pub(super) fn shown(&self, text: &str) -> String {
        excerpt(text, &self.secrets)
    }

    /// The address of something below the hub's own; `parts` are escaped.
    pub(super) fn address(&self, parts: &[&str]) -> Url {
        let mut url = self.endpoint.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty();
            // A revision may be `refs/pr/1`, which the hub expects as one part.
            path.extend(parts);
        }
        url
    }

    /// An answer that is a success. Redirects are followed, the key goes to the hub's own host alone. With `stay`, a
    /// redirect to another host is the answer.
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
            // Headers that come byte by byte are no silence.
            let response = timeout(self.silence, request.send()).await;
            let response =
                response.map_err(|_| broken(self.too_late()))?.map_err(|error| broken(self.reason_of(&error)))?;
            let status = response.status();
            if status.is_redirection() {
                let to = response.headers().get(LOCATION).and_then(|to| to.to_str().ok());
                let to = to.and_then(|to| url.join(to).ok()).filter(|to| matches!(to.scheme(), "http" | "https"));
                let Some(to) = to else { return Err(broken("it leads to no address".into())) };
                if url.scheme() == "https" && to.scheme() != "https" {
                    return Err(broken(format!(
                        "it leads to {}, which is not encrypted",
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
        Err(broken("it leads from address to address".into()))
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

/// What `hf auth login` left.
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

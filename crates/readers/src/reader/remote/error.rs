//! Errors of servers, by their kinds.

use super::ServerAddress;
use super::role::ServerRole;
use dissent_core::secret::{Secret, excerpt};
use std::time::Duration;

/// An error of a server.
#[derive(Debug, thiserror::Error)]
#[error("{} {server}: {}", .role.name(), .kind.in_words(*.role))]
pub struct ServerError {
    /// What the server is for.
    pub role: ServerRole,
    /// Its address.
    pub server: String,
    /// Not the `source` of the error: its text is part of the message already.
    pub kind: ServerErrorKind,
}

impl ServerError {
    /// Creates an error in which our secrets are hidden and the server's message is shortened to one line.
    pub(super) fn new(role: ServerRole, server: &ServerAddress, kind: ServerErrorKind, secrets: &[Secret]) -> Self {
        Self { role, server: server.to_string(), kind: kind.map_text(&|text| excerpt(text, secrets)) }
    }
}

/// The kinds of errors: what happened. [`Self::in_words`] adds what to do. `said` is the server's own message.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum ServerErrorKind {
    #[error("no connection ({reason})")]
    Unreachable { reason: String },
    #[error("the connection broke before the answer was whole ({reason})")]
    Broken { reason: String },
    #[error("no whole answer within {} s", .within.as_secs())]
    TimedOut { within: Duration, is_given: bool },
    #[error("its certificate is not trusted ({reason})")]
    Certificate { reason: String },
    #[error("it redirects to another host, {to}, which gets no images and no key")]
    Redirected { to: String },
    #[error("it redirects too often")]
    RedirectedTooOften,
    #[error("expected JSON, found {found}")]
    NotJson { found: String },
    /// Log-probabilities that are invalid or contradict each other.
    #[error("its log-probabilities are wrong ({what})")]
    NoProbabilities { what: String },
    /// JSON with other fields or types than expected, or with a repeated field.
    #[error("its answer has another shape than it should ({why}); found {found}")]
    OtherShape { why: String, found: String },
    #[error("its answer has no {missing}; found {found}")]
    Incomplete { missing: String, found: String },
    #[error("it restarted as another model or version ({what})")]
    Changed { what: String },
    #[error("it differs from the first server ({what}); the servers of a fleet must be the same")]
    Unequal { what: String },
    #[error("it reads another prompt than the checkpoint of --reader-processor would ({what})")]
    OtherPrompt { what: String },
    #[error("label {label:?} cannot be scored there: {why}")]
    OtherTokens { label: String, why: String },
    #[error("none of the labels is among the likeliest tokens that it names, so nothing is known about them")]
    NoLabelNamed,
    #[error("it names no token ids beside its log-probabilities, and texts of tokens are ambiguous")]
    NoTokenIds,
    #[error("SGLang gives log-probabilities for prompts of token ids, which only the checkpoint's processor knows")]
    NeedsProcessor,
    #[error("its answer is longer than the {limit} bytes that an answer of this kind may have")]
    TooLarge { limit: usize },
    /// Status 429, 502, 503, 504 or 529; a retry may succeed.
    #[error("it is overloaded or not ready (HTTP {status}: {said})")]
    Busy { status: u16, said: String, retry_after: Option<Duration> },
    #[error("it wants another key (HTTP {status}: {said})")]
    KeyRefused { status: u16, said: String },
    #[error("it does not know {path}")]
    UnknownPath { path: String },
    #[error("it does not serve that model ({said})")]
    UnknownModel { said: String },
    #[error("the prompt is too long for it ({said})")]
    PromptTooLong { said: String },
    #[error("it takes fewer images in one prompt ({said})")]
    TooManyImages { said: String },
    #[error("it names fewer log-probabilities ({said})")]
    TooManyLogProbabilities { said: String },
    #[error("it reads no images ({said})")]
    NoImages { said: String },
    #[error("it cannot read an image that we sent ({said})")]
    BadImage { said: String },
    #[error("it would fetch images itself ({said})")]
    ImageByAddress { said: String },
    #[error("it refuses the number of answer tokens ({said})")]
    AnswerTooLong { said: String },
    #[error("it does not understand the request (HTTP {status}: {said})")]
    Refused { status: u16, said: String },
    #[error("it failed (HTTP {status}: {said})")]
    Failed { status: u16, said: String },
}

impl ServerErrorKind {
    /// True if a retry may succeed, later or on another server.
    pub fn passes(&self) -> bool {
        matches!(self, Self::Unreachable { .. } | Self::Broken { .. } | Self::Busy { .. })
    }

    /// True if the server seems to be down, so that another one may come back in its place.
    pub(crate) fn is_absence(&self) -> bool {
        matches!(self, Self::Unreachable { .. } | Self::Broken { .. })
    }

    /// Why the server cannot give log-probabilities of labels, if this refusal means that.
    pub(super) fn lack_of_log_probabilities(&self) -> Option<&'static str> {
        match self {
            Self::NoTokenIds => Some("the server names no token ids"),
            Self::NeedsProcessor => Some("SGLang needs --reader-processor DIR for them"),
            Self::Incomplete { .. } => Some("the server gives none"),
            Self::Refused { .. } | Self::TooManyLogProbabilities { .. } => Some("the server refuses to give them"),
            _ => None,
        }
    }

    /// Applies `change` to the texts that came from the server.
    fn map_text(mut self, change: &dyn Fn(&str) -> String) -> Self {
        let text = match &mut self {
            Self::Unreachable { reason } | Self::Broken { reason } | Self::Certificate { reason } => reason,
            Self::Redirected { to } => to,
            Self::NotJson { found } => found,
            Self::Incomplete { missing: why, found } | Self::OtherShape { why, found } => {
                *why = change(why);
                found
            }
            Self::Busy { said, .. }
            | Self::KeyRefused { said, .. }
            | Self::UnknownModel { said }
            | Self::PromptTooLong { said }
            | Self::TooManyImages { said }
            | Self::TooManyLogProbabilities { said }
            | Self::NoImages { said }
            | Self::BadImage { said }
            | Self::ImageByAddress { said }
            | Self::AnswerTooLong { said }
            | Self::Refused { said, .. }
            | Self::Failed { said, .. } => said,
            Self::Changed { what }
            | Self::Unequal { what }
            | Self::OtherPrompt { what }
            | Self::NoProbabilities { what } => what,
            Self::OtherTokens { why, .. } => why,
            Self::TimedOut { .. }
            | Self::RedirectedTooOften
            | Self::TooLarge { .. }
            | Self::UnknownPath { .. }
            | Self::NoLabelNamed
            | Self::NeedsProcessor
            | Self::NoTokenIds => return self,
        };
        *text = change(text);
        self
    }
}

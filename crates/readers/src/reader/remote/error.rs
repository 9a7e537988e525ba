//! Errors of servers, with advice for the user.

use super::ServerAddress;
use dissent_core::secret::{Secret, excerpt};
use std::time::Duration;

/// An error of a server.
#[derive(Debug, thiserror::Error)]
#[error("reader {server}: {kind}")]
pub struct ServerError {
    /// Its address.
    pub server: String,
    /// Not the `source` of the error: its text is part of the message already.
    pub kind: ServerErrorKind,
}

impl ServerError {
    /// Creates an error in which our secrets are hidden and the server's message is shortened to one line.
    pub(super) fn new(server: &ServerAddress, kind: ServerErrorKind, secrets: &[Secret]) -> Self {
        Self { server: server.to_string(), kind: kind.map_text(&|text| excerpt(text, secrets)) }
    }
}

/// The kinds of errors; every message gives advice. `said` is the server's own message.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum ServerErrorKind {
    #[error("no connection ({reason}); is the server running there, and are host and port right?")]
    Unreachable { reason: String },
    #[error("the connection broke before the answer was whole ({reason})")]
    Broken { reason: String },
    #[error(
        "no whole answer within {} s{}", .within.as_secs(),
        if *.is_given { ", as --reader-timeout has it; the server hangs or is too slow: look at its log, or allow more" }
        else { "; the server hangs or is too slow: look at its log, or allow more with --reader-timeout" }
    )]
    TimedOut { within: Duration, is_given: bool },
    #[error(
        "its certificate is not trusted ({reason}); have the system trust who signed it (SSL_CERT_FILE names more \
         certificates)"
    )]
    Certificate { reason: String },
    #[error("it redirects to another host, {to}, which gets no images and no key; give that address if you trust it")]
    Redirected { to: String },
    #[error("it redirects too often; give the final address")]
    RedirectedTooOften,
    #[error("expected JSON, found {found}; is this an OpenAI-compatible server?")]
    NotJson { found: String },
    /// Log-probabilities that are invalid or contradict each other.
    #[error(
        "its log-probabilities are wrong ({what}); look at its settings (vLLM: --logprobs-mode) and at what is between us"
    )]
    NoProbabilities { what: String },
    /// JSON with other fields or types than expected, or with a repeated field.
    #[error("its answer has another shape than it should ({why}); found {found}")]
    OtherShape { why: String, found: String },
    #[error("its answer has no {missing}; found {found}")]
    Incomplete { missing: String, found: String },
    #[error(
        "it restarted as another model or version ({what}); a run must not mix answers of two models: begin another run"
    )]
    Changed { what: String },
    #[error("it differs from the first server ({what}); the servers of a fleet must be the same")]
    Unequal { what: String },
    #[error(
        "it reads another prompt than the checkpoint of --reader-processor would ({what}); is that the model it serves, \
         with its own chat template?"
    )]
    OtherPrompt { what: String },
    #[error("label {label:?} cannot be scored there: {why}")]
    OtherTokens { label: String, why: String },
    #[error(
        "none of the labels is among the likeliest tokens that it names, so nothing is known about them; check prompt and \
         labels, start vLLM with a larger --max-logprobs, or use a server with exact log-probabilities"
    )]
    NoLabelNamed,
    #[error(
        "it names no token ids beside its log-probabilities, and texts of tokens are ambiguous; serve the model with vLLM or \
         llama.cpp, or let --reader-mode answers sample its answers"
    )]
    NoTokenIds,
    #[error(
        "SGLang gives log-probabilities for prompts of token ids, which only the checkpoint's processor knows; give its folder \
         with --reader-processor DIR (Pixtral, Qwen2-VL, SmolVLM), or let --reader-mode answers sample its answers"
    )]
    NeedsProcessor,
    #[error(
        "its answer is longer than the {limit} bytes that an answer of this kind may have; is it the right server?"
    )]
    TooLarge { limit: usize },
    /// Status 429, 502, 503, 504 or 529; a retry may succeed.
    #[error("it is overloaded or not ready (HTTP {status}: {said}); ask it for less at a time with --reader-requests")]
    Busy { status: u16, said: String, retry_after: Option<Duration> },
    #[error("it wants another key (HTTP {status}: {said}); give it in DISSENT_READER_KEY or --reader-key-file")]
    KeyRefused { status: u16, said: String },
    #[error("it does not know {path}; is this the address of an OpenAI-compatible server?")]
    UnknownPath { path: String },
    #[error("it does not serve that model ({said}); give one of its names with --reader-model")]
    UnknownModel { said: String },
    #[error(
        "the prompt is too long for it ({said}); start it with a longer context (vLLM: --max-model-len, llama.cpp: \
         --ctx-size per slot) or shorten captions and prompt"
    )]
    PromptTooLong { said: String },
    #[error("it takes fewer images in one prompt ({said}); start vLLM with --limit-mm-per-prompt '{{\"image\": 2}}'")]
    TooManyImages { said: String },
    #[error("it names fewer log-probabilities ({said}); start vLLM with a larger --max-logprobs")]
    TooManyLogProbabilities { said: String },
    #[error("it reads no images ({said}); serve a vision model, with llama.cpp also its projector (--mmproj FILE)")]
    NoImages { said: String },
    #[error("it cannot read an image that we sent ({said}); look at the image with `dissent show`")]
    BadImage { said: String },
    #[error("it would fetch images itself ({said}); we send images in the request, so something between us changed it")]
    ImageByAddress { said: String },
    #[error("it refuses the number of answer tokens ({said}); start it with a context of some tokens more")]
    AnswerTooLong { said: String },
    #[error(
        "it does not understand the request (HTTP {status}: {said}); does its version take chat completions with images and \
         log-probabilities?"
    )]
    Refused { status: u16, said: String },
    #[error("it failed (HTTP {status}: {said}); look at its log")]
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

//! Errors of a served encoder: the advice names its own flags.

use super::super::error::{ServerError, ServerErrorKind};
use anyhow::{Error, anyhow};

/// The error for the user.
pub(super) fn encoder_error(error: &ServerError) -> Error {
    let text = match &error.kind {
        ServerErrorKind::KeyRefused { status, said } => {
            format!(
                "it wants another key (HTTP {status}: {said}); give it in DISSENT_ENCODER_KEY or --encoder-key-file"
            )
        }
        ServerErrorKind::Busy { status, said, .. } => {
            format!(
                "it is overloaded or not ready (HTTP {status}: {said}); ask it for less at a time with --encoder-requests"
            )
        }
        ServerErrorKind::UnknownModel { said } => {
            format!("it does not serve that model ({said}); give one of its names with --encoder-model")
        }
        ServerErrorKind::UnknownPath { path } => {
            format!(
                "it does not know {path}; is it a server of embeddings, and started for them (vLLM: --runner pooling)?"
            )
        }
        ServerErrorKind::TimedOut { within, .. } => {
            format!(
                "no whole answer within {} s; look at its log, or allow more with --encoder-timeout",
                within.as_secs()
            )
        }
        ServerErrorKind::PromptTooLong { said } => {
            format!("a text is too long for it ({said}); start it so that it truncates texts, or shorten the captions")
        }
        ServerErrorKind::Refused { status, said } => {
            format!(
                "it does not understand the request (HTTP {status}: {said}); does it serve embeddings of this kind?"
            )
        }
        ServerErrorKind::Changed { what } => {
            format!("it restarted as another model or version ({what}); an index must not mix vectors of two models")
        }
        kind => kind.to_string(),
    };
    anyhow!("encoder {}: {text}", error.server)
}

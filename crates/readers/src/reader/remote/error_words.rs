//! What to do about an error of a server, with the flags of what the server is for.

use super::error::ServerErrorKind;
use super::role::ServerRole;

impl ServerErrorKind {
    /// The message for the user, without the server's address.
    pub fn in_words(&self, role: ServerRole) -> String {
        match self.advice(role) {
            Some(advice) if matches!(self, Self::TimedOut { is_given: true, .. }) => format!("{self}, {advice}"),
            Some(advice) => format!("{self}; {advice}"),
            None => self.to_string(),
        }
    }

    fn advice(&self, role: ServerRole) -> Option<String> {
        let own = match self {
            Self::TimedOut { is_given: true, .. } => format!(
                "as {} has it; the server hangs or is too slow: look at its log, or allow more",
                role.flag("timeout")
            ),
            Self::TimedOut { is_given: false, .. } => {
                format!("the server hangs or is too slow: look at its log, or allow more with {}", role.flag("timeout"))
            }
            Self::Busy { .. } => format!("ask it for less at a time with {}", role.flag("requests")),
            Self::KeyRefused { .. } => role.key_advice(),
            Self::UnknownModel { .. } => format!("give one of its names with {}", role.flag("model")),
            _ => match role {
                ServerRole::Reader => self.advice_for_a_reader()?.to_owned(),
                ServerRole::Encoder => self.advice_for_an_encoder()?.to_owned(),
            },
        };
        Some(own)
    }

    fn advice_for_a_reader(&self) -> Option<&'static str> {
        Some(match self {
            Self::NoProbabilities { .. } => "look at its settings (vLLM: --logprobs-mode) and at what is between us",
            Self::Changed { .. } => "a run must not mix answers of two models: begin another run",
            Self::OtherPrompt { .. } => "is that the model it serves, with its own chat template?",
            Self::NoLabelNamed => {
                "check prompt and labels, start vLLM with a larger --max-logprobs, or use a server with exact \
                 log-probabilities"
            }
            Self::NoTokenIds => {
                "serve the model with vLLM or llama.cpp, or let --reader-mode answers sample its answers"
            }
            Self::NeedsProcessor => {
                "give its folder with --reader-processor DIR (Pixtral, Qwen2-VL, SmolVLM), or let --reader-mode answers \
                 sample its answers"
            }
            Self::UnknownPath { .. } => "is this the address of an OpenAI-compatible server?",
            Self::PromptTooLong { .. } => {
                "start it with a longer context (vLLM: --max-model-len, llama.cpp: --ctx-size per slot) or shorten \
                 captions and prompt"
            }
            Self::TooManyImages { .. } => "start vLLM with --limit-mm-per-prompt '{\"image\": 2}'",
            Self::TooManyLogProbabilities { .. } => "start vLLM with a larger --max-logprobs",
            Self::AnswerTooLong { .. } => "start it with a context of some tokens more",
            Self::Refused { .. } => "does its version take chat completions with images and log-probabilities?",
            _ => return self.advice_for_any(),
        })
    }

    fn advice_for_an_encoder(&self) -> Option<&'static str> {
        Some(match self {
            Self::Changed { .. } => "an index must not mix vectors of two models",
            Self::UnknownPath { .. } => "is it a server of embeddings, and started for them (vLLM: --runner pooling)?",
            Self::PromptTooLong { .. } => "start it so that it truncates texts, or shorten the captions",
            Self::Refused { .. } => "does it serve embeddings of this kind?",
            _ => return self.advice_for_any(),
        })
    }

    fn advice_for_any(&self) -> Option<&'static str> {
        Some(match self {
            Self::Unreachable { .. } => "is the server running there, and are host and port right?",
            Self::Certificate { .. } => "have the system trust who signed it (SSL_CERT_FILE names more certificates)",
            Self::Redirected { .. } => "give that address if you trust it",
            Self::RedirectedTooOften => "give the final address",
            Self::NotJson { .. } => "is this an OpenAI-compatible server?",
            Self::TooLarge { .. } => "is it the right server?",
            Self::NoImages { .. } => "serve a vision model, with llama.cpp also its projector (--mmproj FILE)",
            Self::BadImage { .. } => "look at the image with `dissent show`",
            Self::ImageByAddress { .. } => "we send images in the request, so something between us changed it",
            Self::Failed { .. } => "look at its log",
            _ => return None,
        })
    }
}

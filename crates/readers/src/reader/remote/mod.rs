//! Readers on serving engines: vLLM, llama.cpp's server or another with OpenAI's chat completions.
//!
//! Prompt text and the order of its slots come from the same code as those of the reader in this process. Labels are
//! scored by log-probabilities of token ids, never of texts, and what a server cannot do is found out at the start and
//! told: in the status line, in `run.toml` and by `dissent doctor --reader URL`. The requests live on a small async
//! runtime of their own; everything outside this folder stays threads and channels.
//!
//! | file | what is in it |
//! |---|---|
//! | `reader.rs` | the `Reader`: connecting, grouping, cancelling |
//! | `score.rs` | log-probabilities of labels, the best way there is |
//! | `capability.rs`, `server_kind.rs` | what a server is and can do |
//! | `tokens.rs`, `chat.rs`, `images.rs` | labels, prompts and images as they are sent |
//! | `answer.rs` | what is read of the answers |
//! | `fleet.rs`, `limit.rs`, `retry.rs`, `http.rs` | which server, how many at a time, when again, one exchange |
//! | `error.rs`, `refusal.rs` | what goes wrong and what to do about it |
//! | `address.rs`, `api_key.rs` | where servers are and what opens them |

mod address;
mod answer;
mod api_key;
mod capability;
mod chat;
mod error;
mod fleet;
mod http;
mod images;
mod limit;
mod reader;
mod refusal;
mod retry;
mod score;
mod server_kind;
mod tokens;

pub use address::ServerAddress;
pub use api_key::{ApiKey, KEY_VARIABLE};

pub use error::{ServerError, ServerErrorKind};
pub use reader::{RemoteReader, ServedModel};

use std::time::Duration;

/// For questions about the server itself.
const WITHIN_SHORT: Duration = Duration::from_secs(30);
/// For the first prompts: an engine may compile kernels for them (vLLM on a CPU: 20 s).
const WITHIN_LONG: Duration = Duration::from_secs(180);

/// How long a whole answer to a prompt of so many tokens may take: a minute for the queue before it and 50 ms per token,
/// which is a large model on a CPU.
fn waiting_time(tokens: usize) -> Duration {
    Duration::from_secs(60) + Duration::from_millis(50) * u32::try_from(tokens).unwrap_or(u32::MAX)
}

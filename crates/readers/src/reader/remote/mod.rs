//! Readers on serving engines: vLLM, llama.cpp's server or another one with OpenAI's chat completions.
//!
//! Prompts are built by the same code as for the reader in this process. Labels are scored by log-probabilities of
//! token ids, never of texts. The abilities of a server are found out at the start and shown in the status line, in
//! `run.toml` and by `dissent doctor --reader URL`. Requests run on a small async runtime; everything outside this
//! folder uses threads and channels.
//!
//! In the mode `answers` a question is asked several times, and labels are counted in the answers.
//! | file | content |
//! |---|---|
//! | `reader.rs` | the `Reader`: connecting, grouping, cancelling |
//! | `score.rs` | log-probabilities of labels, by the best available method |
//! | `capability.rs`, `server_kind.rs` | kind and abilities of a server |
//! | `sglang.rs` | SGLang's `/generate` |
//! | `tokens.rs`, `chat.rs`, `images.rs` | labels, prompts and images in requests |
//! | `mode.rs`, `dialect.rs`, `sampling.rs`, `sample.rs` | mode `answers`: settings, form of requests, test requests, counting |
//! | `answer.rs`, `usage.rs` | fields of answers, tokens counted |
//! | `fleet.rs`, `limit.rs`, `backoff.rs`, `http.rs` | choice of a server, concurrency, retries, one exchange |
//! | `error.rs`, `error_words.rs`, `refusal.rs` | errors, with advice |
//! | `connection.rs`, `request_threads.rs` | finding servers, waiting for answers, for readers and encoders |
//! | `role.rs`, `address.rs`, `api_key.rs` | which flags a server has, addresses and keys |
//! | `embedding/` | encoders on servers: vectors of texts and images |

mod address;
mod answer;
mod api_key;
mod backoff;
mod capability;
mod chat;
mod connection;
mod dialect;
mod embedding;
mod error;
mod error_words;
mod fleet;
mod http;
mod images;
mod limit;
mod mode;
mod reader;
mod refusal;
mod request_threads;
mod role;
mod sample;
mod sampling;
mod score;
mod server_kind;
mod sglang;
mod tokens;
mod usage;

pub use address::ServerAddress;
pub use api_key::ApiKey;
pub use connection::ServerConnection;
pub use embedding::EmbeddingServer;
pub use role::ServerRole;

pub use error::{ServerError, ServerErrorKind};
pub use mode::{ReaderMode, SampleSettings};
pub use reader::{RemoteReader, ServedModel};

use std::time::Duration;

/// Time limit for questions about the server.
const WITHIN_SHORT: Duration = Duration::from_secs(30);
/// Time limit for the first prompts: an engine may compile kernels for them (vLLM on a CPU: 20 s).
const WITHIN_LONG: Duration = Duration::from_secs(180);

/// Time limit for the answer to a prompt of this number of tokens: a minute in the queue, and 50 ms per token, which a
/// large model on a CPU needs.
fn waiting_time(tokens: usize) -> Duration {
    Duration::from_secs(60) + Duration::from_millis(50) * u32::try_from(tokens).unwrap_or(u32::MAX)
}

//! Readers: a vision-language model that scores every label of a task for a case and one document.

mod candle;
mod key;
mod label_tokens;
mod prediction;
mod prompt;
mod request;
mod shards;
mod vision_cache;

pub use candle::CandleReader;
pub use key::prediction_key;
pub use prediction::Prediction;
pub use prompt::{PromptPiece, check_templates};
pub use request::{Evidence, LabelScores, ReadRequest, Reader, ReaderError};
pub(crate) use shards::{SHARD_THREAD, panic_text};

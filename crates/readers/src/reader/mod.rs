//! Readers: vision-language models that score every label of a task for a case and one document, or generate a text
//! answer for tasks without labels.

mod candle;
mod candle_generation;
mod candle_gradient;
mod candle_logits;
mod data_parallel;
mod generation;
mod key;
mod label_tokens;
mod prefix_cache;
mod prompt;
#[cfg(feature = "remote")]
pub mod remote;
mod request;
mod source;
mod vision_cache;

pub use candle::CandleReader;
pub(crate) use key::answer_key;
pub use key::prediction_key;
pub use prompt::{PromptPiece, check_templates};
pub use request::{Evidence, InputContributions, PatchContributions, ReadRequest, Reader, ReaderError, SampledAnswer};
pub use source::{OpenedReader, ReaderSource};

//! Readers: a vision-language model that scores every label of a task for a case and one document, or says the answer in
//! its own words where there are no labels.

mod candle;
mod candle_generation;
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
pub use key::{answer_key, prediction_key};
pub use prompt::{PromptPiece, check_templates};
pub use request::{Evidence, ReadRequest, Reader, ReaderError};
pub use source::{OpenedReader, ReaderSource};

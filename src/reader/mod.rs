//! Readers: a vision-language model that scores every label of a task for a case and one document.

mod key;
mod prompt;
mod request;

pub use key::prediction_key;
pub use prompt::{PromptPiece, check_templates};
pub use request::{Evidence, LabelScores, ReadRequest, Reader, ReaderError};

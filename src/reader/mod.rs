//! Readers: a vision-language model that scores every label of a task for a case and one document.

mod request;

pub use request::{Evidence, LabelScores, ReadRequest, Reader, ReaderError};

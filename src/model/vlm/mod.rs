//! The families of vision-language models that read: what label scoring needs of one, and which one a checkpoint is.
//!
//! A family brings its image processor, its image tower and the tokens of an image; the decoder
//! ([`decoder`](super::decoder)), the chat template ([`chat`](super::chat)), batches, caches and label scoring are shared.

mod checkpoint;
mod parts;
mod piece;
mod processor;
#[cfg(test)]
pub(in crate::model) mod skeleton;

pub use checkpoint::ReaderCheckpoint;
pub use parts::CheckpointParts;
pub(in crate::model) use parts::{chat_prompt, fingerprint_with, open_parts, open_weights};
pub use piece::{ContentPart, ImageGrid, PreparedImage};
pub use processor::PromptProcessor;

use super::chat::ChatTokenizer;
use super::decoder::Decoder;
use anyhow::Result;
use candle_core::Tensor;
use image::RgbImage;

/// A vision-language model with its processor.
pub trait VisionLanguageModel: Send + Sync {
    /// What the decoder reads in the place of each picture, in order: `[tokens, hidden]`, or `[rows, columns, hidden]`
    /// where the decoder turns by rows and columns. Pixels are on the model's device and in its number type.
    fn vision_features(&self, images: &[PreparedImage]) -> Result<Vec<Tensor>>;

    /// The language model.
    fn decoder(&self) -> &Decoder;

    /// Its processor.
    fn processor(&self) -> &dyn PromptProcessor;

    /// As [`PromptProcessor::prepare`].
    fn prepare(&self, picture: &RgbImage) -> Result<PreparedImage> {
        self.processor().prepare(picture)
    }

    /// As [`PromptProcessor::encode`].
    fn encode(&self, pieces: &[ContentPart]) -> Result<Vec<u32>> {
        self.processor().encode(pieces)
    }

    /// As [`PromptProcessor::answer_ids`].
    fn answer_ids(&self, answer: &str, ends: bool) -> Result<Vec<u32>> {
        self.processor().answer_ids(answer, ends)
    }

    /// As [`PromptProcessor::tokenizer`].
    fn tokenizer(&self) -> &ChatTokenizer {
        self.processor().tokenizer()
    }
}

//! The families of vision-language models that read: what label scoring needs of one, and which one a checkpoint is.
//!
//! A family brings its image processor, its image tower and the tokens of an image; the decoder
//! ([`decoder`](super::decoder)), the chat template ([`chat`](super::chat)), batches, caches and label scoring are shared.

mod checkpoint;
mod kind;
mod parts;
mod piece;
#[cfg(test)]
pub(in crate::model) mod skeleton;

pub use checkpoint::ReaderCheckpoint;
pub use kind::{Family, KNOWN_READERS};
pub use parts::CheckpointParts;
pub(in crate::model) use parts::{chat_prompt, open_parts, open_weights};
pub use piece::{ImageGrid, Piece, PreparedImage};

use super::decoder::Decoder;
use anyhow::Result;
use candle_core::Tensor;
use image::RgbImage;

/// A vision-language model with its processor.
pub trait VisionLanguageModel: Send + Sync {
    /// Pixels of a picture and how it is cut.
    fn prepare(&self, picture: &RgbImage) -> Result<PreparedImage>;

    /// What the decoder reads in the place of each picture, in order: `[tokens, hidden]`, or `[rows, columns, hidden]`
    /// where the decoder turns by rows and columns. Pixels are on the model's device and in its number type.
    fn vision_features(&self, images: &[PreparedImage]) -> Result<Vec<Tensor>>;

    /// Ids of a user's turn up to where the answer begins. Special tokens spelled in a text stay text.
    fn encode(&self, pieces: &[Piece]) -> Result<Vec<u32>>;

    /// Ids of an answer after a prompt, with the end token where the turn ends with it.
    fn answer_ids(&self, answer: &str, ends: bool) -> Result<Vec<u32>>;

    /// The language model.
    fn decoder(&self) -> &Decoder;
}

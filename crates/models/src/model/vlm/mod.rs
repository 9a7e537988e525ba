//! The interface of vision-language models, and the steps of loading that they share.
//!
//! Each family has its own image processor, vision tower and image tokens. The decoder ([`decoder`](super::decoder)), chat
//! templates ([`chat`](super::chat)), batching, KV caches and label scoring are shared.

mod chat_processor;
mod checkpoint;
mod content;
mod names;
mod parts;

mod processor;
#[cfg(test)]
pub(in crate::model) mod skeleton;

pub(in crate::model) use chat_processor::ChatProcessor;
pub use checkpoint::ReaderCheckpoint;
pub use content::{ContentPart, ImageGrid, PreparedImage};
pub(in crate::model) use names::name_without_prefixes;
pub use parts::CheckpointParts;
pub(in crate::model) use parts::{chat_prompt, chat_prompt_of, fingerprint_with, open_parts, open_weights};
pub use processor::PromptProcessor;

use super::chat::ChatTokenizer;
use super::decoder::Decoder;
use anyhow::Result;
use candle_core::Tensor;
use image::RgbImage;

/// A vision-language model with its processor.
pub trait VisionLanguageModel: Send + Sync {
    /// The features that replace the image tokens of each image, in order: `[tokens, hidden]`, or `[rows, columns, hidden]`
    /// for decoders with M-RoPE; with DeepStack, the features for later layers follow in the last dimension. The pixels must be on the model's device and have its dtype.
    fn vision_features(&self, images: &[PreparedImage]) -> Result<Vec<Tensor>>;

    /// The language model.
    fn decoder(&self) -> &Decoder;

    /// The processor.
    fn processor(&self) -> &dyn PromptProcessor;

    /// Calls [`PromptProcessor::prepare`].
    fn prepare(&self, picture: &RgbImage) -> Result<PreparedImage> {
        self.processor().prepare(picture)
    }

    /// Calls [`PromptProcessor::encode`].
    fn encode(&self, parts: &[ContentPart]) -> Result<Vec<u32>> {
        self.processor().encode(parts)
    }

    /// Calls [`PromptProcessor::answer_ids`].
    fn answer_ids(&self, answer: &str, ends: bool) -> Result<Vec<u32>> {
        self.processor().answer_ids(answer, ends)
    }

    /// Calls [`PromptProcessor::tokenizer`].
    fn tokenizer(&self) -> &ChatTokenizer {
        self.processor().tokenizer()
    }
}

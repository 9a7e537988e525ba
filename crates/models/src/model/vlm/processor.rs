//! The processor of a checkpoint, usable without its weights: images and text to model inputs.

use super::{ContentPart, ImageGrid, PreparedImage};
use crate::model::chat::ChatTokenizer;
use anyhow::Result;
use image::RgbImage;

/// Prepares images and prompts as the checkpoint requires, like a `Processor` in transformers.
pub trait PromptProcessor: Send + Sync {
    /// Resizes, splits and normalises an image.
    fn prepare(&self, picture: &RgbImage) -> Result<PreparedImage>;

    /// The image at a size that this processor would not change, for servers with their own processor, and how it will be
    /// divided. If there is no such size, the image is returned unchanged.
    fn resized(&self, picture: &RgbImage) -> Result<(RgbImage, ImageGrid)>;

    /// Token ids of a user message and the generation prompt. Special tokens spelled in a text are treated as text.
    fn encode(&self, parts: &[ContentPart]) -> Result<Vec<u32>>;

    /// The same ids with a single token for each image, for engines that take token ids and put the images in themselves
    /// (SGLang's `/generate`). `None` if no such form is known for the family.
    ///
    /// # Errors
    /// Fails as [`Self::encode`] does.
    fn encode_with_whole_images(&self, parts: &[ContentPart]) -> Result<Option<Vec<u32>>>;

    /// Token ids of an answer that follows a prompt, with the end-of-sequence token if `ends`.
    fn answer_ids(&self, answer: &str, ends: bool) -> Result<Vec<u32>>;

    /// White space that the template puts between prompt and answer; [`Self::answer_ids`] includes it.
    fn answer_lead(&self) -> &str;

    /// The tokenizer.
    fn tokenizer(&self) -> &ChatTokenizer;
}

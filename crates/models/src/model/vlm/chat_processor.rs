//! What the processors of all families but Pixtral share: a chat template lays out the prompt, and the family adds the tokens
//! of its images.

use super::{ContentPart, ImageGrid, PreparedImage, PromptProcessor};
use crate::model::chat::{ChatPrompt, ChatTokenizer, PromptIds};
use anyhow::Result;
use image::RgbImage;

/// The family's own part of a [`PromptProcessor`].
pub(in crate::model) trait ChatProcessor: Send + Sync {
    /// Tokenizer and template.
    fn chat(&self) -> &ChatPrompt;

    /// [`PromptProcessor::prepare`].
    fn prepare_picture(&self, picture: &RgbImage) -> Result<PreparedImage>;

    /// [`PromptProcessor::resized`].
    fn resized_picture(&self, picture: &RgbImage) -> Result<(RgbImage, ImageGrid)>;

    /// Appends the tokens of an image.
    fn write_image(&self, grid: ImageGrid, ids: &mut PromptIds) -> Result<()>;

    /// The token that stands for a whole image where an engine puts the images in itself; `None` if that is not known.
    fn token_of_whole_image(&self) -> Option<u32> {
        None
    }

    /// The chat template.
    fn template(&self) -> &str {
        self.chat().template().source()
    }
}

impl<T: ChatProcessor> PromptProcessor for T {
    fn prepare(&self, picture: &RgbImage) -> Result<PreparedImage> {
        self.prepare_picture(picture)
    }

    fn resized(&self, picture: &RgbImage) -> Result<(RgbImage, ImageGrid)> {
        self.resized_picture(picture)
    }

    fn encode(&self, parts: &[ContentPart]) -> Result<Vec<u32>> {
        self.chat().encode(parts, &|grid, ids| self.write_image(grid, ids))
    }

    fn encode_with_whole_images(&self, parts: &[ContentPart]) -> Result<Option<Vec<u32>>> {
        let Some(token) = self.token_of_whole_image() else { return Ok(None) };
        self.chat().encode(parts, &|_, ids| ids.push_ids(token, 1)).map(Some)
    }

    fn answer_ids(&self, answer: &str, ends: bool) -> Result<Vec<u32>> {
        self.chat().answer_ids(answer, ends)
    }

    fn answer_lead(&self) -> &str {
        self.chat().lead()
    }

    fn tokenizer(&self) -> &ChatTokenizer {
        self.chat().tokenizer()
    }
}

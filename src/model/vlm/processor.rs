//! A model's processor, with or without its weights: pictures and text to what the model reads.

use super::{ContentPart, ImageGrid, PreparedImage};
use crate::model::chat::ChatTokenizer;
use anyhow::Result;
use image::RgbImage;

/// What a checkpoint says about pictures and prompts.
pub trait PromptProcessor: Send + Sync {
    /// Pixels of a picture and how it is cut.
    fn prepare(&self, picture: &RgbImage) -> Result<PreparedImage>;

    /// The picture at the size that this processor leaves as it is, for an engine with a processor of its own, and how it
    /// will be cut. The picture itself where there is no such size.
    fn resized(&self, picture: &RgbImage) -> Result<(RgbImage, ImageGrid)>;

    /// Ids of a user's turn up to where the answer begins. Special tokens spelled in a text stay text.
    fn encode(&self, pieces: &[ContentPart]) -> Result<Vec<u32>>;

    /// Ids of an answer after a prompt, with the end token where the turn ends with it.
    fn answer_ids(&self, answer: &str, ends: bool) -> Result<Vec<u32>>;

    /// White space that the template puts between the prompt and an answer; [`Self::answer_ids`] has it.
    fn answer_lead(&self) -> &str;

    /// Turns ids into text again, and knows which of them end an answer.
    fn tokenizer(&self) -> &ChatTokenizer;
}

//! `PaliGemmaProcessor` of transformers: images and text to model inputs. There is no conversation: all images come first,
//! then `<bos>`, the text and a line break.

use super::config::PaliGemmaConfig;
use crate::model::chat::{ChatPrompt, ChatTemplate, PromptIds};
use crate::model::checkpoint::{CheckpointError, image_processor_json};
use crate::model::dual_encoder::ImageProcessor;
use crate::model::vlm::{ChatProcessor, ImageGrid, PreparedImage, chat_prompt_of};
use anyhow::{Result, ensure};
use image::RgbImage;
use std::path::Path;

/// The prompt as a template.
const TEMPLATE: &str = "\
{%- for message in messages %}
    {%- if message['role'] == 'assistant' %}
        {{- message['content'] if message['content'] is string else message['content'][0]['text'] }}
        {{- eos_token }}
    {%- else %}
        {%- for part in message['content'] if part['type'] == 'image' %}
            {{- '<image>' }}
        {%- endfor %}
        {{- bos_token }}
        {%- for part in message['content'] if part['type'] == 'text' %}
            {{- part['text'] }}
        {%- endfor %}
        {{- '\\n' }}
    {%- endif %}
{%- endfor %}
";

/// Image processor and tokenizer of a checkpoint.
pub struct PaliGemmaProcessor {
    images: ImageProcessor,
    chat: ChatPrompt,
    image_token: u32,
    tokens_per_image: usize,
}

impl PaliGemmaProcessor {
    /// Reads the processor of the checkpoint `folder` with configuration `config`, and a note if the folder has a chat template,
    /// which is not used.
    ///
    /// # Errors
    /// Fails if a file is missing or broken, or image processor or tokenizer do not fit the model.
    pub fn read(folder: &Path, config: &PaliGemmaConfig) -> Result<(Self, Option<String>)> {
        let side = config.vision.image_size;
        let images = ImageProcessor::read_for(folder, &ImageProcessor::siglip(side as u32), side)?;
        let tokens_per_image = config.tokens_per_image();
        check_tokens_per_image(folder, tokens_per_image)?;
        let template = ChatTemplate::built_in(TEMPLATE, folder)?;
        let chat = chat_prompt_of(folder, config.image_token, config.text.vocabulary, template)?;
        let note = ChatTemplate::read(folder)?
            .map(|_| "the checkpoint's chat template is not used: PaliGemma reads images, then one text".to_string());
        Ok((Self { images, chat, image_token: config.image_token, tokens_per_image }, note))
    }
}

/// An image is one square, however many tokens it has.
const GRID: ImageGrid = ImageGrid { rows: 1, columns: 1 };

impl ChatProcessor for PaliGemmaProcessor {
    fn chat(&self) -> &ChatPrompt {
        &self.chat
    }

    fn prepare_picture(&self, picture: &RgbImage) -> Result<PreparedImage> {
        Ok(PreparedImage { pixels: self.images.pixels(&[picture])?, grid: GRID })
    }

    fn resized_picture(&self, picture: &RgbImage) -> Result<(RgbImage, ImageGrid)> {
        let (width, height) = picture.dimensions();
        ensure!(width > 0 && height > 0, "expected an image with pixels, found {width} × {height}");
        Ok((self.images.resized(picture), GRID))
    }

    fn write_image(&self, _grid: ImageGrid, ids: &mut PromptIds) -> Result<()> {
        ids.push_ids(self.image_token, self.tokens_per_image)
    }
}

/// Checks that the image processor counts as many tokens as the tower gives.
fn check_tokens_per_image(folder: &Path, expected: usize) -> Result<(), CheckpointError> {
    let (file, settings) = image_processor_json(folder)?;
    let found = settings["image_seq_length"].as_u64();
    if let Some(found) = found.filter(|found| *found != expected as u64) {
        let reason = format!("field image_seq_length: expected {expected}, the patches of an image, found {found}");
        return Err(CheckpointError::BadJson { path: folder.join(file), reason });
    }
    Ok(())
}

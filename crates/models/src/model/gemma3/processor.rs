//! `Gemma3Processor` of transformers: images and text to model inputs. Pan and scan is not supported, and off in published
//! files.

use super::config::Gemma3Config;
use crate::model::chat::{ChatPrompt, PromptIds};
use crate::model::checkpoint::{CheckpointError, read_json};
use crate::model::dual_encoder::ImageProcessor;
use crate::model::vlm::{ChatProcessor, ImageGrid, PreparedImage, chat_prompt};
use anyhow::{Result, ensure};
use dissent_core::files::input_file::is_there;
use image::RgbImage;
use std::path::Path;

/// The template of published checkpoints, for those without their own.
const TEMPLATE: &str = "\
{{- bos_token }}
{%- for message in messages %}
    {%- set role = 'model' if message['role'] == 'assistant' else message['role'] %}
    {{- '<start_of_turn>' + role + '\\n' }}
    {%- if message['content'] is string %}
        {{- message['content'] | trim }}
    {%- else %}
        {%- for part in message['content'] %}
            {%- if part['type'] == 'image' %}
                {{- '<start_of_image>' }}
            {%- elif 'text' in part %}
                {{- part['text'] | trim }}
            {%- endif %}
        {%- endfor %}
    {%- endif %}
    {{- '<end_of_turn>\\n' }}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<start_of_turn>model\\n' }}
{%- endif %}
";

/// Image processor, tokenizer and template of a checkpoint.
pub struct Gemma3Processor {
    images: ImageProcessor,
    chat: ChatPrompt,
    image_token: u32,
    image_marks: [u32; 2],
    tokens_per_image: usize,
}

impl Gemma3Processor {
    /// Reads the processor of the checkpoint `folder` with configuration `config`, and a note if it has no template.
    ///
    /// # Errors
    /// Fails if a file is missing or broken, or image processor or tokenizer do not fit the model.
    pub fn read(folder: &Path, config: &Gemma3Config) -> Result<(Self, Option<String>)> {
        let side = config.vision.image_size;
        let images = ImageProcessor::read_for(folder, &ImageProcessor::gemma3(side as u32), side)?;
        check_tokens_per_image(folder, config.tokens_per_image)?;
        let [mark, end] = config.image_marks;
        let (chat, note) = chat_prompt(folder, mark, config.text.vocabulary, TEMPLATE)?;
        for token in [end, config.image_token] {
            if chat.tokenizer().special_text_of(token).is_none() {
                let path = folder.join("tokenizer.json");
                let reason = format!("expected token {token}, an image token of config.json, to be a special token");
                return Err(CheckpointError::BadJson { path, reason }.into());
            }
        }
        let processor = Self {
            images,
            // A turn ends with another token than a text.
            chat: chat.ended_as_by_template()?,
            image_token: config.image_token,
            image_marks: config.image_marks,
            tokens_per_image: config.tokens_per_image,
        };
        Ok((processor, note))
    }
}

/// An image is one square, however many tokens it has.
const GRID: ImageGrid = ImageGrid { rows: 1, columns: 1 };

impl ChatProcessor for Gemma3Processor {
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
        let [start, end] = self.image_marks;
        ids.push_text("\n\n");
        ids.push_ids(start, 1)?;
        ids.push_ids(self.image_token, self.tokens_per_image)?;
        ids.push_ids(end, 1)?;
        ids.push_text("\n\n");
        Ok(())
    }
}

/// Checks that the processor writes as many image tokens as the tower gives.
fn check_tokens_per_image(folder: &Path, expected: usize) -> Result<(), CheckpointError> {
    let file = "processor_config.json";
    let mut found = 256;
    if is_there(&folder.join(file)) {
        let settings = read_json(folder, file, "it describes the processor")?;
        found = settings["image_seq_length"].as_u64().unwrap_or(found);
    }
    if found != expected as u64 {
        let reason =
            format!("field image_seq_length: expected {expected}, mm_tokens_per_image of config.json, found {found}");
        return Err(CheckpointError::BadJson { path: folder.join(file), reason });
    }
    Ok(())
}

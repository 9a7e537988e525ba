//! `SmolVLMProcessor` and `Idefics3Processor` of transformers: images and text to model inputs.

use super::config::SmolVlmConfig;
use super::image_processor::SmolVlmImageProcessor;
use crate::model::chat::{ChatPrompt, PromptIds};
use crate::model::checkpoint::{CheckpointError, read_json};
use crate::model::vlm::{ChatProcessor, ImageGrid, PreparedImage, chat_prompt};
use anyhow::Result;
use dissent_core::files::input_file::is_there;
use image::RgbImage;
use std::path::Path;

/// The template of published checkpoints, for those without their own.
const TEMPLATE: &str = "\
{{- '<|im_start|>' }}
{%- for message in messages %}
    {{- message['role'] | capitalize + ':' }}
    {%- if message['content'] is string %}
        {{- ' ' + message['content'] }}
    {%- else %}
        {%- if message['content'][0]['type'] != 'image' %}
            {{- ' ' }}
        {%- endif %}
        {%- for part in message['content'] %}
            {%- if part['type'] == 'image' %}
                {{- '<image>' }}
            {%- elif 'text' in part %}
                {{- part['text'] }}
            {%- endif %}
        {%- endfor %}
    {%- endif %}
    {{- '<end_of_utterance>\\n' }}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- 'Assistant:' }}
{%- endif %}
";
const FAKE_TOKEN: &str = "<fake_token_around_image>";
const GLOBAL_IMAGE: &str = "<global-img>";

/// Image processor, tokenizer and template of a checkpoint.
pub struct SmolVlmProcessor {
    images: SmolVlmImageProcessor,
    chat: ChatPrompt,
    image_token: u32,
    tokens_per_tile: usize,
}

impl SmolVlmProcessor {
    /// Reads the processor of the checkpoint `folder` with configuration `config`, and a note if it has no template.
    ///
    /// # Errors
    /// Fails if a file is missing or broken, or image processor or tokenizer do not fit the model.
    pub fn read(folder: &Path, config: &SmolVlmConfig) -> Result<(Self, Option<String>)> {
        let images = SmolVlmImageProcessor::read(folder)?;
        check_tiles(folder, config, &images)?;
        let (chat, note) = chat_prompt(folder, config.image_token, config.text.vocabulary, TEMPLATE)?;
        let tokens_per_tile = config.vision.tokens_per_tile(config.merge);
        Ok((Self { images, chat, image_token: config.image_token, tokens_per_tile }, note))
    }
}

impl ChatProcessor for SmolVlmProcessor {
    fn chat(&self) -> &ChatPrompt {
        &self.chat
    }

    fn prepare_picture(&self, picture: &RgbImage) -> Result<PreparedImage> {
        self.images.prepare(picture)
    }

    fn resized_picture(&self, picture: &RgbImage) -> Result<(RgbImage, ImageGrid)> {
        self.images.resized(picture)
    }

    /// Appends the tokens of an image: each tile with its row and column, one line per row, then the whole image; or only the
    /// single tile.
    fn write_image(&self, grid: ImageGrid, ids: &mut PromptIds) -> Result<()> {
        for row in 1..=grid.rows {
            for column in 1..=grid.columns {
                ids.push_marked(&format!("{FAKE_TOKEN}<row_{row}_col_{column}>"))?;
                ids.push_ids(self.image_token, self.tokens_per_tile)?;
            }
            ids.push_text("\n");
        }
        if grid.rows > 0 {
            ids.push_text("\n");
        }
        ids.push_marked(&format!("{FAKE_TOKEN}{GLOBAL_IMAGE}"))?;
        ids.push_ids(self.image_token, self.tokens_per_tile)?;
        ids.push_marked(FAKE_TOKEN)
    }

    fn token_of_whole_image(&self) -> Option<u32> {
        Some(self.image_token)
    }
}

/// Checks that the image processor's tiles fit the tower.
fn check_tiles(folder: &Path, config: &SmolVlmConfig, images: &SmolVlmImageProcessor) -> Result<(), CheckpointError> {
    let (side, found) = (config.vision.side, images.tile() as usize / config.vision.patch);
    let tokens = config.vision.tokens_per_tile(config.merge);
    let file = "processor_config.json";
    if is_there(&folder.join(file)) {
        let outer = read_json(folder, file, "it describes the processor")?;
        let said = outer["image_seq_len"].as_u64();
        if let Some(said) = said.filter(|said| *said != tokens as u64) {
            let reason =
                format!("field image_seq_len: expected {tokens}, the tokens per tile by config.json, found {said}");
            return Err(CheckpointError::BadJson { path: folder.join(file), reason });
        }
    }
    if found != side {
        let reason = format!("vision_config has {side} patches per side, the image processor's tiles have {found}");
        return Err(CheckpointError::BadJson { path: folder.join("config.json"), reason });
    }
    Ok(())
}

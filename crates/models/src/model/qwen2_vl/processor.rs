//! `Qwen2VLProcessor`, `Qwen2_5_VLProcessor` and, for images, `Qwen3VLProcessor` of transformers: images and text to model inputs.

use super::config::Qwen2VlConfig;
use super::image_processor::Qwen2VlImageProcessor;
use crate::model::chat::{ChatPrompt, PromptIds};
use crate::model::checkpoint::CheckpointError;
use crate::model::vlm::{ChatProcessor, ImageGrid, PreparedImage, chat_prompt};
use anyhow::Result;
use image::RgbImage;
use serde_json::Value;
use std::path::Path;

/// The template of published checkpoints, for those without their own.
const TEMPLATE: &str = "\
{%- for message in messages %}
    {%- if loop.first and message['role'] != 'system' %}
        {{- '<|im_start|>system\\nYou are a helpful assistant.<|im_end|>\\n' }}
    {%- endif %}
    {{- '<|im_start|>' + message['role'] + '\\n' }}
    {%- if message['content'] is string %}
        {{- message['content'] }}
    {%- else %}
        {%- for part in message['content'] %}
            {%- if part['type'] == 'image' %}
                {{- '<|vision_start|><|image_pad|><|vision_end|>' }}
            {%- elif 'text' in part %}
                {{- part['text'] }}
            {%- endif %}
        {%- endfor %}
    {%- endif %}
    {{- '<|im_end|>\\n' }}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|im_start|>assistant\\n' }}
{%- endif %}
";

/// What the processor has to know of its model.
pub(in crate::model) struct ProcessedModel {
    pub image_token: u32,
    pub vocabulary: usize,
    /// Side of a merge group in patches.
    pub merge: usize,
    /// Values per patch.
    pub patch_values: usize,
    /// The template of published checkpoints, for those without their own.
    pub template: &'static str,
}

/// Image processor, tokenizer and template of a checkpoint.
pub struct Qwen2VlProcessor {
    pub(in crate::model) images: Qwen2VlImageProcessor,
    chat: ChatPrompt,
    image_token: u32,
    merge: usize,
}

impl Qwen2VlProcessor {
    /// Reads the processor of the checkpoint `folder` with configuration `config`, and a note if it has no template.
    ///
    /// # Errors
    /// Fails if a file is missing or broken, or image processor or tokenizer do not fit the model.
    pub fn read(folder: &Path, config: &Qwen2VlConfig) -> Result<(Self, Option<String>)> {
        let model = ProcessedModel {
            image_token: config.image_token,
            vocabulary: config.text.vocabulary,
            merge: config.vision.merge,
            patch_values: config.vision.patch_values,
            template: TEMPLATE,
        };
        Self::read_for(folder, &model)
    }

    /// [`Self::read`] for a model of any family with this processor.
    pub(in crate::model) fn read_for(folder: &Path, model: &ProcessedModel) -> Result<(Self, Option<String>)> {
        let images = Qwen2VlImageProcessor::read(folder)?;
        check_images(folder, model, &images)?;
        let (chat, note) = chat_prompt(folder, model.image_token, model.vocabulary, model.template)?;
        Ok((Self { images, chat, image_token: model.image_token, merge: model.merge }, note))
    }

    /// Renders a conversation with the chat template.
    pub(in crate::model) fn rendered(&self, messages: &Value) -> Result<String> {
        self.chat.template().render(messages, true)
    }

    /// Rows and columns of an image's tokens, after merging patches.
    pub(crate) fn tokens_of(&self, grid: ImageGrid) -> (usize, usize) {
        (grid.rows / self.merge, grid.columns / self.merge)
    }
}

impl ChatProcessor for Qwen2VlProcessor {
    fn chat(&self) -> &ChatPrompt {
        &self.chat
    }

    fn prepare_picture(&self, picture: &RgbImage) -> Result<PreparedImage> {
        self.images.prepare(picture)
    }

    fn resized_picture(&self, picture: &RgbImage) -> Result<(RgbImage, ImageGrid)> {
        self.images.resized(picture)
    }

    fn write_image(&self, grid: ImageGrid, ids: &mut PromptIds) -> Result<()> {
        let (rows, columns) = self.tokens_of(grid);
        ids.push_ids(self.image_token, rows * columns)
    }

    fn token_of_whole_image(&self) -> Option<u32> {
        Some(self.image_token)
    }
}

/// Checks that image processor and tower agree on patch and merge size.
fn check_images(folder: &Path, model: &ProcessedModel, images: &Qwen2VlImageProcessor) -> Result<(), CheckpointError> {
    let (merge, values) = (model.merge, model.patch_values);
    if images.merge() != merge || images.patch_values() != values {
        let reason = format!(
            "vision_config has {values} values per patch and spatial_merge_size {merge}, the image processor {} and {}",
            images.patch_values(),
            images.merge()
        );
        return Err(CheckpointError::BadJson { path: folder.join("config.json"), reason });
    }
    Ok(())
}

//! `LlavaProcessor` of transformers: images and text to model inputs.

use super::config::{DecoderKind, LlavaConfig};
use super::image_processor::LlavaImageProcessor;
use crate::model::chat::{ChatPrompt, PromptIds};
use crate::model::checkpoint::{CheckpointError, read_json};
use crate::model::vlm::{ChatProcessor, ImageGrid, PreparedImage, chat_prompt};
use anyhow::{Result, ensure};
use dissent_core::files::input_file::is_there;
use image::RgbImage;
use std::path::Path;

/// The template of llava-hf/llava-1.5-7b-hf, for checkpoints with a Llama decoder and without their own.
const LLAMA_TEMPLATE: &str = "\
{%- for message in messages %}
    {%- if message['role'] != 'system' %}
        {{- message['role'].upper() + ': ' }}
    {%- endif %}
    {%- if message['content'] is string %}
        {{- message['content'] + ' ' }}
    {%- else %}
        {%- for part in message['content'] if part['type'] == 'image' %}
            {{- '<image>\\n' }}
        {%- endfor %}
        {%- for part in message['content'] if part['type'] == 'text' %}
            {{- part['text'] + ' ' }}
        {%- endfor %}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- 'ASSISTANT:' }}
{%- endif %}
";

/// The same for a Mistral decoder: the format of Mistral-7B-Instruct-v0.2 with images where they stand.
const MISTRAL_TEMPLATE: &str = "\
{{- bos_token }}
{%- for message in messages %}
    {%- if message['role'] == 'user' %}
        {{- '[INST] ' }}
    {%- else %}
        {{- ' ' }}
    {%- endif %}
    {%- if message['content'] is string %}
        {{- message['content'] }}
    {%- else %}
        {%- for part in message['content'] %}
            {%- if part['type'] == 'image' %}
                {{- '<image>\\n' }}
            {%- else %}
                {{- part['text'] }}
            {%- endif %}
        {%- endfor %}
    {%- endif %}
    {%- if message['role'] == 'user' %}
        {{- ' [/INST]' }}
    {%- else %}
        {{- eos_token }}
    {%- endif %}
{%- endfor %}
";

/// Image processor, tokenizer and template of a checkpoint.
pub struct LlavaProcessor {
    images: LlavaImageProcessor,
    chat: ChatPrompt,
    image_token: u32,
    /// All images become one size.
    grid: ImageGrid,
    tokens_per_image: usize,
}

impl LlavaProcessor {
    /// Reads the processor of the checkpoint `folder` with configuration `config`, and a note if it has no template.
    ///
    /// # Errors
    /// Fails if a file is missing or broken, or image processor or tokenizer do not fit the model.
    pub fn read(folder: &Path, config: &LlavaConfig) -> Result<(Self, Option<String>)> {
        let images = LlavaImageProcessor::read(folder, config.vision.image_size)?;
        let side = config.patches_per_side();
        let tokens_per_image = side * side + usize::from(config.with_class_token);
        check_token_count(folder, side * side, tokens_per_image)?;
        let template = match config.decoder {
            DecoderKind::Llama => LLAMA_TEMPLATE,
            DecoderKind::Mistral => MISTRAL_TEMPLATE,
        };
        let (chat, note) = chat_prompt(folder, config.image_token, config.text.vocabulary, template)?;
        let grid = ImageGrid { rows: side, columns: side };
        Ok((Self { images, chat, image_token: config.image_token, grid, tokens_per_image }, note))
    }
}

impl ChatProcessor for LlavaProcessor {
    fn chat(&self) -> &ChatPrompt {
        &self.chat
    }

    fn prepare_picture(&self, picture: &RgbImage) -> Result<PreparedImage> {
        let (width, height) = picture.dimensions();
        ensure!(width > 0 && height > 0, "expected an image with pixels, found {width} × {height}");
        Ok(PreparedImage { pixels: self.images.pixels(&self.images.resized(picture))?, grid: self.grid })
    }

    /// A picture that is cropped after it was resized to more has no size at which it would not change.
    fn resized_picture(&self, picture: &RgbImage) -> Result<(RgbImage, ImageGrid)> {
        let (width, height) = picture.dimensions();
        ensure!(width > 0 && height > 0, "expected an image with pixels, found {width} × {height}");
        let resized = self.images.resized(picture);
        let is_final = self.images.resized(&resized) == resized;
        Ok((if is_final { resized } else { picture.clone() }, self.grid))
    }

    fn write_image(&self, _grid: ImageGrid, ids: &mut PromptIds) -> Result<()> {
        ids.push_ids(self.image_token, self.tokens_per_image)
    }
}

/// Checks that `processor_config.json` counts as many tokens for an image as the model has features. transformers takes
/// them from that file, so another number there is an error when the model runs.
fn check_token_count(folder: &Path, patches: usize, expected: usize) -> Result<(), CheckpointError> {
    let file = "processor_config.json";
    if !is_there(&folder.join(file)) {
        return Ok(());
    }
    let settings = read_json(folder, file, "it describes the processor")?;
    // Files of transformers before 4.46 leave the number to the model.
    let Some(strategy) = settings["vision_feature_select_strategy"].as_str() else { return Ok(()) };
    let added = settings["num_additional_image_tokens"].as_u64().unwrap_or(0);
    let found = (patches as u64).saturating_add(added).saturating_sub(u64::from(strategy == "default"));
    if found == expected as u64 {
        return Ok(());
    }
    let reason = format!(
        "num_additional_image_tokens {added} and vision_feature_select_strategy {strategy:?} make {found} tokens of an \
         image; expected {expected}, the features of config.json"
    );
    Err(CheckpointError::BadJson { path: folder.join(file), reason })
}

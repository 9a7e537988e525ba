//! `InternVLProcessor` of transformers: images and text to model inputs.

use super::config::InternVlConfig;
use super::image_processor::InternVlImageProcessor;
use crate::model::chat::{ChatPrompt, ChatTokenizer, PromptIds};
use crate::model::checkpoint::{CheckpointError, read_json};
use crate::model::vlm::{ChatProcessor, ImageGrid, PreparedImage, chat_prompt};
use anyhow::Result;
use dissent_core::files::input_file::is_there;
use image::RgbImage;
use serde_json::Value;
use std::path::Path;

/// The template of published checkpoints, for those without their own.
const TEMPLATE: &str = "\
{%- for message in messages %}
    {{- '<|im_start|>' + message['role'] + '\\n' }}
    {%- if message['content'] is string %}
        {{- message['content'] }}
    {%- else %}
        {%- for part in message['content'] %}
            {%- if part['type'] == 'image' %}
                {{- '<IMG_CONTEXT>\\n' }}
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

/// Image processor, tokenizer and template of a checkpoint.
pub struct InternVlProcessor {
    images: InternVlImageProcessor,
    chat: ChatPrompt,
    image_token: u32,
    /// The tokens around an image.
    image_marks: [u32; 2],
    tokens_per_tile: usize,
}

impl InternVlProcessor {
    /// Reads the processor of the checkpoint `folder` with configuration `config`, and a note if it has no template.
    ///
    /// # Errors
    /// Fails if a file is missing or broken, or image processor or tokenizer do not fit the model.
    pub fn read(folder: &Path, config: &InternVlConfig) -> Result<(Self, Option<String>)> {
        let images = InternVlImageProcessor::read(folder, config.vision.image)?;
        let tokens_per_tile = config.tokens_per_tile();
        check_tokens_per_tile(folder, tokens_per_tile)?;
        let (chat, note) = chat_prompt(folder, config.image_token, config.text.vocabulary, TEMPLATE)?;
        let image_marks = image_marks(folder, chat.tokenizer())?;
        Ok((Self { images, chat, image_token: config.image_token, image_marks, tokens_per_tile }, note))
    }
}

impl ChatProcessor for InternVlProcessor {
    fn chat(&self) -> &ChatPrompt {
        &self.chat
    }

    fn prepare_picture(&self, picture: &RgbImage) -> Result<PreparedImage> {
        self.images.prepare(picture)
    }

    fn resized_picture(&self, picture: &RgbImage) -> Result<(RgbImage, ImageGrid)> {
        self.images.resized(picture)
    }

    /// Appends the tokens of an image: all tiles and the thumbnail between two marks.
    fn write_image(&self, grid: ImageGrid, ids: &mut PromptIds) -> Result<()> {
        let [start, end] = self.image_marks;
        let thumbnails = usize::from(grid.patches() > 1);
        ids.push_ids(start, 1)?;
        ids.push_ids(self.image_token, (grid.patches() + thumbnails) * self.tokens_per_tile)?;
        ids.push_ids(end, 1)
    }
}

/// The tokens around an image, which `tokenizer_config.json` names.
fn image_marks(folder: &Path, tokenizer: &ChatTokenizer) -> Result<[u32; 2], CheckpointError> {
    let file = "tokenizer_config.json";
    let settings = read_json(folder, file, "it names the special tokens")?;
    let mut marks = [0; 2];
    for (mark, name) in marks.iter_mut().zip(["start_image_token", "end_image_token"]) {
        // Versions of transformers differ in where they write these names.
        let places = [
            &settings[name],
            &settings["extra_special_tokens"][name],
            &settings["model_specific_special_tokens"][name],
        ];
        let token = places
            .into_iter()
            .find_map(|place| place.as_str().or_else(|| place.get("content").and_then(Value::as_str)));
        let id = token.and_then(|token| tokenizer.id_of(token));
        let Some(id) = id.filter(|id| tokenizer.special_text_of(*id).is_some()) else {
            let reason = format!("field {name}: expected a special token of tokenizer.json, found {token:?}");
            return Err(CheckpointError::BadJson { path: folder.join(file), reason });
        };
        *mark = id;
    }
    Ok(marks)
}

/// Checks that the processor writes as many tokens per tile as the tower gives.
fn check_tokens_per_tile(folder: &Path, expected: usize) -> Result<(), CheckpointError> {
    let file = "processor_config.json";
    let mut found = 256;
    if is_there(&folder.join(file)) {
        let settings = read_json(folder, file, "it describes the processor")?;
        found = settings["image_seq_length"].as_u64().unwrap_or(found);
    }
    if found != expected as u64 {
        let reason =
            format!("field image_seq_length: expected {expected}, the tokens per tile by config.json, found {found}");
        return Err(CheckpointError::BadJson { path: folder.join(file), reason });
    }
    Ok(())
}

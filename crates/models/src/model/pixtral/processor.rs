//! `PixtralProcessor` of transformers: images and text to model inputs.

use super::image_processor::PixtralImageProcessor;
use super::special;
use super::tokenizer::PixtralTokenizer;
use crate::model::chat::{ChatPrompt, ChatTemplate, ChatTokenizer, PromptIds};
use crate::model::checkpoint::{CheckpointFiles, pretty_json};
use crate::model::vlm::{ContentPart, ImageGrid, PreparedImage, PromptProcessor};
use anyhow::Result;
use image::RgbImage;
use serde_json::json;
use std::path::Path;

/// Image processor and tokenizer of a checkpoint.
#[derive(Clone, Debug)]
pub struct PixtralProcessor {
    images: PixtralImageProcessor,
    tokenizer: PixtralTokenizer,
    /// `None` if the checkpoint has no chat template.
    chat: Option<ChatPrompt>,
}

impl PixtralProcessor {
    /// Reads the processor and tokenizer files of a checkpoint directory.
    pub fn read(folder: &Path) -> Result<Self> {
        let images = PixtralImageProcessor::read(folder)?;
        let tokenizer = PixtralTokenizer::read(folder)?;
        let chat = match ChatTemplate::read(folder)? {
            None => None,
            Some(template) => Some(ChatPrompt::new(tokenizer.inner().clone(), template, tokenizer.image_mark())?),
        };
        Ok(Self { images, tokenizer, chat })
    }

    /// The patch grid of an image of this size.
    pub fn grid_of(&self, width: u32, height: u32) -> ImageGrid {
        self.images.grid_of(width, height)
    }

    /// Resizes and normalises an image.
    pub fn prepare(&self, picture: &RgbImage) -> Result<PreparedImage> {
        Ok(self.images.prepare(picture)?)
    }

    /// The tokenizer.
    pub fn tokenizer(&self) -> &PixtralTokenizer {
        &self.tokenizer
    }

    /// True if the checkpoint has a chat template.
    pub(crate) fn has_template(&self) -> bool {
        self.chat.is_some()
    }

    /// The checkpoint's chat template if it renders prompts differently from the built-in format of [`Self::encode`].
    ///
    /// # Errors
    /// Fails if the template cannot render a prompt with images.
    pub(crate) fn own_template(&self) -> Result<Option<&str>> {
        let Some(chat) = &self.chat else { return Ok(None) };
        let image = ContentPart::Image(ImageGrid { rows: 2, columns: 1 });
        let parts = [image, ContentPart::Text("background: a mass\n\n"), image, ContentPart::Text("is it benign?")];
        let is_plain =
            self.encode(&parts)? == self.encode_without_template(&parts, &|grid, ids| self.write_image(grid, ids))?;
        Ok((!is_plain).then(|| chat.template().source()))
    }

    /// Token ids of a prompt, by the checkpoint's chat template or, without one, as `<s>[INST] … [/INST]`.
    ///
    /// Each row of an image's patches becomes a run of `[IMG]` followed by `[IMG_BREAK]`, or by `[IMG_END]` after the last
    /// row. Adjacent texts are tokenised together. Special tokens spelled in a text are treated as text.
    pub fn encode(&self, parts: &[ContentPart]) -> Result<Vec<u32>> {
        self.encode_with(parts, &|grid, ids| self.write_image(grid, ids))
    }

    fn encode_with(
        &self,
        parts: &[ContentPart],
        write_image: &dyn Fn(ImageGrid, &mut PromptIds) -> Result<()>,
    ) -> Result<Vec<u32>> {
        match &self.chat {
            Some(chat) => chat.encode(parts, write_image),
            None => self.encode_without_template(parts, write_image),
        }
    }

    fn encode_without_template(
        &self,
        parts: &[ContentPart],
        write_image: &dyn Fn(ImageGrid, &mut PromptIds) -> Result<()>,
    ) -> Result<Vec<u32>> {
        let special = self.tokenizer.special();
        let mut ids = PromptIds::new(self.tokenizer.inner());
        ids.push_ids(special.beginning, 1)?;
        ids.push_ids(special.instruction, 1)?;
        for part in parts {
            match part {
                ContentPart::Text(text) => ids.push_text(text),
                ContentPart::Image(grid) => write_image(*grid, &mut ids)?,
            }
        }
        ids.push_ids(special.instruction_end, 1)?;
        ids.finish()
    }

    /// Token ids of an answer that follows a prompt, with `</s>` if `ends`.
    pub fn answer_ids(&self, answer: &str, ends: bool) -> Result<Vec<u32>> {
        if let Some(chat) = &self.chat {
            return chat.answer_ids(answer, ends);
        }
        let mut ids = self.tokenizer.encode(answer)?;
        if ends {
            ids.push(self.tokenizer.special().end);
        }
        Ok(ids)
    }

    fn write_image(&self, grid: ImageGrid, ids: &mut PromptIds) -> Result<()> {
        let special = self.tokenizer.special();
        for row in 0..grid.rows {
            ids.push_ids(special.image, grid.columns)?;
            ids.push_ids(if row + 1 == grid.rows { special.image_end } else { special.image_break }, 1)?;
        }
        Ok(())
    }
}

impl PromptProcessor for PixtralProcessor {
    fn prepare(&self, picture: &RgbImage) -> Result<PreparedImage> {
        Self::prepare(self, picture)
    }

    fn resized(&self, picture: &RgbImage) -> Result<(RgbImage, ImageGrid)> {
        Ok((self.images.resize(picture)?, self.grid_of(picture.width(), picture.height())))
    }

    fn encode(&self, parts: &[ContentPart]) -> Result<Vec<u32>> {
        Self::encode(self, parts)
    }

    fn encode_with_whole_images(&self, parts: &[ContentPart]) -> Result<Option<Vec<u32>>> {
        let image = self.tokenizer.special().image;
        self.encode_with(parts, &|_, ids| ids.push_ids(image, 1)).map(Some)
    }

    fn answer_ids(&self, answer: &str, ends: bool) -> Result<Vec<u32>> {
        Self::answer_ids(self, answer, ends)
    }

    fn answer_lead(&self) -> &str {
        self.chat.as_ref().map(ChatPrompt::lead).unwrap_or_default()
    }

    fn tokenizer(&self) -> &ChatTokenizer {
        self.tokenizer.inner()
    }
}

/// `<s>`, then user messages between `[INST]` and `[/INST]` and assistant messages followed by `</s>`. Content is a
/// string or a list of parts; each image part becomes one `[IMG]`, which the processor expands.
const CHAT_TEMPLATE: &str = "\
{{- bos_token }}
{%- for message in messages %}
    {%- if message['role'] == 'user' %}
        {{- '[INST]' }}
    {%- elif message['role'] != 'assistant' %}
        {{- raise_exception('expected the roles user and assistant, found ' + message['role']) }}
    {%- endif %}
    {%- if message['content'] is string %}
        {{- message['content'] }}
    {%- else %}
        {%- for part in message['content'] %}
            {%- if part['type'] in ['image', 'image_url'] %}
                {{- '[IMG]' }}
            {%- elif 'text' in part %}
                {{- part['text'] }}
            {%- else %}
                {{- part['content'] }}
            {%- endif %}
        {%- endfor %}
    {%- endif %}
    {%- if message['role'] == 'user' %}
        {{- '[/INST]' }}
    {%- else %}
        {{- eos_token }}
    {%- endif %}
{%- endfor %}
";

/// The processor and tokenizer files of a checkpoint with a tokenizer from `train_tokenizer`, as transformers 4 and 5 and
/// vLLM expect them.
pub fn processor_files(
    images: &PixtralImageProcessor,
    tokenizer_json: Vec<u8>,
    longest_text: usize,
) -> Result<CheckpointFiles> {
    let image_processor = images.to_json();
    let processor = json!({
        "processor_class": "PixtralProcessor",
        "patch_size": images.patch_side(),
        "spatial_merge_size": 1,
        "image_token": special::IMAGE.0,
        "image_break_token": special::IMAGE_BREAK.0,
        "image_end_token": special::IMAGE_END.0,
        "image_processor": image_processor,
    });
    // transformers 4 does not read the image processor from processor_config.json.
    let mut preprocessor = image_processor;
    preprocessor["processor_class"] = json!("PixtralProcessor");
    let tokenizer = json!({
        "tokenizer_class": "PreTrainedTokenizerFast",
        "processor_class": "PixtralProcessor",
        "bos_token": special::BEGINNING.0,
        "eos_token": special::END.0,
        "pad_token": special::PADDING.0,
        "unk_token": special::UNKNOWN.0,
        "padding_side": "left",
        "model_max_length": longest_text,
        "model_input_names": ["input_ids", "attention_mask"],
        "clean_up_tokenization_spaces": false,
    });
    let generation = json!({
        "bos_token_id": special::BEGINNING.1,
        "eos_token_id": special::END.1,
        "pad_token_id": special::PADDING.1,
    });
    Ok(CheckpointFiles::from([
        ("tokenizer.json".to_string(), tokenizer_json),
        ("tokenizer_config.json".to_string(), pretty_json(&tokenizer)?),
        ("processor_config.json".to_string(), pretty_json(&processor)?),
        ("preprocessor_config.json".to_string(), pretty_json(&preprocessor)?),
        ("generation_config.json".to_string(), pretty_json(&generation)?),
        ("chat_template.jinja".to_string(), CHAT_TEMPLATE.as_bytes().to_vec()),
    ]))
}

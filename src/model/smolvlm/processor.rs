//! `SmolVLMProcessor` and `Idefics3Processor`: pictures and text to what the model reads.

use super::config::SmolVlmConfig;
use super::image_processor::SmolVlmImageProcessor;
use crate::files::input_file::is_there;
use crate::model::chat::{ChatPrompt, ChatTokenizer, PromptIds};
use crate::model::checkpoint::{CheckpointError, read_json};
use crate::model::vlm::{ContentPart, ImageGrid, PreparedImage, PromptProcessor, chat_prompt};
use anyhow::Result;
use image::RgbImage;
use std::path::Path;

/// For a checkpoint without a template: what the published ones say.
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
const AROUND: &str = "<fake_token_around_image>";
const WHOLE: &str = "<global-img>";

/// Image processor, tokenizer and template of a checkpoint.
pub struct SmolVlmProcessor {
    images: SmolVlmImageProcessor,
    chat: ChatPrompt,
    image_token: u32,
    tokens_per_tile: usize,
}

impl SmolVlmProcessor {
    /// Reads the processor of the checkpoint `folder`, whose `config.json` is `config`; and a note where it has no template.
    ///
    /// # Errors
    /// A missing or broken file; an image processor or tokenizer that does not fit the model.
    pub fn read(folder: &Path, config: &SmolVlmConfig) -> Result<(Self, Option<String>)> {
        let images = SmolVlmImageProcessor::read(folder)?;
        check_tiles(folder, config, &images)?;
        let (chat, note) = chat_prompt(folder, config.image_token, config.text.vocabulary, TEMPLATE)?;
        let tokens_per_tile = config.vision.tokens_per_tile(config.merge);
        Ok((Self { images, chat, image_token: config.image_token, tokens_per_tile }, note))
    }

    /// The chat template.
    pub fn template(&self) -> &str {
        self.chat.template().source()
    }

    /// Each tile with its place, a line for each row, then the whole picture; or the one tile alone.
    fn write_image(&self, grid: ImageGrid, ids: &mut PromptIds) -> Result<()> {
        for row in 1..=grid.rows {
            for column in 1..=grid.columns {
                ids.push_marked(&format!("{AROUND}<row_{row}_col_{column}>"))?;
                ids.push_ids(self.image_token, self.tokens_per_tile)?;
            }
            ids.push_text("\n");
        }
        if grid.rows > 0 {
            ids.push_text("\n");
        }
        ids.push_marked(&format!("{AROUND}{WHOLE}"))?;
        ids.push_ids(self.image_token, self.tokens_per_tile)?;
        ids.push_marked(AROUND)
    }
}

impl PromptProcessor for SmolVlmProcessor {
    fn prepare(&self, picture: &RgbImage) -> Result<PreparedImage> {
        self.images.prepare(picture)
    }

    fn resized(&self, picture: &RgbImage) -> Result<(RgbImage, ImageGrid)> {
        self.images.resized(picture)
    }

    fn encode(&self, pieces: &[ContentPart]) -> Result<Vec<u32>> {
        self.chat.encode(pieces, &|grid, ids| self.write_image(grid, ids))
    }

    fn answer_ids(&self, answer: &str, ends: bool) -> Result<Vec<u32>> {
        self.chat.answer_ids(answer, ends)
    }

    fn answer_lead(&self) -> &str {
        self.chat.lead()
    }

    fn tokenizer(&self) -> &ChatTokenizer {
        self.chat.tokenizer()
    }
}

/// Tiles are as large as the tower and its tokens expect.
fn check_tiles(folder: &Path, config: &SmolVlmConfig, images: &SmolVlmImageProcessor) -> Result<(), CheckpointError> {
    let (side, found) = (config.vision.side, images.tile() as usize / config.vision.patch);
    let tokens = config.vision.tokens_per_tile(config.merge);
    let file = "processor_config.json";
    if is_there(&folder.join(file)) {
        let outer = read_json(folder, file, "it says how many tokens an image has")?;
        let said = outer["image_seq_len"].as_u64();
        if let Some(said) = said.filter(|said| *said != tokens as u64) {
            let reason = format!("field image_seq_len is {said}, config.json makes {tokens} tokens of a tile");
            return Err(CheckpointError::BadJson { path: folder.join(file), reason });
        }
    }
    if found != side {
        let reason = format!("vision_config: {side} patches a side, the image processor's tiles have {found}");
        return Err(CheckpointError::BadJson { path: folder.join("config.json"), reason });
    }
    Ok(())
}

//! The processor of Qwen3-VL: that of Qwen2-VL with another template.

use super::config::Qwen3VlConfig;
use crate::model::checkpoint::CheckpointError;
use crate::model::qwen2_vl::{ProcessedModel, Qwen2VlProcessor};
use anyhow::Result;
use serde_json::json;
use std::path::Path;

/// The template of published Instruct checkpoints, for those without their own.
const TEMPLATE: &str = "\
{%- for message in messages %}
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

/// Reads the processor of the checkpoint `folder` with configuration `config`, and a note if it has no template.
///
/// # Errors
/// Fails if a file is missing or broken, image processor or tokenizer do not fit the model, or the template begins the
/// answer with a chain of thought, before which a label has no probability.
pub fn read_qwen3_processor(folder: &Path, config: &Qwen3VlConfig) -> Result<(Qwen2VlProcessor, Option<String>)> {
    let model = ProcessedModel {
        image_token: config.image_token,
        vocabulary: config.text.vocabulary,
        merge: config.vision.merge,
        patch_values: config.vision.patch_values(),
        template: TEMPLATE,
    };
    let (processor, note) = Qwen2VlProcessor::read_for(folder, &model)?;
    let prompt = processor.rendered(&json!([{"role": "user", "content": [{"type": "text", "text": "?"}]}]))?;
    if prompt.trim_end().ends_with("<think>") {
        let reason = "the chat template begins the answer with <think>, so the model would think before it names a label; \
                      expected an Instruct checkpoint, or a template that ends with <think>\\n\\n</think>\\n\\n";
        return Err(CheckpointError::BadJson { path: folder.to_path_buf(), reason: reason.into() }.into());
    }
    Ok((processor, note))
}

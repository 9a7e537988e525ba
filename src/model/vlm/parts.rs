//! What loading a checkpoint has in common in all families.

use crate::files::fingerprint::Fingerprint;
use crate::model::chat::{ChatPrompt, ChatTemplate, ChatTokenizer};
use crate::model::checkpoint::{Adapter, CheckpointError, Weights, fingerprint_of, folder_name};
use crate::model::gguf::{DecoderPlace, GgufDecoder, decoder_files};
use crate::model::memory::{ensure_memory, ensure_memory_for_quantised};
use anyhow::{Result, ensure};
use candle_core::{DType, Device};
use std::path::Path;
use std::sync::Arc;

/// What a checkpoint is called and made of.
#[derive(Clone, Debug)]
pub struct CheckpointParts {
    pub name: String,
    pub fingerprint: Fingerprint,
    /// What the user should know about it.
    pub notes: Vec<String>,
}

/// The weights of `folder` under the names of `canonical_name`, with the adapter merged into them, and what they are.
/// `template` decides what the model is asked, so it counts in the fingerprint.
///
/// # Errors
/// Weights that are missing, broken or too large for the memory; an adapter that does not fit.
pub(in crate::model) fn open_parts(
    folder: &Path,
    adapter: Option<Adapter>,
    canonical_name: impl Fn(&str) -> String,
    place: DecoderPlace<'_>,
    template: &str,
    dtype: DType,
    device: &Device,
) -> Result<(Weights, CheckpointParts)> {
    let mut parts = CheckpointParts {
        name: folder_name(folder),
        fingerprint: fingerprint_with(folder, template)?,
        notes: Vec::new(),
    };
    let weights = open_weights(folder, adapter, canonical_name, place, dtype, device, &mut parts)?;
    Ok((weights, parts))
}

/// Of the files of `folder` and of the template that decides what the model is asked.
///
/// # Errors
/// Where a file cannot be read.
pub(in crate::model) fn fingerprint_with(folder: &Path, template: &str) -> Result<Fingerprint> {
    Ok(Fingerprint::of_parts([fingerprint_of(folder)?.as_str(), "template", template]))
}

/// The same, with what is to be known about them put into `parts`.
pub(in crate::model) fn open_weights(
    folder: &Path,
    adapter: Option<Adapter>,
    canonical_name: impl Fn(&str) -> String,
    place: DecoderPlace<'_>,
    dtype: DType,
    device: &Device,
    parts: &mut CheckpointParts,
) -> Result<Weights> {
    let weights = Weights::read(folder)?.renamed(&canonical_name);
    let files = decoder_files(folder)?;
    let Some(file) = files.first() else {
        ensure_memory(weights.parameters(), dtype, device)?;
        return match adapter {
            None => Ok(weights),
            Some(adapter) => {
                parts.add_adapter(&adapter);
                weights.with_adapter(adapter, canonical_name)
            }
        };
    };
    let name = file.display();
    ensure!(dtype == DType::F32, "{name}: a quantised decoder computes in f32: expected --dtype auto or f32");
    ensure!(
        adapter.is_none(),
        "{name}: an adapter cannot be merged into a quantised decoder; merge it into the checkpoint with PEFT and convert that"
    );
    let decoder = Arc::new(GgufDecoder::open(&files, place)?);
    let weights = weights.with_decoder(decoder.clone(), place);
    ensure_memory_for_quantised(decoder.bytes(), weights.parameters(), device)?;
    let own_name = file.file_name().unwrap_or_default().to_string_lossy();
    parts.notes.push(format!("the decoder is read from {own_name} ({})", decoder.description()));
    Ok(weights)
}

impl CheckpointParts {
    /// Another adapter is another reader.
    pub(in crate::model) fn add_adapter(&mut self, adapter: &Adapter) {
        self.name = format!("{} + {}", self.name, folder_name(&adapter.path));
        self.fingerprint = Fingerprint::of_parts([self.fingerprint.as_str(), "adapter", adapter.fingerprint.as_str()]);
    }
}

/// Tokenizer and template of `folder`, and a note where it has no template and `built_in` serves.
///
/// # Errors
/// A missing or broken file; a tokenizer that does not fit the model.
pub(in crate::model) fn chat_prompt(
    folder: &Path,
    image_token: u32,
    vocabulary: usize,
    built_in: &str,
) -> Result<(ChatPrompt, Option<String>)> {
    let tokenizer = ChatTokenizer::read(folder)?;
    let bad = |reason: String| CheckpointError::BadJson { path: folder.join("tokenizer.json"), reason };
    let largest = tokenizer.largest_id();
    if largest as usize >= vocabulary {
        return Err(bad(format!("token {largest}, the model of config.json knows {vocabulary} (vocab_size)")).into());
    }
    let Some(mark) = tokenizer.special_text_of(image_token).map(str::to_string) else {
        let reason = format!("token {image_token} is no special token, config.json says it stands for an image");
        return Err(bad(reason).into());
    };
    let (template, note) = if let Some(template) = ChatTemplate::read(folder)? {
        (template, None)
    } else {
        let note = "no chat template in the checkpoint: prompts have the form of the published models";
        (ChatTemplate::built_in(built_in, folder)?, Some(note.to_string()))
    };
    Ok((ChatPrompt::new(tokenizer, template, &mark)?, note))
}

//! Steps of loading a checkpoint that all families share.

use crate::model::chat::{ChatPrompt, ChatTemplate, ChatTokenizer};
use crate::model::checkpoint::{Adapter, CheckpointError, Weights, fingerprint_of, folder_name};
use crate::model::gguf::{DecoderSpec, GgufDecoder, decoder_files};
use crate::model::memory::{ensure_memory, ensure_memory_for_quantised};
use anyhow::{Result, ensure};
use candle_core::{DType, Device};
use dissent_core::files::fingerprint::Fingerprint;
use std::path::Path;
use std::sync::Arc;

/// Name, fingerprint and notes of a checkpoint.
#[derive(Clone, Debug)]
pub struct CheckpointParts {
    pub name: String,
    pub fingerprint: Fingerprint,
    /// Remarks for the user about the checkpoint.
    pub notes: Vec<String>,
}

/// Opens the weights of `folder`, renamed by `canonical_name`, with the adapter merged into them. The chat `template` is
/// part of the fingerprint, since it determines the prompt.
///
/// # Errors
/// Fails if weights are missing, broken or too large for the memory, or the adapter does not fit.
pub(in crate::model) fn open_parts(
    folder: &Path,
    adapter: Option<Adapter>,
    canonical_name: impl Fn(&str) -> String,
    spec: DecoderSpec<'_>,
    template: &str,
    dtype: DType,
    device: &Device,
) -> Result<(Weights, CheckpointParts)> {
    let mut parts = CheckpointParts {
        name: folder_name(folder),
        fingerprint: fingerprint_with(folder, template)?,
        notes: Vec::new(),
    };
    let weights = open_weights(folder, adapter, canonical_name, spec, dtype, device, &mut parts)?;
    Ok((weights, parts))
}

/// The fingerprint of the files of `folder` and the chat template.
///
/// # Errors
/// Fails if a file cannot be read.
pub(in crate::model) fn fingerprint_with(folder: &Path, template: &str) -> Result<Fingerprint> {
    Ok(Fingerprint::of_parts([fingerprint_of(folder)?.as_str(), "template", template]))
}

/// [`open_parts`] for a caller that computes the fingerprint; the adapter's name and notes are added to `parts`.
pub(in crate::model) fn open_weights(
    folder: &Path,
    adapter: Option<Adapter>,
    canonical_name: impl Fn(&str) -> String,
    spec: DecoderSpec<'_>,
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
    ensure!(dtype == DType::F32, "{name}: a quantised decoder computes in f32; expected --dtype auto or f32");
    ensure!(
        adapter.is_none(),
        "{name}: an adapter cannot be merged into a quantised decoder; merge it into the checkpoint with PEFT and convert that"
    );
    let decoder = Arc::new(GgufDecoder::open(&files, spec)?);
    let weights = weights.with_decoder(decoder.clone(), spec);
    ensure_memory_for_quantised(decoder.bytes(), weights.parameters(), device)?;
    let own_name = file.file_name().unwrap_or_default().to_string_lossy();
    parts.notes.push(format!("the decoder is read from {own_name} ({})", decoder.description()));
    Ok(weights)
}

impl CheckpointParts {
    /// Adds the adapter to name and fingerprint.
    pub(in crate::model) fn add_adapter(&mut self, adapter: &Adapter) {
        self.name = format!("{} + {}", self.name, folder_name(&adapter.path));
        self.fingerprint = Fingerprint::of_parts([self.fingerprint.as_str(), "adapter", adapter.fingerprint.as_str()]);
    }
}

/// Reads tokenizer and template of `folder`. Without a template, `built_in` is used and a note returned.
///
/// # Errors
/// Fails if a file is missing or broken, or the tokenizer does not fit the model.
pub(in crate::model) fn chat_prompt(
    folder: &Path,
    image_token: u32,
    vocabulary: usize,
    built_in: &str,
) -> Result<(ChatPrompt, Option<String>)> {
    let (template, note) = if let Some(template) = ChatTemplate::read(folder)? {
        (template, None)
    } else {
        let note = "the checkpoint has no chat template; that of the published models is used";
        (ChatTemplate::built_in(built_in, folder)?, Some(note.to_string()))
    };
    Ok((chat_prompt_of(folder, image_token, vocabulary, template)?, note))
}

/// Reads the tokenizer of `folder` for prompts of this template.
///
/// # Errors
/// Fails if a file is missing or broken, or the tokenizer does not fit the model.
pub(in crate::model) fn chat_prompt_of(
    folder: &Path,
    image_token: u32,
    vocabulary: usize,
    template: ChatTemplate,
) -> Result<ChatPrompt> {
    let tokenizer = ChatTokenizer::read(folder)?;
    let bad = |reason: String| CheckpointError::BadJson { path: folder.join("tokenizer.json"), reason };
    let largest = tokenizer.largest_id();
    if largest as usize >= vocabulary {
        return Err(bad(format!(
            "token id {largest} is outside the model's vocabulary of {vocabulary} (vocab_size in config.json)"
        ))
        .into());
    }
    let Some(mark) = tokenizer.special_text_of(image_token).map(str::to_string) else {
        let reason = format!("expected token {image_token}, the image token of config.json, to be a special token");
        return Err(bad(reason).into());
    };
    ChatPrompt::new(tokenizer, template, &mark)
}

//! The reader's tokenizer: text to token ids, with the special tokens kept out of the text's reach.

use super::special;
use crate::model::checkpoint::{CheckpointError, read_json};
use anyhow::{Result, anyhow};
use serde_json::Value;
use std::path::Path;

/// Ids of the special tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SpecialIds {
    pub beginning: u32,
    pub end: u32,
    pub instruction: u32,
    pub instruction_end: u32,
    pub image: u32,
    pub image_break: u32,
    pub image_end: u32,
}

/// Byte-level tokenizer of a Pixtral checkpoint.
#[derive(Clone, Debug)]
pub struct PixtralTokenizer {
    inner: tokenizers::Tokenizer,
    special: SpecialIds,
}

impl PixtralTokenizer {
    /// Reads `tokenizer.json`, and the names of special tokens from `tokenizer_config.json` and
    /// `processor_config.json`.
    pub fn read(folder: &Path) -> Result<Self> {
        let definition = read_json(folder, "tokenizer.json", "it turns text into token numbers")?;
        let names = read_json(folder, "tokenizer_config.json", "it names the special tokens")?;
        let images = read_json(folder, "processor_config.json", "it names the image tokens")?;
        let path = folder.join("tokenizer.json");
        let bad = |reason: String| CheckpointError::BadJson { path: path.clone(), reason };
        let mut inner = tokenizers::Tokenizer::from_bytes(definition.to_string())
            .map_err(|error| bad(format!("not a tokenizer: {error}")))?;
        // A caption that spells "[IMG]" is text, not an image.
        inner.set_encode_special_tokens(true);
        inner.with_padding(None).with_truncation(None).map_err(|error| bad(error.to_string()))?;
        let id = |field: &Value, default: &str| {
            let named = field.as_str().or_else(|| field.get("content").and_then(Value::as_str));
            let token = named.unwrap_or(default);
            inner.token_to_id(token).ok_or_else(|| bad(format!("special token '{token}' is not in it")))
        };
        let special = SpecialIds {
            beginning: id(&names["bos_token"], special::BEGINNING.0)?,
            end: id(&names["eos_token"], special::END.0)?,
            instruction: id(&Value::Null, special::INSTRUCTION.0)?,
            instruction_end: id(&Value::Null, special::INSTRUCTION_END.0)?,
            image: id(&images["image_token"], special::IMAGE.0)?,
            image_break: id(&images["image_break_token"], special::IMAGE_BREAK.0)?,
            image_end: id(&images["image_end_token"], special::IMAGE_END.0)?,
        };
        Ok(Self { inner, special })
    }

    /// Ids of a text, nothing added.
    pub fn encode(&self, text: &str) -> Result<Vec<u32>> {
        let encoding = self.inner.encode(text, false).map_err(|error| anyhow!("cannot tokenize '{text}': {error}"))?;
        Ok(encoding.get_ids().to_vec())
    }

    /// The text of some ids, special tokens left out.
    pub fn decode(&self, ids: &[u32]) -> Result<String> {
        self.inner.decode(ids, true).map_err(|error| anyhow!("cannot turn tokens {ids:?} into text: {error}"))
    }

    /// Ids of the special tokens.
    pub fn special(&self) -> SpecialIds {
        self.special
    }

    /// Number of tokens, special ones included.
    pub fn size(&self) -> usize {
        self.inner.get_vocab_size(true)
    }
}

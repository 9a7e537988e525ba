//! The tokenizer of a Pixtral checkpoint, in which text cannot spell special tokens.

use super::special;
use crate::model::chat::ChatTokenizer;
use crate::model::checkpoint::{CheckpointError, read_json};
use anyhow::Result;
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

/// The byte-level BPE tokenizer of a Pixtral checkpoint.
#[derive(Clone, Debug)]
pub struct PixtralTokenizer {
    inner: ChatTokenizer,
    special: SpecialIds,
    /// Text of the image token.
    image_mark: String,
}

impl PixtralTokenizer {
    /// Reads `tokenizer.json`, and the names of special tokens from `tokenizer_config.json` and `processor_config.json`.
    pub fn read(folder: &Path) -> Result<Self> {
        let inner = ChatTokenizer::read(folder)?;
        let names = read_json(folder, "tokenizer_config.json", "it names the special tokens")?;
        let images = read_json(folder, "processor_config.json", "it names the image tokens")?;
        let path = folder.join("tokenizer.json");
        let id = |field: &Value, default: &str| {
            let token = name_of(field).unwrap_or(default);
            let reason = format!("special token '{token}' is not in it");
            inner.id_of(token).ok_or_else(|| CheckpointError::BadJson { path: path.clone(), reason })
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
        let image_mark = name_of(&images["image_token"]).unwrap_or(special::IMAGE.0).to_string();
        Ok(Self { inner, special, image_mark })
    }

    /// Token ids of a text, without added tokens.
    pub fn encode(&self, text: &str) -> Result<Vec<u32>> {
        self.inner.encode(text)
    }

    /// The text of these ids, without special tokens.
    pub fn decode(&self, ids: &[u32]) -> Result<String> {
        self.inner.decode(ids)
    }

    /// The underlying tokenizer.
    pub fn inner(&self) -> &ChatTokenizer {
        &self.inner
    }

    /// Text of the image token.
    pub(crate) fn image_mark(&self) -> &str {
        &self.image_mark
    }

    /// Ids of the special tokens.
    pub fn special(&self) -> SpecialIds {
        self.special
    }

    /// Number of tokens, including special ones.
    pub fn size(&self) -> usize {
        self.inner.size()
    }
}

/// A token's text, given as a string or as an object with `content`.
fn name_of(field: &Value) -> Option<&str> {
    field.as_str().or_else(|| field.get("content").and_then(Value::as_str))
}

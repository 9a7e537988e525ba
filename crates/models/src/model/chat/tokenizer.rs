//! A checkpoint's tokenizer, for text in which special tokens are not recognised.

use crate::model::checkpoint::{CheckpointError, read_json};
use crate::model::tokenizer::BoundedTokenizer;
use anyhow::Result;
use dissent_core::files::input_file::is_there;
use serde_json::Value;
use std::path::Path;
use std::sync::Arc;

/// A special token, such as an image token or the end of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpecialToken {
    pub text: String,
    pub id: u32,
    /// True if preceding white space is removed (`lstrip`).
    pub strips_before: bool,
    /// True if following white space is removed (`rstrip`).
    pub strips_after: bool,
}

/// The tokenizer of `tokenizer.json` with its special tokens.
#[derive(Clone, Debug)]
pub struct ChatTokenizer {
    inner: Arc<BoundedTokenizer>,
    /// Sorted by length, longest first.
    special: Arc<Vec<SpecialToken>>,
    end: Option<u32>,
    /// All tokens that end generation.
    ends: Vec<u32>,
}

impl ChatTokenizer {
    /// Reads `tokenizer.json` and `eos_token` of `tokenizer_config.json`. If there is a `generation_config.json`, its
    /// `eos_token_id` also end generation.
    ///
    /// # Errors
    /// Fails if a file is missing or broken.
    pub fn read(folder: &Path) -> Result<Self, CheckpointError> {
        let definition = read_json(folder, "tokenizer.json", "it turns text into token numbers")?;
        let names = read_json(folder, "tokenizer_config.json", "it names the special tokens")?;
        let path = folder.join("tokenizer.json");
        let inner = BoundedTokenizer::new(&path, &definition, |inner| {
            // "[IMG]" in a caption is text, not an image.
            inner.set_encode_special_tokens(true);
            Ok(())
        })?;
        inner.try_out(&path)?;
        let vocabulary = inner.vocabulary();
        let mut special = Vec::new();
        for token in
            vocabulary.get_added_tokens_decoder().values().filter(|token| token.special && !token.content.is_empty())
        {
            let Some(id) = vocabulary.token_to_id(&token.content) else { continue };
            let (strips_before, strips_after) = (token.lstrip, token.rstrip);
            special.push(SpecialToken { text: token.content.clone(), id, strips_before, strips_after });
        }
        special.sort_by(|one, other| other.text.len().cmp(&one.text.len()).then(one.text.cmp(&other.text)));
        let end = &names["eos_token"];
        let end = end.as_str().or_else(|| end.get("content").and_then(Value::as_str));
        let end = end.and_then(|token| vocabulary.token_to_id(token));
        let mut ends: Vec<u32> = end.into_iter().collect();
        if is_there(&folder.join("generation_config.json")) {
            let generation = read_json(folder, "generation_config.json", "it says how answers are generated")?;
            let named = &generation["eos_token_id"];
            let ids = named.as_array().map_or(std::slice::from_ref(named), Vec::as_slice);
            ends.extend(ids.iter().filter_map(Value::as_u64).filter_map(|id| u32::try_from(id).ok()));
        }
        Ok(Self { inner: Arc::new(inner), special: Arc::new(special), end, ends })
    }

    /// Token ids of a text, without added tokens; special tokens spelled in it are treated as text.
    pub fn encode(&self, text: &str) -> Result<Vec<u32>> {
        self.inner.encode(text, false)
    }

    /// The text of these ids, without special tokens.
    pub fn decode(&self, ids: &[u32]) -> Result<String> {
        self.inner.decode(ids)
    }

    /// The id of a token, if it is in the vocabulary.
    pub fn id_of(&self, token: &str) -> Option<u32> {
        self.inner.vocabulary().token_to_id(token)
    }

    /// The text of a special token.
    pub(crate) fn special_text_of(&self, id: u32) -> Option<&str> {
        self.special.iter().find(|token| token.id == id).map(|token| token.text.as_str())
    }

    /// True if this token ends generation.
    pub fn is_end(&self, id: u32) -> bool {
        self.ends.contains(&id)
    }

    /// The same tokenizer with another token at the end of answers.
    pub(super) fn ending_with(mut self, end: u32) -> Self {
        self.end = Some(end);
        self.ends.push(end);
        self
    }

    /// The token that ends an answer: the end-of-sequence token, unless the template's is another.
    pub fn end(&self) -> Option<u32> {
        self.end
    }

    /// Number of tokens, including special ones.
    pub fn size(&self) -> usize {
        self.inner.vocabulary().get_vocab_size(true)
    }

    /// The largest id, which must be below the model's vocabulary size.
    pub fn largest_id(&self) -> u32 {
        self.inner.largest_id()
    }

    /// The longest special token that `text` starts with.
    pub(crate) fn special_at(&self, text: &str) -> Option<&SpecialToken> {
        self.special.iter().find(|token| text.starts_with(&token.text))
    }
}

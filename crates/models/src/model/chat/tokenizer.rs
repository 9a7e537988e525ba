//! A checkpoint's tokenizer, for text in which special tokens are not recognised.

use super::text_pieces::{Before, without_mark};
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
    /// For text after a special token, and after text; the same as `inner` for most tokenizers.
    after_special: Arc<BoundedTokenizer>,
    after_text: Arc<BoundedTokenizer>,
    /// Tokens that the post-processor puts before a text, unless it begins with `beginning`.
    added_before: Vec<u32>,
    /// `bos_token`.
    beginning: Option<String>,
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
        let read = |definition: &Value| -> Result<Arc<BoundedTokenizer>, CheckpointError> {
            let tokenizer = BoundedTokenizer::new(&path, definition, |inner| {
                // "[IMG]" in a caption is text, not an image.
                inner.set_encode_special_tokens(true);
                Ok(())
            })?;
            tokenizer.try_out(&path)?;
            Ok(Arc::new(tokenizer))
        };
        let inner = read(&definition)?;
        let after = |before: Before| without_mark(&definition, before).map_or(Ok(inner.clone()), |other| read(&other));
        let (after_special, after_text) = (after(Before::SpecialToken)?, after(Before::Text)?);
        let added_before = added_before(&inner).map_err(|reason| CheckpointError::BadJson { path, reason })?;
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
        let name_of = |field: &str| {
            let token = &names[field];
            token.as_str().or_else(|| token.get("content").and_then(Value::as_str))
        };
        let end = name_of("eos_token").and_then(|token| vocabulary.token_to_id(token));
        let beginning = name_of("bos_token").map(str::to_string);
        let mut ends: Vec<u32> = end.into_iter().collect();
        if is_there(&folder.join("generation_config.json")) {
            let generation = read_json(folder, "generation_config.json", "it says how answers are generated")?;
            let named = &generation["eos_token_id"];
            let ids = named.as_array().map_or(std::slice::from_ref(named), Vec::as_slice);
            ends.extend(ids.iter().filter_map(Value::as_u64).filter_map(|id| u32::try_from(id).ok()));
        }
        let special = Arc::new(special);
        Ok(Self { inner, after_special, after_text, added_before, beginning, special, end, ends })
    }

    /// Token ids of a text, without added tokens; special tokens spelled in it are treated as text.
    pub fn encode(&self, text: &str) -> Result<Vec<u32>> {
        self.inner.encode(text, false)
    }

    /// [`Self::encode`] for a text that follows a special token.
    pub(crate) fn encode_after_special(&self, text: &str) -> Result<Vec<u32>> {
        self.after_special.encode(text, false)
    }

    /// [`Self::encode`] for a text that continues another one.
    pub(crate) fn encode_after_text(&self, text: &str) -> Result<Vec<u32>> {
        self.after_text.encode(text, false)
    }

    /// Tokens before a prompt with this text: those that the post-processor adds, unless the template has written `bos_token`
    /// itself (`apply_chat_template` in transformers).
    pub(crate) fn added_before(&self, prompt: &str) -> &[u32] {
        let is_written = self.beginning.as_ref().is_some_and(|token| prompt.starts_with(token));
        if is_written { &[] } else { &self.added_before }
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

    /// True if `text` ends with a special token.
    pub(crate) fn ends_with_special(&self, text: &str) -> bool {
        self.special.iter().any(|token| text.ends_with(&token.text))
    }

    /// The longest special token that `text` starts with.
    pub(crate) fn special_at(&self, text: &str) -> Option<&SpecialToken> {
        self.special.iter().find(|token| text.starts_with(&token.text))
    }
}

/// The tokens that the post-processor puts before a text.
///
/// # Errors
/// Fails if it puts tokens behind a text, where the answer begins.
fn added_before(tokenizer: &BoundedTokenizer) -> Result<Vec<u32>, String> {
    let (Ok(plain), Ok(with)) = (tokenizer.encode("a", false), tokenizer.encode("a", true)) else {
        // The message comes with the first prompt.
        return Ok(Vec::new());
    };
    let Some(count) = with.len().checked_sub(plain.len()).filter(|count| with[*count..] == plain) else {
        return Err("post_processor: expected no tokens after a text, where the answer begins".into());
    };
    Ok(with[..count].to_vec())
}

//! The tokenizers crate with limits: definitions are checked before it parses them, texts before it tokenises them, and its
//! panics become errors.

use super::definition::{LONGEST_NORMALISED, check_definition};
use super::refused_part::refused_part;
use crate::model::checkpoint::CheckpointError;
use anyhow::{Result, anyhow, ensure};
use dissent_core::panics::{caught, panic_text};
use dissent_core::text::printable::one_line;
use serde_json::Value;
use std::path::Path;

/// The longest text in bytes: about five hundred pages.
const LONGEST_TEXT: usize = 1 << 20;
/// Texts for [`BoundedTokenizer::try_out`].
const TEST_TEXTS: [&str; 3] = ["", "a", "Is it 3.5 mm? \u{e9}\u{80ba}\n "];
/// Characters of a text shown in a message.
const SHOWN: usize = 60;

/// A tokenizer with a checked definition.
#[derive(Clone, Debug)]
pub(in crate::model) struct BoundedTokenizer {
    inner: tokenizers::Tokenizer,
    /// The longest accepted text in bytes.
    longest: usize,
}

impl BoundedTokenizer {
    /// Creates a tokenizer from `definition`, the content of `tokenizer.json` at `path`, without padding and truncation.
    /// `set_up` may change it first.
    ///
    /// # Errors
    /// Fails if a field is invalid; the message names it.
    pub fn new(
        path: &Path,
        definition: &Value,
        set_up: impl FnOnce(&mut tokenizers::Tokenizer) -> tokenizers::Result<()>,
    ) -> Result<Self, CheckpointError> {
        let bad = |reason: String| CheckpointError::BadJson { path: path.to_path_buf(), reason };
        let growth = check_definition(definition).map_err(|reason| bad(format!("not a tokenizer: {reason}")))?;
        let read = || {
            let mut inner = tokenizers::Tokenizer::from_bytes(definition.to_string())?;
            inner.with_padding(None).with_truncation(None)?;
            set_up(&mut inner)?;
            Ok(inner)
        };
        let inner = without_panic(read)
            .map_err(|reason| bad(format!("not a tokenizer: {}", refused_part(definition, &reason))))?;
        Ok(Self { inner, longest: (LONGEST_NORMALISED / growth).min(LONGEST_TEXT) })
    }

    /// Tokenises short texts to find definitions on which the crate panics.
    ///
    /// # Errors
    /// Fails with the panic's message if the crate panics. Ordinary errors are ignored, as other texts may succeed.
    pub fn try_out(&self, path: &Path) -> Result<(), CheckpointError> {
        let work = || {
            for text in TEST_TEXTS {
                if let Ok(encoding) = self.inner.encode(text, true) {
                    let _ = self.inner.decode(encoding.get_ids(), true);
                }
            }
            Ok(())
        };
        let bad = |reason: String| CheckpointError::BadJson { path: path.to_path_buf(), reason };
        without_panic(work).map_err(|reason| bad(format!("not a tokenizer: {reason}")))
    }

    /// Token ids of a text, with the tokens that the post-processor adds if `add_special_tokens`.
    ///
    /// # Errors
    /// Fails if the text is too long or cannot be tokenised.
    pub fn encode(&self, text: &str, add_special_tokens: bool) -> Result<Vec<u32>> {
        ensure!(
            text.len() <= self.longest,
            "cannot tokenize '{}…': expected a text of at most {} bytes, found {}",
            shown(text),
            self.longest,
            text.len()
        );
        let encoding = without_panic(|| self.inner.encode(text, add_special_tokens));
        let encoding =
            encoding.map_err(|reason| anyhow!("tokenizer.json: cannot tokenize '{}': {reason}", shown(text)))?;
        Ok(encoding.get_ids().to_vec())
    }

    /// The text of these ids, without special tokens.
    ///
    /// # Errors
    /// Fails if decoding fails.
    pub fn decode(&self, ids: &[u32]) -> Result<String> {
        let decoded = without_panic(|| self.inner.decode(ids, true));
        decoded.map_err(|reason| anyhow!("tokenizer.json: cannot decode {} tokens: {reason}", ids.len()))
    }

    /// The largest id of the vocabulary.
    pub fn largest_id(&self) -> u32 {
        self.inner.get_vocab(true).values().copied().max().unwrap_or(0)
    }

    /// The underlying tokenizer, to query its vocabulary.
    pub fn vocabulary(&self) -> &tokenizers::Tokenizer {
        &self.inner
    }
}

/// The result of `work`; errors and panics become one-line messages.
fn without_panic<T>(work: impl FnOnce() -> tokenizers::Result<T>) -> Result<T, String> {
    match caught(work) {
        Ok(done) => done.map_err(|error| error.to_string().lines().next().unwrap_or_default().to_string()),
        Err(panic) => Err(format!("the tokenizers library panicked ({})", one_line(&panic_text(&*panic)))),
    }
}

fn shown(text: &str) -> String {
    text.chars().take(SHOWN).collect()
}

//! The tokenizers crate within bounds: definitions are checked before it reads them, texts before it cuts them, and where it
//! panics all the same, that is an error.

use super::definition::{LONGEST_NORMALISED, check_definition};
use super::refused_part::refused_part;
use crate::model::checkpoint::CheckpointError;
use crate::panics::caught;
use crate::panics::panic_text;
use crate::text::printable::one_line;
use anyhow::{Result, anyhow, ensure};
use serde_json::Value;
use std::path::Path;

/// Bytes of a text: five hundred pages. Nothing that a model reads is longer.
const LONGEST_TEXT: usize = 1 << 20;
/// See [`BoundedTokenizer::try_out`].
const TRIED: [&str; 3] = ["", "a", "Is it 3.5 mm? \u{e9}\u{80ba}\n "];
/// Of a text in a message.
const SHOWN: usize = 60;

/// A tokenizer whose definition was checked.
#[derive(Clone, Debug)]
pub(in crate::model) struct BoundedTokenizer {
    inner: tokenizers::Tokenizer,
    /// Bytes of the longest text that it takes.
    longest: usize,
}

impl BoundedTokenizer {
    /// From the content of `path`, its `tokenizer.json`; neither padding nor truncation. `set_up` changes the crate's
    /// tokenizer first.
    ///
    /// # Errors
    /// The field that makes no tokenizer.
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

    /// Fails where the crate panics on texts that every tokenizer takes: it would on the first caption.
    ///
    /// # Errors
    /// What the panic said. A text that is refused in words is none: another may be taken.
    pub fn try_out(&self, path: &Path) -> Result<(), CheckpointError> {
        let work = || {
            for text in TRIED {
                if let Ok(encoding) = self.inner.encode(text, true) {
                    let _ = self.inner.decode(encoding.get_ids(), true);
                }
            }
            Ok(())
        };
        let bad = |reason: String| CheckpointError::BadJson { path: path.to_path_buf(), reason };
        without_panic(work).map_err(|reason| bad(format!("not a tokenizer: {reason}")))
    }

    /// Ids of a text, with begin and end marks where `marks` says so.
    ///
    /// # Errors
    /// A text that is too long, or that the tokenizer has no ids for.
    pub fn encode(&self, text: &str, marks: bool) -> Result<Vec<u32>> {
        ensure!(
            text.len() <= self.longest,
            "cannot tokenize '{}…': expected a text of at most {} bytes, found {}",
            shown(text),
            self.longest,
            text.len()
        );
        let encoding = without_panic(|| self.inner.encode(text, marks));
        let encoding =
            encoding.map_err(|reason| anyhow!("tokenizer.json: cannot tokenize '{}': {reason}", shown(text)))?;
        Ok(encoding.get_ids().to_vec())
    }

    /// The text of some ids, special tokens left out.
    ///
    /// # Errors
    /// Where the decoder fails.
    pub fn decode(&self, ids: &[u32]) -> Result<String> {
        let decoded = without_panic(|| self.inner.decode(ids, true));
        decoded.map_err(|reason| anyhow!("tokenizer.json: cannot turn {} tokens into text: {reason}", ids.len()))
    }

    /// The largest id of the vocabulary.
    pub fn largest_id(&self) -> u32 {
        self.inner.get_vocab(true).values().copied().max().unwrap_or(0)
    }

    /// The crate's tokenizer, for questions about its vocabulary.
    pub fn vocabulary(&self) -> &tokenizers::Tokenizer {
        &self.inner
    }
}

/// The value, or why there is none, in one line.
fn without_panic<T>(work: impl FnOnce() -> tokenizers::Result<T>) -> Result<T, String> {
    match caught(work) {
        Ok(done) => done.map_err(|error| error.to_string().lines().next().unwrap_or_default().to_string()),
        Err(panic) => Err(format!("the tokenizers library panicked ({})", one_line(&panic_text(&*panic)))),
    }
}

fn shown(text: &str) -> String {
    text.chars().take(SHOWN).collect()
}

//! The tokenizer of a dual encoder: text to padded token ids.

use super::BoundedTokenizer;
use crate::model::checkpoint::{CheckpointError, read_json};
use anyhow::{Result, bail};
use candle_core::{Device, Tensor};
use dissent_core::files::input_file::is_there;
use serde_json::Value;
use std::borrow::Cow;
use std::path::Path;
use tokenizers::{PostProcessor, TruncationParams};

/// Other tokenizer files, for the message if `tokenizer.json` is missing.
const OTHER_FORMS: [&str; 4] = ["spiece.model", "tokenizer.model", "vocab.txt", "vocab.json"];

/// A checkpoint's tokenizer with padding and truncation.
#[derive(Clone, Debug)]
pub struct Tokenizer {
    inner: BoundedTokenizer,
    pad_id: u32,
    /// Length to which every text is padded; `None` to pad to the longest text of the batch.
    padded_length: Option<usize>,
    cleaning: Cleaning,
}

/// Cleaning of a text before `tokenizer.json` is applied; idempotent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Cleaning {
    #[default]
    Nothing,
    Lowercase,
    /// Lower case, without ASCII punctuation, single spaces: `SiglipTokenizer.canonicalize_text`.
    Canonical,
}

impl Cleaning {
    fn apply(self, text: &str) -> Cow<'_, str> {
        match self {
            Self::Nothing => Cow::Borrowed(text),
            Self::Lowercase => Cow::Owned(text.to_lowercase()),
            Self::Canonical => {
                let bare: String = text.to_lowercase().chars().filter(|c| !c.is_ascii_punctuation()).collect();
                Cow::Owned(bare.split_whitespace().collect::<Vec<_>>().join(" "))
            }
        }
    }
}

impl Tokenizer {
    /// Reads `tokenizer.json` of `folder`. Texts are truncated to `longest` tokens, including begin and end tokens.
    ///
    /// The padding token is `pad_token` of `tokenizer_config.json`, or `default_pad_id` if there is none.
    pub fn read(folder: &Path, longest: usize, default_pad_id: u32) -> Result<Self> {
        if let Some(other) = OTHER_FORMS.iter().find(|name| is_there(&folder.join(name)))
            && !is_there(&folder.join("tokenizer.json"))
        {
            let (folder, found) = (folder.to_path_buf(), (*other).to_string());
            return Err(CheckpointError::OtherTokenizer { folder, found }.into());
        }
        // Parsing as JSON first gives the usual messages for missing or incomplete files.
        let definition = read_json(folder, "tokenizer.json", "it turns text into token numbers")?;
        let path = folder.join("tokenizer.json");
        let bad = |reason: String| CheckpointError::BadJson { path: path.clone(), reason };
        let truncation = TruncationParams { max_length: longest, ..TruncationParams::default() };
        let inner = BoundedTokenizer::new(&path, &definition, |inner| {
            inner.with_truncation(Some(truncation))?;
            Ok(())
        })?;
        let marks = inner.vocabulary().get_post_processor().map_or(0, |processor| processor.added_tokens(false));
        if marks >= longest {
            return Err(bad(format!("post_processor: it adds {marks} tokens, but texts have at most {longest}")).into());
        }
        inner.try_out(&path)?;
        let pad_id = match pad_token(folder)? {
            None => default_pad_id,
            Some(token) => inner
                .vocabulary()
                .token_to_id(&token)
                .ok_or_else(|| bad(format!("padding token '{token}' is not in the vocabulary")))?,
        };
        Ok(Self { inner, pad_id, padded_length: None, cleaning: Cleaning::Nothing })
    }

    /// Pads every text to `length` tokens.
    #[must_use]
    pub(crate) fn padded_to(self, length: usize) -> Self {
        Self { padded_length: Some(length), ..self }
    }

    /// Pads with this token, whatever `tokenizer_config.json` says.
    #[must_use]
    pub(crate) fn padded_with(self, pad_id: u32) -> Self {
        Self { pad_id, ..self }
    }

    /// Cleans texts before tokenising.
    #[must_use]
    pub(crate) fn cleaning(self, cleaning: Cleaning) -> Self {
        Self { cleaning, ..self }
    }

    /// Token ids of each text, with begin and end tokens.
    pub fn encode(&self, texts: &[&str]) -> Result<Vec<Vec<u32>>> {
        let mut rows = Vec::with_capacity(texts.len());
        for text in texts {
            rows.push(self.inner.encode(&self.cleaning.apply(text), true)?);
        }
        Ok(rows)
    }

    /// Token ids as a tensor [B, T] (u32), padded on the right to the longest text or to the length set by
    /// `padded_to`.
    pub fn pad(&self, rows: &[Vec<u32>], device: &Device) -> Result<Tensor> {
        let longest = rows.iter().map(Vec::len).max().unwrap_or(0);
        let length = self.padded_length.map_or(longest, |length| length.max(longest));
        if length == 0 {
            bail!("no tokens to pad: {} texts, all empty", rows.len());
        }
        let mut flat = Vec::with_capacity(rows.len() * length);
        for row in rows {
            flat.extend_from_slice(row);
            flat.resize(flat.len() + length - row.len(), self.pad_id);
        }
        Ok(Tensor::from_vec(flat, (rows.len(), length), device)?)
    }

    /// Number of tokens, including special ones.
    pub fn size(&self) -> usize {
        self.inner.vocabulary().get_vocab_size(true)
    }

    /// Checks that all ids are below `vocabulary`, the model's vocabulary size: those of the vocabulary, those added by the
    /// post-processor, and the padding.
    ///
    /// # Errors
    /// Fails at the first id that is not; the message says what it is for.
    pub(crate) fn check_fits(&self, vocabulary: usize) -> Result<(), String> {
        let marks = self.inner.encode("", true).map_err(|error| error.to_string())?;
        let ids = [
            ("", Some(self.inner.largest_id())),
            ("post_processor: ", marks.into_iter().max()),
            ("padding: ", Some(self.pad_id)),
        ];
        for (what, id) in ids {
            if let Some(id) = id.filter(|id| *id as usize >= vocabulary) {
                return Err(format!(
                    "{what}token id {id} is outside the model's vocabulary of {vocabulary} (vocab_size in config.json)"
                ));
            }
        }
        Ok(())
    }

    /// True if this token is added to every text, for instance at its end.
    ///
    /// # Errors
    /// Fails if tokenising fails.
    pub(crate) fn always_adds(&self, id: u32) -> Result<bool> {
        Ok(self.inner.encode("", true)?.contains(&id))
    }

    /// The id of a token, if it is in the vocabulary.
    pub fn id_of(&self, token: &str) -> Option<u32> {
        self.inner.vocabulary().token_to_id(token)
    }
}

/// `pad_token` of `tokenizer_config.json`, if any: a string or an object with `content`.
fn pad_token(folder: &Path) -> Result<Option<String>, CheckpointError> {
    if !is_there(&folder.join("tokenizer_config.json")) {
        return Ok(None);
    }
    let config = read_json(folder, "tokenizer_config.json", "it names the special tokens")?;
    let token = &config["pad_token"];
    Ok(token.as_str().or_else(|| token.get("content").and_then(Value::as_str)).map(str::to_string))
}

#[cfg(test)]
mod tests {
    use super::Cleaning;

    #[test]
    fn texts_are_cleaned_as_siglip_does() {
        let text = " Large  (RIGHT) mass, T2-w.\t3%! Übergröße ";
        assert_eq!(Cleaning::Canonical.apply(text), "large right mass t2w 3 übergröße");
        assert_eq!(Cleaning::Canonical.apply(&Cleaning::Canonical.apply(text)), Cleaning::Canonical.apply(text));
        assert_eq!(Cleaning::Lowercase.apply("Large, RIGHT"), "large, right");
        assert_eq!(Cleaning::Nothing.apply(text), text);
    }
}

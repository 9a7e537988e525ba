//! Token ids of a rendered prompt: special tokens, and text between them.

use super::tokenizer::{ChatTokenizer, SpecialToken};
use anyhow::Result;

/// Collects the token ids of a prompt. Text between two special tokens is tokenised as a whole, as a tokenizer does with
/// the complete prompt.
pub struct PromptIds<'a> {
    tokenizer: &'a ChatTokenizer,
    ids: Vec<u32>,
    text: String,
    /// True if a special token was written.
    has_special: bool,
    /// True if leading white space of the next text is removed.
    strips: bool,
}

impl<'a> PromptIds<'a> {
    /// An empty prompt.
    pub fn new(tokenizer: &'a ChatTokenizer) -> Self {
        Self { tokenizer, ids: Vec::new(), text: String::new(), has_special: false, strips: false }
    }

    /// A prompt after tokens that do not stand in its text.
    pub(crate) fn after(tokenizer: &'a ChatTokenizer, added: &[u32]) -> Self {
        Self { ids: added.to_vec(), ..Self::new(tokenizer) }
    }

    /// Appends text; special tokens spelled in it are treated as text.
    pub(crate) fn push_text(&mut self, text: &str) {
        self.text.push_str(if self.strips && self.text.is_empty() { text.trim_start() } else { text });
    }

    /// Appends a special token.
    pub(crate) fn push_special(&mut self, token: &SpecialToken) -> Result<()> {
        if token.strips_before {
            self.text.truncate(self.text.trim_end().len());
        }
        self.push_ids(token.id, 1)?;
        self.strips = token.strips_after;
        Ok(())
    }

    /// Appends a token `count` times.
    pub(crate) fn push_ids(&mut self, id: u32, count: usize) -> Result<()> {
        self.flush()?;
        self.ids.extend(std::iter::repeat_n(id, count));
        self.has_special = true;
        self.strips = false;
        Ok(())
    }

    /// Appends text in which special tokens are recognised.
    pub(crate) fn push_marked(&mut self, text: &str) -> Result<()> {
        let mut rest = text;
        while let Some(first) = rest.chars().next() {
            if let Some(token) = self.tokenizer.special_at(rest) {
                self.push_special(token)?;
                rest = &rest[token.text.len()..];
                continue;
            }
            self.push_text(&rest[..first.len_utf8()]);
            rest = &rest[first.len_utf8()..];
        }
        Ok(())
    }

    /// The ids of the whole prompt.
    pub fn finish(mut self) -> Result<Vec<u32>> {
        self.flush()?;
        Ok(self.ids)
    }

    fn flush(&mut self) -> Result<()> {
        if !self.text.is_empty() {
            let ids = if self.has_special {
                self.tokenizer.encode_after_special(&self.text)?
            } else {
                self.tokenizer.encode(&self.text)?
            };
            self.ids.extend(ids);
            self.text.clear();
        }
        Ok(())
    }
}

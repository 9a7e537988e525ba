//! Which tokens tell the labels of a task apart.

use anyhow::{Result, bail};
use dissent_core::data::Label;
use dissent_models::model::vlm::VisionLanguageModel;

/// The tokens on which each label is scored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum LabelTokens {
    /// Every label begins with another token: one token each is enough.
    First(Vec<u32>),
    /// Whole labels. Each ends with the end token where one label begins another ("1" and "12"), for otherwise the
    /// shorter could never lose; so does an only label, whose likelihood is that of the whole answer.
    Whole(Vec<Vec<u32>>),
}

impl LabelTokens {
    /// Tokens of the labels' ids, which is what the reader would say.
    ///
    /// # Errors
    /// Fails if a label has no token, or two labels have the same.
    pub fn of(labels: &[Label], model: &dyn VisionLanguageModel) -> Result<Self> {
        Self::told_apart(labels, &|label, ends| model.answer_ids(label, ends))
    }

    /// The same by any tokenizer: `answer_ids` gives the tokens of a label's id, with the end token where it ends.
    ///
    /// # Errors
    /// As [`Self::of`].
    pub fn told_apart(labels: &[Label], answer_ids: &dyn Fn(&str, bool) -> Result<Vec<u32>>) -> Result<Self> {
        let with_end =
            |ends: bool| -> Result<Vec<Vec<u32>>> { labels.iter().map(|label| answer_ids(&label.id, ends)).collect() };
        let tokens = with_end(false)?;
        for (position, label) in labels.iter().enumerate() {
            if tokens[position].is_empty() {
                bail!("label {:?} has no token in the reader's vocabulary", label.id);
            }
            if let Some(same) = tokens[..position].iter().position(|other| *other == tokens[position]) {
                bail!("labels {:?} and {:?} are the same tokens to the reader", labels[same].id, label.id);
            }
        }
        if labels.len() == 1 {
            return Ok(Self::Whole(with_end(true)?));
        }
        let first: Vec<u32> = tokens.iter().map(|label| label[0]).collect();
        let is_told_apart = first.iter().enumerate().all(|(position, token)| !first[..position].contains(token));
        if is_told_apart {
            return Ok(Self::First(first));
        }
        let one_begins_another = tokens.iter().enumerate().any(|(position, label)| {
            tokens.iter().enumerate().any(|(other, longer)| other != position && longer.starts_with(label))
        });
        Ok(Self::Whole(if one_begins_another { with_end(true)? } else { tokens }))
    }
}

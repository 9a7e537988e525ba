//! The tokens on which labels are scored.

use anyhow::{Result, bail};
use dissent_core::data::Label;
use dissent_models::model::vlm::VisionLanguageModel;

/// The tokens on which each label of a task is scored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum LabelTokens {
    /// Each label starts with a different token: one token per label is enough.
    First(Vec<u32>),
    /// All tokens of each label. The end token is included if one label is a prefix of another ("1" and "12"), because
    /// otherwise the shorter one could never lose. It is also included for a single label, whose score is the
    /// likelihood of the whole answer.
    Whole(Vec<Vec<u32>>),
}

impl LabelTokens {
    /// Tokens of the labels' ids, which are the answers that the reader would give.
    ///
    /// # Errors
    /// Fails if a label has no token, or two labels have the same tokens.
    pub fn of(labels: &[Label], model: &dyn VisionLanguageModel) -> Result<Self> {
        Self::told_apart(labels, &|label, ends| model.answer_ids(label, ends))
    }

    /// [`Self::of`] for any tokenizer: `answer_ids` returns the tokens of a label's id, followed by the end token if
    /// requested.
    ///
    /// # Errors
    /// Fails as [`Self::of`] does.
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

//! A loaded reader of any family.

use super::{CheckpointParts, VisionLanguageModel};
use dissent_core::files::fingerprint::Fingerprint;

/// A vision-language model for inference with the facts that runs and caches record about it.
pub struct ReaderCheckpoint {
    pub model: Box<dyn VisionLanguageModel>,
    /// The folder's name, followed by the adapter's name if there is one.
    pub name: String,
    /// Hash of the weights, the adapter and every file that influences an answer.
    pub fingerprint: Fingerprint,
    /// Remarks for the user about the checkpoint.
    pub notes: Vec<String>,
}

impl ReaderCheckpoint {
    /// A model of any family with the facts about it.
    pub(in crate::model) fn new(model: impl VisionLanguageModel + 'static, parts: CheckpointParts) -> Self {
        let CheckpointParts { name, fingerprint, notes } = parts;
        Self { model: Box::new(model), name, fingerprint, notes }
    }
}

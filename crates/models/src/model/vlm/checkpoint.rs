//! A loaded reader of any family.

use super::VisionLanguageModel;
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

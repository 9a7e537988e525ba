//! Settings of a reader's training, and what its stages need of them.

use crate::augmentation::Augmentation;
use crate::epochs::LoopSettings;
use anyhow::{Result, ensure};
use candle_nn::VarMap;
use dissent_core::data::Part;
use dissent_models::model::checkpoint::{CheckpointFiles, StoredType};
use dissent_models::model::pixtral::{PixtralConfig, SmallPixtral, save_pixtral};
use std::path::PathBuf;

/// Settings of a run.
#[derive(Clone, Debug)]
pub struct ReaderSettings {
    pub out: PathBuf,
    pub seed: u64,
    /// Continue from this checkpoint; its sizes then count, not `sizes`.
    pub init: Option<PathBuf>,
    pub sizes: SmallPixtral,
    /// The image tower through linear heads; 0 epochs leave it as it is.
    pub vision: LoopSettings,
    /// The decoder.
    pub answers: LoopSettings,
    /// Train the image tower with the decoder too, as the reference does.
    pub train_vision: bool,
    /// Share of the cases that are also asked without a document in each epoch.
    pub closed_book_share: f64,
    /// Repeat the cases of rare labels until all labels of a task are equally frequent.
    pub balance: bool,
    pub augmentation: Augmentation,
    /// Changed copies of every image that the decoder learns from, beside the image itself. A tower knows the images that
    /// it was trained on too well: a decoder that sees only those learns that no document is needed.
    pub views: usize,
    /// Learn from this part of the training cases only.
    pub part: Option<Part>,
    pub stored_type: StoredType,
    pub restart: bool,
}

/// What makes a checkpoint of the present weights.
#[derive(Clone, Copy)]
pub(super) struct CheckpointParts<'a> {
    pub(super) variables: &'a VarMap,
    pub(super) config: &'a PixtralConfig,
    pub(super) files: &'a CheckpointFiles,
}

impl CheckpointParts<'_> {
    pub(super) fn save(&self, settings: &ReaderSettings) -> Result<()> {
        save_pixtral(&settings.out, self.config, self.variables, self.files, settings.stored_type)
    }
}

/// The epoch that is kept is the best by validation: without any, only the first would ever be.
pub(super) fn ensure_validation(count: usize) -> Result<()> {
    ensure!(count > 0, "expected cases of the split validation to choose the best epoch by, found none");
    Ok(())
}

/// At least one training sample is needed.
pub(super) fn ensure_samples(count: usize, what: &str) -> Result<()> {
    ensure!(count > 0, "expected cases of the split train to learn {what} from, found none");
    Ok(())
}

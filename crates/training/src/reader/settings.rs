//! Settings of a reader's training, and checks of its stages.

use crate::augmentation::Augmentation;
use crate::epochs::LoopSettings;
use anyhow::{Result, ensure};
use candle_nn::VarMap;
use dissent_core::data::Part;
use dissent_models::model::checkpoint::{CheckpointFiles, StoredType};
use dissent_models::model::pixtral::{PixtralConfig, SmallPixtral, save_pixtral};
use std::path::PathBuf;

/// Settings of a training run.
#[derive(Clone, Debug)]
pub struct ReaderSettings {
    pub out: PathBuf,
    pub seed: u64,
    /// Checkpoint to continue from; its sizes replace `sizes`.
    pub init: Option<PathBuf>,
    pub sizes: SmallPixtral,
    /// Training of the image tower through linear heads; 0 epochs leave it unchanged.
    pub vision: LoopSettings,
    /// Training of the decoder.
    pub answers: LoopSettings,
    /// Train the image tower together with the decoder, as the reference does.
    pub train_vision: bool,
    /// Share of the cases that are also asked without a document in each epoch.
    pub closed_book_share: f64,
    /// Repeat the cases of rare labels until all labels of a task are equally frequent.
    pub balance: bool,
    pub augmentation: Augmentation,
    /// Number of augmented copies of every image for the decoder, in addition to the image itself. A tower overfits its
    /// training images: a decoder that sees only these learns that it needs no document.
    pub views: usize,
    /// Learn from this part of the training cases only.
    pub part: Option<Part>,
    pub stored_type: StoredType,
    pub restart: bool,
}

/// The parts of a checkpoint beside the present weights.
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

/// Validation chooses the best epoch: without it, the first epoch would always be kept.
pub(super) fn ensure_validation(count: usize) -> Result<()> {
    ensure!(count > 0, "expected cases of the split validation to choose the best epoch by, found none");
    Ok(())
}

/// Fails if there is no training sample.
pub(super) fn ensure_samples(count: usize, what: &str) -> Result<()> {
    ensure!(count > 0, "expected cases of the split train to learn {what} from, found none");
    Ok(())
}

//! Checkpoints of a training: the best heads in `OUT`, the last ones in `OUT.training/last`; the caption head alone in
//! `OUT.caption` and `OUT.caption.training/last`.

use super::RetrieverSettings;
use super::head_weights::HeadWeights;
use anyhow::Result;
use dissent_models::model::checkpoint::Weights;
use dissent_retrieval::index::VectorSide;
use dissent_retrieval::retriever::heads::{HeadRecord, HeadsRecord, save_heads};
use std::path::{Path, PathBuf};

/// Prefix of the names of a head's tensors.
pub fn prefix_of(side: VectorSide) -> &'static str {
    match side {
        VectorSide::Image => "image_head",
        VectorSide::Caption => "caption_head",
    }
}

/// Target folders and record of a stage's checkpoints.
pub struct Save<'a> {
    pub settings: &'a RetrieverSettings,
    /// Kind, fingerprints and seed, without heads.
    pub record: HeadsRecord,
    /// The head that was trained before this stage.
    pub finished: Option<(VectorSide, &'a HeadWeights, HeadRecord)>,
    /// The folder of this stage.
    pub out: PathBuf,
    pub session: PathBuf,
}

impl Save<'_> {
    /// Saves the best head so far.
    ///
    /// # Errors
    /// Fails if the disk is full or the folder cannot be written.
    pub fn best(&self, side: VectorSide, head: &HeadWeights, steps: usize) -> Result<()> {
        self.write(&self.out, side, head, steps)
    }

    /// Saves the present head.
    ///
    /// # Errors
    /// Fails if the disk is full or the folder cannot be written.
    pub fn last(&self, side: VectorSide, head: &HeadWeights, steps: usize) -> Result<()> {
        self.write(&self.session.join("last"), side, head, steps)
    }

    fn write(&self, folder: &Path, side: VectorSide, head: &HeadWeights, steps: usize) -> Result<()> {
        let mut record = self.record.clone();
        let mut tensors = head.tensors(prefix_of(side));
        set(&mut record, side, HeadRecord { alpha: head.head.alpha, steps });
        if let Some((side, head, finished)) = &self.finished {
            tensors.extend(head.tensors(prefix_of(*side)));
            set(&mut record, *side, finished.clone());
        }
        save_heads(folder, &record, &tensors, self.settings.stored_type)
    }
}

fn set(record: &mut HeadsRecord, side: VectorSide, head: HeadRecord) {
    match side {
        VectorSide::Image => record.image = Some(head),
        VectorSide::Caption => record.caption = Some(head),
    }
}

/// Loads the saved weights of one head into its variables.
///
/// # Errors
/// Fails if the checkpoint cannot be read or has another kind of head.
pub fn load_head(folder: &Path, side: VectorSide, head: &HeadWeights) -> Result<()> {
    let prefix = format!("{}.", prefix_of(side));
    let weights = Weights::read(folder)?.renamed(|name| name.strip_prefix(&prefix).unwrap_or(name).to_owned());
    for (name, variable) in &head.variables {
        weights.set(name, variable)?;
    }
    Ok(())
}

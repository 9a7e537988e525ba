//! Settings of a retriever's training.

use super::loss::LossSettings;
use super::teacher::TeacherSource;
use crate::epochs::LoopSettings;
use anyhow::{Result, ensure};
use dissent_core::data::Part;
use dissent_models::model::checkpoint::StoredType;
use dissent_retrieval::retriever::heads::HeadKind;
use std::path::PathBuf;

/// Settings of a training run. An epoch of [`LoopSettings`] is a round here: the steps between two validations.
#[derive(Clone, Debug)]
pub struct RetrieverSettings {
    pub out: PathBuf,
    pub seed: u64,
    pub kind: HeadKind,
    /// α: the head's share in the query.
    pub alpha: f64,
    pub loss: LossSettings,
    pub training: LoopSettings,
    /// Steps of a round.
    pub validate_every: usize,
    /// N: number of documents fetched for each case.
    pub candidates: usize,
    /// Number of steps between two snapshots of the head that fetches.
    pub snapshot_every: usize,
    /// Repeat the cases of rare labels until all labels of a task are equally frequent.
    pub balance: bool,
    pub teacher: TeacherSource,
    /// Learn from this part of the training cases only.
    pub part: Option<Part>,
    pub stored_type: StoredType,
    pub restart: bool,
}

impl RetrieverSettings {
    /// Checks the settings.
    ///
    /// # Errors
    /// Fails if a setting is out of range; the error names it.
    pub fn check(&self) -> Result<()> {
        self.training.check()?;
        ensure!(self.training.epochs > 0, "expected one step or more, found --steps 0");
        ensure!((0.0..=1.0).contains(&self.alpha), "expected --alpha from 0 to 1, found {}", self.alpha);
        let LossSettings { temperature, reader_temperature, .. } = self.loss;
        for (flag, value) in [("--temperature", temperature), ("--reader-temperature", reader_temperature)] {
            ensure!(value.is_finite() && value > 0.0, "expected {flag} above 0, found {value}");
        }
        ensure!(self.candidates > 1, "expected --candidates of 2 or more, found {}", self.candidates);
        ensure!(self.snapshot_every > 0, "expected --snapshot-every of 1 or more, found 0");
        ensure!(self.training.patience != Some(0), "expected --patience of 1 or more, found 0");
        ensure!(self.validate_every > 0, "expected --validate-every of 1 or more, found 0");
        Ok(())
    }
}

//! One training run on disk: the state after each epoch, the best weights, `train.jsonl`.
//!
//! ```text
//! OUT/config.json, model.safetensors, …   best weights so far, a Hugging Face directory
//! OUT.training/state.safetensors          weights, moments and counters after the last whole epoch, or after the step at
//!                                         which it was interrupted: one file, so that a kill leaves the old or the new
//! OUT.training/train.jsonl                one line per epoch
//! ```
//!
//! Every epoch draws from its own random stream, seeded with the seed and the epoch's number. A run that was killed and
//! resumed therefore takes exactly the same steps as one that was not.

use super::optimizer::AdamW;
use anyhow::{Context, Result, bail, ensure};
use candle_core::{Device, Tensor, Var};
use dissent_core::files::{durable, input_file};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap};
use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};

/// Weights and two moments of seven billion parameters in f32; a machine that trains these has the memory.
const LARGEST_STATE: u64 = 96 << 30;

/// Settings of a training run; a resumed run must have the same.
#[derive(Clone, Debug)]
pub struct SessionSettings {
    pub out: PathBuf,
    pub seed: u64,
    /// All settings that change the result, as text; compared when a run is resumed.
    pub description: String,
    /// Discard an earlier run in the same folder.
    pub restart: bool,
}

/// One line of `train.jsonl`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct EpochReport {
    pub epoch: usize,
    pub seed: u64,
    pub stage: String,
    /// Mean training loss.
    pub loss: f64,
    /// The figure that chooses the best epoch; larger is better. From validation data only.
    pub validation: f64,
    /// Further figures by name.
    pub figures: BTreeMap<String, f64>,
    pub learning_rate: f64,
    pub seconds: f64,
}

/// Progress of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Position {
    /// Whole epochs done.
    pub epochs_done: usize,
    /// Steps done in the next epoch; above 0 only after an interruption.
    pub steps: usize,
    /// Sum of the losses of these steps.
    pub loss_sum: f64,
    /// Position in the epoch's random stream.
    pub random_word: u128,
}

/// The best epoch so far.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Best {
    epoch: usize,
    validation: f64,
}

/// A training run and its folder.
pub struct Session {
    settings: SessionSettings,
    best: Option<Best>,
}

impl Session {
    /// Opens the folder; resumes an earlier run there if its settings are the same.
    pub fn open(settings: SessionSettings) -> Result<Self> {
        let session = Self { settings, best: None };
        for folder in [&session.settings.out, &session.folder()] {
            // Reports this now and not after hours of training.
            ensure!(
                !folder.exists() || folder.is_dir(),
                "{}: expected a folder or nothing, found a file",
                folder.display()
            );
        }
        if session.settings.restart {
            forget(&session.settings.out)?;
        }
        std::fs::create_dir_all(session.folder())
            .with_context(|| format!("cannot create {}", session.folder().display()))?;
        Ok(session)
    }

    /// Restores weights and moments. Returns the progress of the run.
    pub fn resume(&mut self, weights: &[(String, Var)], optimizer: &mut AdamW) -> Result<Position> {
        let path = self.state_path();
        if !path.exists() {
            return Ok(Position::default());
        }
        let bytes =
            input_file::read(&path, LARGEST_STATE).with_context(|| format!("cannot read {}", path.display()))?;
        let (_, header) = safetensors::SafeTensors::read_metadata(&bytes)
            .with_context(|| format!("{} is not a training state", path.display()))?;
        let counters = header.metadata().clone().unwrap_or_default();
        let counter = |name: &str| {
            counters.get(name).with_context(|| format!("{}: {name} is missing from the header", path.display()))
        };
        let found = counter("description")?;
        if *found != self.settings.description {
            bail!(
                "{} belongs to another run: expected {}, found {found}; choose another --out or pass --restart",
                self.folder().display(),
                self.settings.description
            );
        }
        let tensors = candle_core::safetensors::load_buffer(&bytes, &Device::Cpu)?;
        for (name, variable) in weights {
            let key = format!("weight.{name}");
            let stored = tensors.get(&key).with_context(|| format!("{}: tensor {key} is missing", path.display()))?;
            ensure!(
                stored.shape() == variable.shape(),
                "{}: tensor {key}: expected shape {:?}, found {:?}",
                path.display(),
                variable.shape(),
                stored.shape()
            );
            variable.set(stored)?;
        }
        optimizer.restore(&tensors, counter("optimizer_steps")?.parse()?)?;
        self.best = match (counter("best_epoch")?.parse(), counter("best")?.parse()) {
            (Ok(epoch), Ok(validation)) => Some(Best { epoch, validation }),
            _ => None,
        };
        Ok(Position {
            epochs_done: counter("epochs_done")?.parse()?,
            steps: counter("steps")?.parse()?,
            loss_sum: f64::from_bits(counter("loss_sum_bits")?.parse()?),
            random_word: counter("random_word")?.parse()?,
        })
    }

    /// The run's seed.
    pub fn seed(&self) -> u64 {
        self.settings.seed
    }

    /// The random stream of an epoch.
    pub(crate) fn random_stream(&self, epoch: usize) -> ChaCha8Rng {
        let mut stream = ChaCha8Rng::seed_from_u64(self.settings.seed);
        stream.set_stream(epoch as u64 + 1);
        stream
    }

    /// Is this validation figure the best so far?
    pub(crate) fn is_best(&self, validation: f64) -> bool {
        self.best.is_none_or(|best| validation > best.validation)
    }

    /// The best epoch so far; `None` before the first is finished.
    pub(crate) fn best_epoch(&self) -> Option<usize> {
        self.best.map(|best| best.epoch)
    }

    /// Number of epochs since the best one, after `epochs_done`.
    pub(crate) fn epochs_since_best(&self, epochs_done: usize) -> usize {
        epochs_done - self.best.map_or(0, |best| best.epoch.min(epochs_done))
    }

    /// Records a finished epoch. Save the best weights first, so that a kill in between repeats the epoch.
    pub(crate) fn finish_epoch(
        &mut self,
        report: &EpochReport,
        weights: &[(String, Var)],
        optimizer: &AdamW,
    ) -> Result<()> {
        if self.is_best(report.validation) {
            self.best = Some(Best { epoch: report.epoch, validation: report.validation });
        }
        let position = Position { epochs_done: report.epoch, ..Position::default() };
        self.save_state(position, weights, optimizer)?;
        self.log(report)
    }

    /// Saves an interrupted run, so that it continues with the next step.
    pub(crate) fn save_state(&self, position: Position, weights: &[(String, Var)], optimizer: &AdamW) -> Result<()> {
        let (mut tensors, steps) = optimizer.state();
        for (name, variable) in weights {
            tensors.insert(format!("weight.{name}"), variable.as_tensor().detach());
        }
        let best = |part: fn(Best) -> String| self.best.map_or_else(|| "none".to_owned(), part);
        let counters = HashMap::from([
            ("description".to_owned(), self.settings.description.clone()),
            ("epochs_done".to_owned(), position.epochs_done.to_string()),
            ("steps".to_owned(), position.steps.to_string()),
            ("loss_sum_bits".to_owned(), position.loss_sum.to_bits().to_string()),
            ("random_word".to_owned(), position.random_word.to_string()),
            ("optimizer_steps".to_owned(), steps.to_string()),
            ("best".to_owned(), best(|best| best.validation.to_string())),
            ("best_epoch".to_owned(), best(|best| best.epoch.to_string())),
        ]);
        let named: BTreeMap<&str, &Tensor> = tensors.iter().map(|(name, tensor)| (name.as_str(), tensor)).collect();
        let bytes = safetensors::serialize(named, Some(counters))?;
        durable::write_file(&self.state_path(), &bytes)
    }

    fn log(&self, report: &EpochReport) -> Result<()> {
        let path = self.folder().join("train.jsonl");
        let mut line = serde_json::to_string(report)?;
        line.push('\n');
        OpenOptions::new()
            .create(true)
            .append(true)
            .open(&path)
            .and_then(|mut file| file.write_all(line.as_bytes()).and_then(|()| file.sync_data()))
            .with_context(|| format!("cannot append to {}", path.display()))
    }

    /// `OUT.training`.
    pub fn folder(&self) -> PathBuf {
        beside(&self.settings.out, ".training")
    }

    fn state_path(&self) -> PathBuf {
        self.folder().join("state.safetensors")
    }
}

/// `OUT` with a suffix added to its name; a trailing slash is ignored.
pub fn beside(out: &Path, suffix: &str) -> PathBuf {
    let mut name = out.file_name().unwrap_or_default().to_owned();
    name.push(suffix);
    out.with_file_name(name)
}

/// Removes the state of an earlier run of `OUT`.
pub fn forget(out: &Path) -> Result<()> {
    let folder = beside(out, ".training");
    if !folder.exists() {
        return Ok(());
    }
    std::fs::remove_dir_all(&folder).with_context(|| format!("cannot remove {}", folder.display()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::AdamWSettings;
    use candle_core::DType;

    fn report(epoch: usize, validation: f64) -> EpochReport {
        EpochReport {
            epoch,
            seed: 1,
            stage: "test".into(),
            loss: 1.0,
            validation,
            figures: BTreeMap::new(),
            learning_rate: 0.1,
            seconds: 0.0,
        }
    }

    fn open(out: &Path, description: &str) -> (Session, Vec<(String, Var)>, AdamW) {
        let settings = SessionSettings { out: out.into(), seed: 1, description: description.into(), restart: false };
        let weights = vec![("w".to_owned(), Var::ones((2, 2), DType::F32, &Device::Cpu).unwrap())];
        let optimizer = AdamW::new(weights.clone(), AdamWSettings::default()).unwrap();
        (Session::open(settings).unwrap(), weights, optimizer)
    }

    #[test]
    fn a_run_is_resumed_with_its_weights_and_its_best() {
        let folder = tempfile::tempdir().unwrap();
        let (mut session, weights, optimizer) = open(folder.path(), "a");
        weights[0].1.set(&Tensor::full(7.0_f32, (2, 2), &Device::Cpu).unwrap()).unwrap();
        session.finish_epoch(&report(1, 0.5), &weights, &optimizer).unwrap();

        let (mut session, weights, mut optimizer) = open(folder.path(), "a");
        assert_eq!(session.resume(&weights, &mut optimizer).unwrap().epochs_done, 1);
        assert_eq!(weights[0].1.to_vec2::<f32>().unwrap(), [[7.0, 7.0], [7.0, 7.0]]);
        assert!(!session.is_best(0.4) && session.is_best(0.6));
        assert_eq!(session.epochs_since_best(3), 2);
    }

    #[test]
    fn another_run_in_the_same_folder_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let (mut session, weights, optimizer) = open(folder.path(), "a");
        session.finish_epoch(&report(1, 0.5), &weights, &optimizer).unwrap();
        let (mut session, weights, mut optimizer) = open(folder.path(), "b");
        let message = session.resume(&weights, &mut optimizer).unwrap_err().to_string();
        assert!(message.contains("expected b, found a"), "{message}");
    }
}

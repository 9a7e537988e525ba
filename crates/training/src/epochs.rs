//! The training loop: epochs of shuffled batches, a validation after each; the best epoch is kept.

use super::gradients::Gradients;
use super::optimizer::{AdamW, AdamWSettings};
use super::schedule::CosineSchedule;
use super::session::{EpochReport, Position, Session};
use super::watcher::{TrainingEvent, TrainingWatcher};
use anyhow::{Context, Result, ensure};
use candle_core::Var;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Instant;

/// Settings of the loop.
#[derive(Clone, Copy, Debug)]
pub struct LoopSettings {
    pub epochs: usize,
    pub batch: usize,
    pub learning_rate: f64,
    pub weight_decay: f64,
    pub warm_up_steps: usize,
    /// Largest global norm of the gradients.
    pub clip_norm: f64,
    /// Apply weight decay to biases, norms and scalars too, as `torch.optim.AdamW` does by default.
    pub decay_vectors: bool,
    /// Stop after this many epochs without a better validation.
    pub patience: Option<usize>,
}

/// Training was interrupted after a whole step; its state is on disk.
#[derive(Debug, thiserror::Error)]
#[error("interrupted in epoch {epoch} after {steps} steps")]
pub struct TrainingInterrupted {
    pub epoch: usize,
    pub steps: usize,
}

impl LoopSettings {
    /// Checks the settings; zero epochs are allowed.
    ///
    /// # Errors
    /// Fails if a setting is out of range; the error names it.
    pub fn check(&self) -> Result<()> {
        let Self { batch, learning_rate, weight_decay, clip_norm, .. } = *self;
        ensure!(batch > 0, "expected batches of at least one sample, found --batch 0");
        for (name, value) in [("learning rate", learning_rate), ("clip norm", clip_norm)] {
            ensure!(value.is_finite() && value > 0.0, "expected a {name} above 0, found {value}");
        }
        ensure!(
            weight_decay.is_finite() && weight_decay >= 0.0,
            "expected a weight decay from 0, found {weight_decay}"
        );
        Ok(())
    }
}

/// A training objective.
pub trait Objective {
    /// Name for progress and log.
    fn name(&self) -> &'static str;
    /// Training items of an epoch; some objectives draw a random part of them anew for each epoch.
    fn items(&mut self, random: &mut ChaCha8Rng) -> Vec<usize>;
    /// Called before each step, counted from 0 over the whole run.
    fn before_step(&mut self, _step: usize) -> Result<()> {
        Ok(())
    }
    /// Mean loss of a batch and its gradients.
    fn backward(&mut self, items: &[usize], random: &mut ChaCha8Rng) -> Result<(f64, Gradients)>;
    /// Called after each step, for limits on variables.
    fn after_step(&self) -> Result<()> {
        Ok(())
    }
    /// Variables that a resumed run needs in addition to the trained ones.
    fn state(&self) -> Vec<(String, Var)> {
        Vec::new()
    }
    /// Figures of the last step as text, shown beside the loss.
    fn figures(&self) -> String {
        String::new()
    }
    /// Describes a batch for an error message.
    fn describe(&self, items: &[usize]) -> String {
        format!("{} samples", items.len())
    }
    /// Returns the figure that chooses the best epoch (larger is better) and further figures, all on validation data
    /// only.
    fn validate(&mut self) -> Result<(f64, BTreeMap<String, f64>)>;
    /// Saves the present weights, after `steps` steps, as the best so far.
    fn save(&self, steps: usize) -> Result<()>;
    /// Folder and files that [`Self::save`] writes; `None` if a later stage writes the same files.
    fn checkpoint(&self) -> Option<(PathBuf, Vec<String>)> {
        None
    }
    /// Saves the present weights, after `_steps` steps, as the last ones, if the objective keeps them.
    fn save_last(&self, _steps: usize) -> Result<()> {
        Ok(())
    }
}

/// Writes the best weights again if their files are missing and the state on disk still has these weights.
///
/// # Errors
/// Fails if the state has other weights than the best.
fn save_again_where_missing(
    objective: &mut dyn Objective,
    session: &Session,
    position: Position,
    settings: LoopSettings,
) -> Result<()> {
    let Some((out, files)) = objective.checkpoint() else { return Ok(()) };
    let (Some(best), Some(missing)) = (session.best_epoch(), files.iter().find(|file| !out.join(file).is_file()))
    else {
        return Ok(());
    };
    let Position { epochs_done, steps, .. } = position;
    ensure!(
        best == epochs_done && steps == 0,
        "{} lacks {missing} of the best epoch {best}, and {} has only the weights of a later step: expected \
         the whole folder, or --restart to begin anew",
        out.display(),
        session.folder().display()
    );
    let items = objective.items(&mut session.random_stream(epochs_done)).len();
    objective.save(epochs_done * items.div_ceil(settings.batch))
}

/// Trains until all epochs are done, starting at the position of the session. Returns the last report, or `None` if all
/// epochs were already done.
///
/// # Errors
/// Returns [`TrainingInterrupted`] if the watcher interrupts. Fails if a loss or gradient is not finite, or the disk is
/// full.
pub fn run_epochs(
    objective: &mut dyn Objective,
    weights: &[(String, Var)],
    session: &mut Session,
    settings: LoopSettings,
    watcher: &dyn TrainingWatcher,
) -> Result<Option<EpochReport>> {
    let LoopSettings { weight_decay, decay_vectors, .. } = settings;
    let decay = AdamWSettings { weight_decay, decay_vectors, ..AdamWSettings::default() };
    let mut optimizer = AdamW::new(weights.to_vec(), decay)?;
    let stored = [weights, &objective.state()].concat();
    let mut position = session.resume(&stored, &mut optimizer)?;
    save_again_where_missing(objective, session, position, settings)?;
    let mut last = None;
    for epoch in position.epochs_done + 1..=settings.epochs {
        if settings.patience.is_some_and(|patience| session.epochs_since_best(epoch - 1) >= patience) {
            break;
        }
        let started = Instant::now();
        let mut random = session.random_stream(epoch);
        let mut items = objective.items(&mut random);
        items.shuffle(&mut random);
        let steps = items.len().div_ceil(settings.batch);
        let schedule = CosineSchedule {
            peak: settings.learning_rate,
            warm_up_steps: settings.warm_up_steps,
            total_steps: settings.epochs * steps,
        };
        let Position { steps: taken, mut loss_sum, random_word, .. } = position;
        position = Position::default();
        if taken > 0 {
            random.set_word_pos(random_word);
        }
        watcher.notify(TrainingEvent::EpochStarted {
            stage: objective.name(),
            epoch,
            epochs: settings.epochs,
            steps,
            steps_done: taken,
        });
        let mut learning_rate = schedule.at((epoch * steps).saturating_sub(1));
        for (number, batch) in items.chunks(settings.batch).enumerate().skip(taken) {
            let step = (epoch - 1) * steps + number;
            let place = |objective: &dyn Objective| format!("step {} on {}", step + 1, objective.describe(batch));
            let random_word = random.get_word_pos();
            let here = Position { epochs_done: epoch - 1, steps: number, loss_sum, random_word };
            objective.before_step(step)?;
            let (loss, mut gradients) = match objective.backward(batch, &mut random) {
                // The step was abandoned; a resumed run begins with it.
                Err(_) if watcher.interrupted() => return Err(interrupt(session, here, &stored, &optimizer)),
                outcome => outcome.with_context(|| place(objective))?,
            };
            ensure!(
                loss.is_finite(),
                "{}: expected a finite loss, found {loss}: lower the learning rate (--learning-rate)",
                place(objective)
            );
            gradients.clip(settings.clip_norm).with_context(|| place(objective))?;
            learning_rate = schedule.at(step);
            optimizer.step(&gradients, learning_rate)?;
            objective.after_step()?;
            loss_sum += loss;
            watcher.notify(TrainingEvent::Step { loss, figures: &objective.figures() });
            if watcher.interrupted() {
                let random_word = random.get_word_pos();
                let here = Position { epochs_done: epoch - 1, steps: number + 1, loss_sum, random_word };
                return Err(interrupt(session, here, &stored, &optimizer));
            }
        }
        let (validation, figures) = match objective.validate() {
            // All steps are done; a resumed run begins with the validation.
            Err(_) if watcher.interrupted() => {
                let random_word = random.get_word_pos();
                let here = Position { epochs_done: epoch - 1, steps, loss_sum, random_word };
                return Err(interrupt(session, here, &stored, &optimizer));
            }
            outcome => outcome?,
        };
        let report = EpochReport {
            epoch,
            seed: session.seed(),
            stage: objective.name().into(),
            loss: loss_sum / steps.max(1) as f64,
            validation,
            figures,
            learning_rate,
            seconds: started.elapsed().as_secs_f64(),
        };
        watcher.notify(TrainingEvent::EpochFinished { report: &report, epochs: settings.epochs });
        if session.is_best(validation) {
            objective.save(epoch * steps)?;
        }
        objective.save_last(epoch * steps)?;
        session.finish_epoch(&report, &stored, &optimizer)?;
        last = Some(report);
    }
    Ok(last)
}

/// Saves the state and returns the error that reports the interruption.
fn interrupt(session: &Session, here: Position, stored: &[(String, Var)], optimizer: &AdamW) -> anyhow::Error {
    match session.save_state(here, stored, optimizer) {
        Ok(()) => TrainingInterrupted { epoch: here.epochs_done + 1, steps: here.steps }.into(),
        Err(error) => error,
    }
}

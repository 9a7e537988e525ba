//! The loop that all trainings share: epochs of shuffled batches, a validation after each, the best kept.

use super::gradients::Gradients;
use super::optimizer::{AdamW, AdamWSettings};
use super::progress::TrainingBar;
use super::schedule::CosineSchedule;
use super::session::{EpochReport, Session};
use anyhow::{Result, ensure};
use candle_core::Var;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use std::collections::BTreeMap;
use std::time::Instant;

/// Settings of the loop.
#[derive(Clone, Copy, Debug)]
pub struct LoopSettings {
    pub epochs: usize,
    pub batch: usize,
    pub learning_rate: f64,
    pub weight_decay: f64,
    pub warm_up_steps: usize,
    /// Largest global norm of a gradient.
    pub clip_norm: f64,
}

impl LoopSettings {
    /// Whether anything can be learned with these; no epoch at all is fine.
    ///
    /// # Errors
    /// Names the setting.
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

/// What is trained.
pub trait Objective {
    /// Name for progress and log.
    fn name(&self) -> &'static str;
    /// Training items of an epoch; a random part of them may be drawn anew each time.
    fn items(&mut self, random: &mut ChaCha8Rng) -> Vec<usize>;
    /// Mean loss of a batch and its gradients.
    fn backward(&self, items: &[usize], random: &mut ChaCha8Rng) -> Result<(f64, Gradients)>;
    /// Called after each step, for limits on variables.
    fn after_step(&self) -> Result<()> {
        Ok(())
    }
    /// What chooses the best epoch, larger is better, and further figures. On validation data only.
    fn validate(&self) -> Result<(f64, BTreeMap<String, f64>)>;
    /// Saves the present weights as the best so far.
    fn save(&self) -> Result<()>;
}

/// Trains until all epochs are done, from where the session stands. Returns the last report, `None` if nothing was left
/// to do.
pub fn run_epochs(
    objective: &mut dyn Objective,
    weights: &[(String, Var)],
    session: &mut Session,
    settings: LoopSettings,
) -> Result<Option<EpochReport>> {
    let decay = AdamWSettings { weight_decay: settings.weight_decay, ..AdamWSettings::default() };
    let mut optimizer = AdamW::new(weights.to_vec(), decay)?;
    let done = session.resume(weights, &mut optimizer)?;
    let mut last = None;
    for epoch in done + 1..=settings.epochs {
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
        let mut bar = TrainingBar::new(objective.name(), epoch, settings.epochs, steps);
        let mut loss_sum = 0.0;
        let mut learning_rate = 0.0;
        for (number, batch) in items.chunks(settings.batch).enumerate() {
            let (loss, mut gradients) = objective.backward(batch, &mut random)?;
            gradients.clip(settings.clip_norm)?;
            learning_rate = schedule.at((epoch - 1) * steps + number);
            optimizer.step(&gradients, learning_rate)?;
            objective.after_step()?;
            loss_sum += loss;
            bar.step(loss);
        }
        let (validation, figures) = objective.validate()?;
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
        bar.finish(&report);
        if session.is_best(validation) {
            objective.save()?;
        }
        session.finish_epoch(&report, weights, &optimizer)?;
        last = Some(report);
    }
    Ok(last)
}

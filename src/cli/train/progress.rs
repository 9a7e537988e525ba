//! Progress of a training: a bar on a terminal, one line per epoch elsewhere.

use crate::cli::interrupt::InterruptFlag;
use crate::output::say;
use crate::training::{EpochReport, TrainingEvent, TrainingWatcher};
use indicatif::{ProgressBar, ProgressStyle};
use std::cell::RefCell;

/// Shows a training on standard error and stops it at an interrupt.
pub(super) struct TrainingProgress {
    pub(super) interrupt: InterruptFlag,
    bar: RefCell<Option<EpochBar>>,
}

impl TrainingProgress {
    pub(super) fn new(interrupt: InterruptFlag) -> Self {
        Self { interrupt, bar: RefCell::new(None) }
    }
}

impl TrainingWatcher for TrainingProgress {
    fn interrupted(&self) -> bool {
        self.interrupt.is_set()
    }

    fn notify(&self, event: TrainingEvent<'_>) {
        let mut bar = self.bar.borrow_mut();
        match event {
            TrainingEvent::Note(text) => say(text),
            TrainingEvent::EpochStarted { stage, epoch, epochs, steps, steps_done } => {
                *bar = Some(EpochBar::new(stage, epoch, epochs, steps, steps_done));
            }
            TrainingEvent::Step { loss, figures } => {
                if let Some(bar) = bar.as_mut() {
                    bar.step(loss, figures);
                }
            }
            TrainingEvent::EpochFinished { report, epochs } => {
                if let Some(EpochBar { bar, .. }) = bar.take() {
                    bar.finish_and_clear();
                }
                // A log that is full or closed does not end the training.
                say(&epoch_line(report, epochs));
            }
        }
    }
}

/// A bar with loss and time left; drawn on a terminal only.
struct EpochBar {
    bar: ProgressBar,
    smoothed: Option<f64>,
}

impl EpochBar {
    fn new(stage: &str, epoch: usize, epochs: usize, steps: usize, steps_done: usize) -> Self {
        // One bar over all epochs: the time left is that of the whole training.
        let bar = ProgressBar::new((steps * epochs) as u64);
        if let Ok(style) = ProgressStyle::with_template("{prefix} {wide_bar} {pos}/{len}  {msg}  {eta} left") {
            bar.set_style(style);
        }
        bar.set_prefix(format!("{stage} {epoch}/{epochs}"));
        bar.set_position(((epoch - 1) * steps + steps_done) as u64);
        bar.reset_eta();
        Self { bar, smoothed: None }
    }

    /// Shows a running mean of the loss.
    fn step(&mut self, loss: f64, figures: &str) {
        let smoothed = self.smoothed.map_or(loss, |before| 0.95 * before + 0.05 * loss);
        self.smoothed = Some(smoothed);
        self.bar.set_message(format!("loss {smoothed:.4}{figures}"));
        self.bar.inc(1);
    }
}

fn epoch_line(report: &EpochReport, epochs: usize) -> String {
    let mut figures = String::new();
    for (name, value) in &report.figures {
        figures.push_str(&format!("  {name} {value:.4}"));
    }
    format!(
        "{} epoch {}/{epochs}  loss {:.4}  validation {:.4}{figures}  {:.0} s",
        report.stage, report.epoch, report.loss, report.validation, report.seconds
    )
}

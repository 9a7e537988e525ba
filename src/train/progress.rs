//! Progress of an epoch: a bar on a terminal, one line per epoch elsewhere.

use super::session::EpochReport;
use crate::output::say;
use indicatif::{ProgressBar, ProgressStyle};

/// A bar with loss and time left; drawn on standard error and only on a terminal.
pub struct TrainingBar {
    bar: ProgressBar,
    smoothed: Option<f64>,
    epochs: usize,
}

impl TrainingBar {
    /// Starts the bar of one epoch.
    pub fn new(what: &str, epoch: usize, epochs: usize, steps: usize) -> Self {
        // One bar over all epochs: the time left is that of the whole training.
        let bar = ProgressBar::new((steps * epochs) as u64);
        if let Ok(style) = ProgressStyle::with_template("{prefix} {wide_bar} {pos}/{len}  {msg}  {eta} left") {
            bar.set_style(style);
        }
        bar.set_prefix(format!("{what} {epoch}/{epochs}"));
        bar.set_position(((epoch - 1) * steps) as u64);
        bar.reset_eta();
        Self { bar, smoothed: None, epochs }
    }

    /// Steps that an earlier run took.
    pub fn skip(&self, steps: usize) {
        self.bar.inc(steps as u64);
        self.bar.reset_eta();
    }

    /// One step with its loss, of which the bar shows a running mean, and a note.
    pub fn step(&mut self, loss: f64, note: &str) {
        let smoothed = self.smoothed.map_or(loss, |before| 0.95 * before + 0.05 * loss);
        self.smoothed = Some(smoothed);
        self.bar.set_message(format!("loss {smoothed:.4}{note}"));
        self.bar.inc(1);
    }

    /// Ends the bar and leaves one line.
    pub fn finish(&self, report: &EpochReport) {
        self.bar.finish_and_clear();
        let mut figures = String::new();
        for (name, value) in &report.figures {
            figures.push_str(&format!("  {name} {value:.4}"));
        }
        let line = format!(
            "{} epoch {}/{}  loss {:.4}  validation {:.4}{figures}  {:.0} s",
            report.stage, report.epoch, self.epochs, report.loss, report.validation, report.seconds
        );
        // A log that is full or closed does not end the training.
        say(&line);
    }
}

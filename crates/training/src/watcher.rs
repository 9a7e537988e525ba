//! Progress events of a training, and its interruption.

use super::session::EpochReport;

/// Follows a training. The library prints nothing: `dissent train` draws a bar from these events.
pub trait TrainingWatcher {
    /// Should the training stop after the present step?
    fn interrupted(&self) -> bool;
    /// Handles one event; must return soon, because the training waits for it.
    fn notify(&self, event: TrainingEvent<'_>);
}

/// One event of a training.
#[derive(Clone, Copy, Debug)]
pub enum TrainingEvent<'a> {
    /// A remark for the user, one line.
    Note(&'a str),
    /// An epoch, counted from 1, begins; an interrupted run already took `steps_done` of its steps.
    EpochStarted { stage: &'a str, epoch: usize, epochs: usize, steps: usize, steps_done: usize },
    /// A step was taken. Reports the mean loss of its batch, and figures of the stage as text.
    Step { loss: f64, figures: &'a str },
    /// An epoch and its validation are done.
    EpochFinished { report: &'a EpochReport, epochs: usize },
}

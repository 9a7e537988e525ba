//! What a training tells about itself while it runs, and what stops it.

use super::session::EpochReport;

/// Follows a training. The library prints nothing: `dissent train` draws a bar from these events.
pub trait TrainingWatcher {
    /// Whether the training shall stop after the present step.
    fn interrupted(&self) -> bool;
    /// Takes one event; must return soon, as the training waits for it.
    fn notify(&self, event: TrainingEvent<'_>);
}

/// One event of a training.
#[derive(Clone, Copy, Debug)]
pub enum TrainingEvent<'a> {
    /// A remark for the user, one line.
    Note(&'a str),
    /// An epoch, counted from 1, begins; `steps_done` of its steps were taken by an interrupted run.
    EpochStarted { stage: &'a str, epoch: usize, epochs: usize, steps: usize, steps_done: usize },
    /// A step was taken: mean loss of its batch, and figures of the stage in words.
    Step { loss: f64, figures: &'a str },
    /// An epoch and its validation are done.
    EpochFinished { report: &'a EpochReport, epochs: usize },
}

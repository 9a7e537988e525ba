//! Settings of a pool: stage, size, seed.

use crate::data::Task;
use crate::phantom::tasks::{attribute_tasks, grade_task, malignancy_task, yes_no_task};

/// The stage of pre-training that a pool is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Stage {
    /// Documents whose captions say the signs and nothing else
    Signs,
    /// Documents with whole captions; half of them end in a random outcome
    Captions,
    /// Closed-book cases: one attribute of one image each
    ReaderQuestions,
    /// Cases with one reference document each (pairs.jsonl), random outcomes
    ReaderEvidence,
}

/// A pool to write.
#[derive(Clone, Debug, PartialEq)]
pub struct Pool {
    pub stage: Stage,
    /// Training documents, images or pairs; a few more are held out for validation.
    pub count: usize,
    pub seed: u64,
    /// Share of fundus phantoms; the rest is ultrasound.
    pub fundus_share: f32,
    /// Evidence: probability that the outcome shown is malignant.
    pub shown_malignant: f32,
    /// Evidence: probability of gold `No` if the reference case shows another entity (.5 means no leaning).
    pub default_no: f32,
}

impl Pool {
    /// A pool with the recipe's settings (P4b for evidence).
    pub fn new(stage: Stage, count: usize, seed: u64) -> Self {
        Self { stage, count, seed, fundus_share: 0.25, shown_malignant: 0.4, default_no: 0.6 }
    }

    /// Items held out for validation: a twentieth, at most 200.
    pub fn held_out(&self) -> usize {
        (self.count / 20).clamp(1, 200)
    }

    pub(super) fn name(&self) -> &'static str {
        match self.stage {
            Stage::Signs => "phantom pool: signs",
            Stage::Captions => "phantom pool: captions",
            Stage::ReaderQuestions => "phantom pool: reader questions",
            Stage::ReaderEvidence => "phantom pool: reader evidence",
        }
    }

    pub(super) fn tasks(&self) -> Vec<Task> {
        match self.stage {
            Stage::Signs | Stage::Captions | Stage::ReaderQuestions => attribute_tasks(),
            Stage::ReaderEvidence => vec![
                malignancy_task(),
                yes_no_task("same-margin", "Same margin?"),
                yes_no_task("same-interior", "Same interior?"),
                grade_task(),
                yes_no_task("same-grade", "Same grade?"),
            ],
        }
    }
}

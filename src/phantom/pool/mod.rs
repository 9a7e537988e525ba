//! Training pools: as many phantoms as wanted, from seeds of their own, without knowledge of any site's outcomes.
//!
//! A pool is an ordinary dataset directory, one for each stage of pre-training: the towers must have seen the faint signs
//! before captions that are mostly about nuisances (recipe, dead end 1), and the reader learns "use the reference
//! case if it matches" from random outcomes (recipe, P4).

mod evidence;
mod folder;
mod questions;

use super::encode::Effort;
use super::rng::PhantomRng;
use super::subject::Subject;
use super::tasks::{attribute_tasks, grade_task, malignancy_task, yes_no_task};
use crate::data::{Document, Split, Task};
use anyhow::{Result, ensure};
use evidence::evidence_item;
pub use folder::PAIRS_FILE;
use folder::{Item, write_folder};
use questions::{Asked, question_cases};
use rayon::prelude::*;
use std::path::Path;

/// What a pool teaches.
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
    /// Evidence: probability of gold `No` where the reference case is of another entity (.5 leans nowhere).
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

    /// Writes the pool to `out`, which must not exist or be empty.
    pub fn write(&self, out: &Path) -> Result<()> {
        ensure!(self.count > 0, "expected a count of 1 or more, found 0");
        for (name, value) in [
            ("fundus share", self.fundus_share),
            ("shown malignant", self.shown_malignant),
            ("default no", self.default_no),
        ] {
            ensure!((0.0..=1.0).contains(&value), "expected {name} from 0 to 1, found {value}");
        }
        let total = self.count + self.held_out();
        write_folder(out, self.name(), self.tasks(), total, |index| self.item(index))
    }

    fn name(&self) -> &'static str {
        match self.stage {
            Stage::Signs => "phantom pool: signs",
            Stage::Captions => "phantom pool: captions",
            Stage::ReaderQuestions => "phantom pool: reader questions",
            Stage::ReaderEvidence => "phantom pool: reader evidence",
        }
    }

    fn tasks(&self) -> Vec<Task> {
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

    /// The item of this number: its own stream of random numbers, so that the order of drawing does not matter.
    fn item(&self, index: usize) -> Result<Item> {
        let mut rng = PhantomRng::new(self.seed, stream(self.stage, index));
        let split = if index < self.count { Split::Train } else { Split::Validation };
        if self.stage == Stage::ReaderEvidence {
            return evidence_item(self, index, split, &mut rng);
        }
        let subject = Subject::draw(self.fundus_share, &mut rng);
        let name = numbered_image("", index);
        let mut item = Item::default();
        item.images.push((name.clone(), subject.png(Effort::Quick, &mut rng)?));
        let caption = match self.stage {
            Stage::Signs => subject.sign_caption(),
            _ => subject.pool_caption(&mut rng),
        };
        let document = Document {
            id: format!("d{index:06}"),
            image: name.clone().into(),
            caption,
            source: Some(subject.source().into()),
            group: None,
        };
        // A dataset has cases and documents: what is held out of a pool of documents is asked about, and what is held
        // out of a pool of questions also has a report.
        match (self.stage, split) {
            (Stage::ReaderQuestions, Split::Train) => {
                item.cases = question_cases(&subject, index, &name, split, Asked::SignsAndSomeNuisances, &mut rng);
            }
            (Stage::ReaderQuestions, _) => {
                item.cases = question_cases(&subject, index, &name, split, Asked::SignsAndSomeNuisances, &mut rng);
                item.documents.push(document);
            }
            (_, Split::Train) => item.documents.push(document),
            _ => item.cases = question_cases(&subject, index, &name, split, Asked::SignsOnly, &mut rng),
        }
        Ok(item)
    }
}

/// Pools take streams that no part of the sample takes, so that they differ from it under the same seed too.
fn stream(stage: Stage, index: usize) -> u64 {
    ((0x100 + stage as u64) << 40) | index as u64
}

/// Image file of an item; a folder holds a thousand.
fn numbered_image(prefix: &str, index: usize) -> String {
    format!("images/{:03}/{prefix}{index:06}.png", index / 1000)
}

/// Draws items side by side, in order.
fn draw_items(indices: std::ops::Range<usize>, item: &(impl Fn(usize) -> Result<Item> + Sync)) -> Result<Vec<Item>> {
    indices.into_par_iter().map(item).collect()
}

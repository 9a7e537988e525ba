//! Training pools: any number of phantoms, drawn from separate seeds, without the outcomes of any site.
//!
//! A pool is an ordinary dataset directory, one for each stage of pre-training. The encoders must see the faint signs
//! before captions that mostly mention nuisances (recipe, dead end 1). The reader learns "use the reference case if
//! it matches" from random outcomes (recipe, P4).

mod evidence;
mod folder;
mod questions;
mod settings;

use super::encode::Effort;
use super::rng::PhantomRng;
use super::subject::Subject;
use crate::data::{Document, Split};
use anyhow::{Result, ensure};
use evidence::evidence_item;
pub use folder::PAIRS_FILE;
use folder::{Item, numbered_image, write_folder};
use questions::{Asked, question_cases};
pub use settings::{Pool, Stage};
use std::path::Path;

impl Pool {
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

    /// Draws the item with this number from its own random stream, so the order of drawing does not matter.
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
        // A dataset needs both cases and documents. The held-out items of a pool of documents are therefore cases,
        // and the held-out items of a pool of questions also have a document.
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

/// Streams of pools differ from all streams of the sample, so the two never draw the same phantom from one seed.
fn stream(stage: Stage, index: usize) -> u64 {
    ((0x100 + stage as u64) << 40) | index as u64
}

//! The data of the embedded sample, drawn from one seed.
//!
//! ```text
//! OUT/dataset/    what is explored: ultrasound of site B (validation, test), fundus (validation, test)
//! OUT/training/   for training on the sample itself: ultrasound of site A (train, validation), fundus (train, validation)
//! OUT/entities.csv   which signs each image shows, for measuring retrieval; read as a control of training only
//! ```
//!
//! Both datasets have the same corpus of images. Its captions end in site A's outcomes in `training` and in site B's
//! in `dataset`. `training` refers to images in `dataset`, so the two must stay side by side.

mod lesions;
mod part;

use super::encode::Effort;
use super::rng::PhantomRng;
use super::sites::{OutcomeTable, Sites};
use super::subject::Subject;
use super::tasks::{GRADE, MALIGNANCY, grade_task, malignancy_task, yes_or_no};
use super::ultrasound::Outcome;
use super::wording::Wording;
use super::{LICENCE, fundus, ultrasound};
use crate::data::{Case, DatasetWriter, Document, Existing, Manifest, Split};
use crate::files::durable::write_file;
use anyhow::{Context, Result};
pub use lesions::lesion_covers;
use part::{Part, Phantom};
use rayon::prelude::*;
use std::fmt::Write;
use std::path::{Path, PathBuf};

/// Seed of the sample in the repository.
pub const DEFAULT_SEED: u64 = 2026;
/// Folder of the dataset that is explored.
pub const DATASET: &str = "dataset";
/// Folder of the dataset that the retriever's heads learn from. Encoder and reader are trained on pools with other
/// seeds.
pub const TRAINING: &str = "training";

const NOTE: &str = "Synthetic images: no patient, no diagnosis. Two sites differ on purpose: what is malignant at site A \
     need not be at site B, whose cases and corpus these are. Encoder and reader were taught neither site's outcomes; only \
     the retrieved evidence tells.";
const TRAINING_NOTE: &str = "Synthetic images: no patient, no diagnosis. Ultrasound as reported at site A; site B, where \
     models are evaluated, differs on purpose. The embedded encoder and reader have not seen these cases; the trained \
     retriever has learned from them.";

/// Draws the sample and writes it to `out`.
///
/// # Errors
/// Fails if a dataset is there and may not be replaced, or the disk is full.
pub fn write_sample(out: &Path, seed: u64, existing: Existing) -> Result<()> {
    let mut rng = PhantomRng::new(seed, 0);
    let sites = Sites::draw(&mut rng);
    let mut phantoms: Vec<Phantom> = Vec::new();
    for part in Part::ALL {
        phantoms.extend(part.phantoms(&sites, seed));
    }
    let pictures: Vec<Vec<u8>> = phantoms
        .par_iter()
        .map(|phantom| phantom.subject.png(Effort::Small, &mut phantom.picture_rng(seed)))
        .collect::<Result<_>>()?;

    let mut dataset = DatasetWriter::create(&out.join(DATASET), existing)?;
    for (phantom, bytes) in phantoms.iter().zip(&pictures) {
        if !phantom.part.in_dataset() {
            continue;
        }
        let image = dataset.image(&phantom.file(), bytes)?;
        match phantom.part.split() {
            None => dataset.document(&document(phantom, image, &sites.b, "ultrasound-b", seed))?,
            Some(split) => dataset.case(&case(phantom, image, &sites.b, split))?,
        }
    }
    dataset.finish(&manifest("phantoms, site B", NOTE)).context("cannot finish the sample's dataset")?;

    // Written second, because its corpus points at the images of the first.
    let mut training = DatasetWriter::create(&out.join(TRAINING), existing)?;
    for (phantom, bytes) in phantoms.iter().zip(&pictures) {
        if !phantom.part.in_training() {
            continue;
        }
        let image = if phantom.part.in_dataset() {
            PathBuf::from(format!("../{DATASET}/images/{}", phantom.file()))
        } else {
            training.image(&phantom.file(), bytes)?
        };
        match phantom.part.split() {
            None => training.document(&document(phantom, image, &sites.a, "ultrasound-a", seed))?,
            Some(split) => training.case(&case(phantom, image, &sites.a, split))?,
        }
    }
    training
        .finish(&manifest("phantoms, site A", TRAINING_NOTE))
        .context("cannot finish the sample's training data")?;
    write_file(&out.join("entities.csv"), entities(&phantoms)?.as_bytes())
}

fn manifest(name: &str, note: &str) -> Manifest {
    Manifest {
        name: name.into(),
        licence: Some(LICENCE.into()),
        note: Some(note.into()),
        only: None,
        tasks: vec![malignancy_task(), grade_task()],
    }
}

/// The document as this site reports it. Both sites use the same words; only the outcome differs.
fn document(phantom: &Phantom, image: PathBuf, site: &OutcomeTable, source: &str, seed: u64) -> Document {
    let mut rng = phantom.caption_rng(seed);
    let (caption, source) = match &phantom.subject {
        Subject::Ultrasound(shown) => {
            let outcome = site.outcome(shown.entity);
            (ultrasound::caption(shown, &Wording::CORPUS, Some(outcome), &mut rng), source)
        }
        Subject::Fundus(shown) => (fundus::caption(shown, &Wording::CORPUS, true, &mut rng), "fundus"),
    };
    Document { id: phantom.id(), image, caption, source: Some(source.into()), group: None }
}

/// The case with its gold answer at this site.
fn case(phantom: &Phantom, image: PathBuf, site: &OutcomeTable, split: Split) -> Case {
    let (task, answer) = match &phantom.subject {
        Subject::Ultrasound(shown) => (MALIGNANCY, yes_or_no(site.outcome(shown.entity) == Outcome::Malignant)),
        Subject::Fundus(shown) => (GRADE, shown.grade.word()),
    };
    Case {
        id: phantom.id(),
        task: task.into(),
        split,
        image,
        question: None,
        answer: answer.into(),
        // Every phantom is a separate patient.
        unknown: Vec::new(),
        group: None,
    }
}

fn entities(phantoms: &[Phantom]) -> Result<String> {
    let mut text = String::from("id,signs\n");
    for phantom in phantoms {
        match &phantom.subject {
            Subject::Ultrasound(shown) => {
                writeln!(text, "{},{} {}", phantom.id(), shown.entity.margin.word(), shown.entity.interior.word())?;
            }
            Subject::Fundus(shown) => writeln!(text, "{},grade {}", phantom.id(), shown.grade.word())?,
        }
    }
    Ok(text)
}

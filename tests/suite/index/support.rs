//! A small dataset and an encoder whose vectors are easy to know.

use crate::support::dataset::{self as kit, case, closed_task, document, manifest};
use crate::support::pictures::write_picture;
use anyhow::Result;
use dissent::data::{Case, Dataset, Document};
use dissent::files::fingerprint::Fingerprint;
use dissent::index::Embedder;
use image::RgbImage;
use std::cell::Cell;
use std::path::Path;

pub const EVERYTHING: &dyn Fn(usize) -> bool = &|_| true;

/// Pictures become their first pixel, texts their numbers of the letters a, e, i and o; both at length 1.
pub struct LetterEncoder {
    pub fingerprint: Fingerprint,
    /// Pictures and texts looked at.
    pub looked_at: Cell<usize>,
    /// Factor on every vector; anything but 1 is a fault.
    pub factor: f32,
}

impl LetterEncoder {
    pub fn new(name: &str) -> Self {
        Self { fingerprint: Fingerprint::of_bytes(name.as_bytes()), looked_at: Cell::new(0), factor: 1.0 }
    }

    fn unit(&self, values: [f32; 4]) -> Vec<f32> {
        self.looked_at.set(self.looked_at.get() + 1);
        let length = values.iter().map(|value| value * value).sum::<f32>().sqrt();
        values.iter().map(|value| value / length * self.factor).collect()
    }
}

impl Embedder for LetterEncoder {
    fn embed_pictures(&self, pictures: &[&RgbImage]) -> Result<Vec<Vec<f32>>> {
        let pixel = |picture: &&RgbImage| picture.get_pixel(0, 0).0.map(f32::from);
        Ok(pictures.iter().map(pixel).map(|[red, green, blue]| self.unit([red, green, blue, 1.0])).collect())
    }

    fn embed_texts(&self, texts: &[&str]) -> Result<Vec<Vec<f32>>> {
        let count = |text: &str, letter: char| text.chars().filter(|found| *found == letter).count() as f32;
        let counts = |text: &&str| ['a', 'e', 'i', 'o'].map(|letter| count(text, letter) + 0.1);
        Ok(texts.iter().map(counts).map(|values| self.unit(values)).collect())
    }

    fn dimension(&self) -> usize {
        4
    }

    fn fingerprint(&self) -> &Fingerprint {
        &self.fingerprint
    }

    fn name(&self) -> &'static str {
        "letters"
    }
}

/// Captions, sources and groups of the small corpus.
pub const CAPTIONS: [(&str, &str); 6] = [
    ("Large left pleural effusion with atelectasis.", "roco"),
    ("Normal chest radiograph, no pleural effusion.", "roco"),
    ("Bilateral effusions and pleural thickening.", "mimic"),
    ("Right upper lobe pneumonia.", "mimic"),
    ("Effusion of the knee joint.", "roco"),
    ("Fracture of the left clavicle — no pneumothorax.", "mimic"),
];

/// A dataset directory with six documents, each a picture of one colour, and one case.
pub fn write_dataset(root: &Path) {
    let effusion = closed_task("effusion", "Is there an effusion?", [("Yes", "yes"), ("No", "no")]);
    let case = Case { image: "images/query.png".into(), group: Some("p1".into()), ..case("c1", "effusion", "Yes") };
    let mut corpus = documents();
    for (row, document) in corpus.iter_mut().enumerate() {
        document.group = Some(format!("p{}", row + 1));
    }
    kit::write_dataset(root, &manifest("small", vec![effusion]), &[case], &corpus);
    write_picture(root, "images/query.png", [250, 10, 10]);
    for (document, row) in corpus.iter().zip(0_u8..) {
        write_picture(root, document.image.to_str().unwrap(), [255 - 40 * row, 40 * row, 20]);
    }
}

/// The captions as documents.
pub fn documents() -> Vec<Document> {
    let of = |(row, (caption, source)): (usize, &(&str, &str))| Document {
        source: Some((*source).into()),
        ..document(&format!("d{row}"), caption)
    };
    CAPTIONS.iter().enumerate().map(of).collect()
}

/// The small dataset, opened, in a folder of its own.
pub fn small_dataset() -> (tempfile::TempDir, Dataset) {
    let folder = tempfile::tempdir().unwrap();
    write_dataset(folder.path());
    let dataset = Dataset::open(folder.path()).unwrap();
    (folder, dataset)
}

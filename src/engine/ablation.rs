//! What a run withholds from the reader, to see whether it uses what it is given (paper, ablations; reference.md §5.1).

use crate::data::Dataset;
use crate::fingerprint::Fingerprint;
use anyhow::{Result, bail};
use std::collections::HashMap;
use std::fmt;
use std::str::FromStr;

/// Changes to the evidence; the default changes nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Ablation {
    pub caption: CaptionShown,
    /// The document's image is left out of the prompt.
    pub without_image: bool,
    /// Each hit is replaced by a document drawn at random among those that the case may see.
    pub random_documents: bool,
}

/// Which caption the reader is shown with a document.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum CaptionShown {
    #[default]
    Own,
    /// An empty one.
    None,
    /// That of a document whose caption names another label: it contradicts the image.
    Swapped,
}

const NO_CAPTION: &str = "no-caption";
const NO_IMAGE: &str = "no-image";
const SWAPPED_CAPTIONS: &str = "swapped-captions";
const RANDOM_DOCUMENTS: &str = "random-documents";

impl Ablation {
    /// Is the evidence shown as it was retrieved?
    pub fn is_none(&self) -> bool {
        *self == Self::default()
    }
}

impl fmt::Display for Ablation {
    /// "no-caption, no-image", or "none".
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut words = Vec::new();
        match self.caption {
            CaptionShown::Own => {}
            CaptionShown::None => words.push(NO_CAPTION),
            CaptionShown::Swapped => words.push(SWAPPED_CAPTIONS),
        }
        if self.without_image {
            words.push(NO_IMAGE);
        }
        if self.random_documents {
            words.push(RANDOM_DOCUMENTS);
        }
        formatter.write_str(if words.is_empty() { "none".to_owned() } else { words.join(", ") }.as_str())
    }
}

impl FromStr for Ablation {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> Result<Self> {
        let mut ablation = Self::default();
        for word in text.split(',').map(str::trim).filter(|word| *word != "none") {
            match word {
                NO_CAPTION => ablation.caption = CaptionShown::None,
                SWAPPED_CAPTIONS => ablation.caption = CaptionShown::Swapped,
                NO_IMAGE => ablation.without_image = true,
                RANDOM_DOCUMENTS => ablation.random_documents = true,
                other => bail!(
                    "{other:?} is no ablation; expected {NO_CAPTION}, {SWAPPED_CAPTIONS}, {NO_IMAGE} or {RANDOM_DOCUMENTS}"
                ),
            }
        }
        Ok(ablation)
    }
}

/// Which caption stands beside which document's image; the same for the same dataset.
#[derive(Debug)]
pub struct ShownCaptions {
    caption: CaptionShown,
    /// Per task with swapped captions: of each corpus row the row whose caption is shown.
    swapped: HashMap<String, Vec<usize>>,
}

impl ShownCaptions {
    /// Looks for contradicting captions where those are wanted.
    pub fn new(dataset: &Dataset, caption: CaptionShown) -> Self {
        let mut swapped = HashMap::new();
        if caption == CaptionShown::Swapped {
            for task in &dataset.tasks {
                let named: Vec<Option<usize>> =
                    dataset.corpus.iter().map(|document| task.label_named_in(&document.caption)).collect();
                let rows = (0..named.len()).map(|row| contradicting_row(dataset, &named, row)).collect();
                swapped.insert(task.id.clone(), rows);
            }
        }
        Self { caption, swapped }
    }

    /// The caption that a case of this task is shown with the document in this row; `None` is none at all. A document whose
    /// own caption names no label keeps it.
    pub fn of<'a>(&self, dataset: &'a Dataset, task: &str, row: usize) -> Option<&'a str> {
        let row = match self.caption {
            CaptionShown::None => return None,
            CaptionShown::Own => row,
            CaptionShown::Swapped => self.swapped.get(task).and_then(|rows| rows.get(row)).copied().unwrap_or(row),
        };
        dataset.corpus.get(row).map(|document| document.caption.as_str())
    }
}

/// A row of the same source, where there is one, that names another label, drawn by the document's id.
fn contradicting_row(dataset: &Dataset, named: &[Option<usize>], row: usize) -> usize {
    let Some(own) = named[row] else { return row };
    let document = &dataset.corpus[row];
    let others = |same_source: bool| -> Vec<usize> {
        let contradicts = |other: &usize| {
            named[*other].is_some_and(|label| label != own)
                && (!same_source || dataset.corpus[*other].source == document.source)
        };
        (0..named.len()).filter(contradicts).collect()
    };
    let mut candidates = others(true);
    if candidates.is_empty() {
        candidates = others(false);
    }
    match candidates.len() {
        0 => row,
        count => candidates[draw(&document.id, count)],
    }
}

/// A number below `count` (at least 1), the same for the same text.
fn draw(text: &str, count: usize) -> usize {
    let print = Fingerprint::of_bytes(text.as_bytes());
    let number = u64::from_str_radix(print.as_str(), 16).unwrap_or_default();
    (number % count as u64) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ablation_reads_back_from_its_words() {
        let both = Ablation { caption: CaptionShown::None, without_image: true, random_documents: false };
        assert_eq!(both.to_string(), "no-caption, no-image");
        assert_eq!(both.to_string().parse::<Ablation>().unwrap(), both);
        assert_eq!("none".parse::<Ablation>().unwrap(), Ablation::default());
        assert!("no-captions".parse::<Ablation>().unwrap_err().to_string().contains("expected no-caption"));
    }
}

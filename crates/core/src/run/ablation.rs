//! Ablations of the evidence: a run withholds part of it to show whether the reader uses it (docs/method.md, "Runs to
//! compare").

use crate::data::{Dataset, Task};
use crate::files::fingerprint::Fingerprint;
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
    /// Each hit is replaced by a random document among those that the case may see.
    pub random_documents: bool,
}

/// The caption that the reader sees with a document.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum CaptionShown {
    #[default]
    Own,
    /// An empty caption.
    None,
    /// The caption of a document that names another label, so that it contradicts the image.
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
                    "{other:?} is not an ablation; expected {NO_CAPTION}, {SWAPPED_CAPTIONS}, {NO_IMAGE} or {RANDOM_DOCUMENTS}"
                ),
            }
        }
        Ok(ablation)
    }
}

/// The caption shown with each document's image; the same for the same dataset.
#[derive(Debug)]
pub struct ShownCaptions {
    caption: CaptionShown,
    /// [`contradicting_rows`] by task id; filled only if captions are swapped.
    swapped: HashMap<String, Vec<Option<usize>>>,
}

impl ShownCaptions {
    /// Finds contradicting captions if the ablation swaps captions.
    pub fn new(dataset: &Dataset, caption: CaptionShown) -> Self {
        let mut swapped = HashMap::new();
        if caption == CaptionShown::Swapped {
            for task in &dataset.tasks {
                swapped.insert(task.id.clone(), contradicting_rows(dataset, task));
            }
        }
        Self { caption, swapped }
    }

    /// The caption that a case of this task sees with the document in this row; `None` if captions are withheld. A
    /// document whose own caption names no label keeps it.
    pub fn of<'a>(&self, dataset: &'a Dataset, task: &str, row: usize) -> Option<&'a str> {
        dataset.corpus.get(self.row_of(task, row)?).map(|document| document.caption)
    }

    /// The row of the document whose caption is shown.
    pub fn row_of(&self, task: &str, row: usize) -> Option<usize> {
        match self.caption {
            CaptionShown::None => None,
            CaptionShown::Own => Some(row),
            CaptionShown::Swapped => {
                Some(self.swapped.get(task).and_then(|rows| rows.get(row)).copied().flatten().unwrap_or(row))
            }
        }
    }
}

/// For each corpus row: a row of the same source whose caption names another label of the task, drawn by the document's
/// id. `None` if the row's own caption names no label, or no caption of the source names another one. Takes time in
/// proportion to rows and labels.
pub fn contradicting_rows(dataset: &Dataset, task: &Task) -> Vec<Option<usize>> {
    let corpus = &dataset.corpus;
    let named: Vec<Option<usize>> = corpus.iter().map(|document| task.label_named_in(document.caption)).collect();
    let mut of_source: HashMap<Option<&str>, Vec<usize>> = HashMap::new();
    let mut of_all = Vec::new();
    for (row, document) in corpus.iter().enumerate() {
        if named[row].is_some() {
            of_source.entry(document.source).or_default().push(row);
            of_all.push(row);
        }
    }
    // Rows that name another label: collected once per source and label, not once per row.
    let mut others: HashMap<(Option<&str>, usize), Vec<usize>> = HashMap::new();
    let mut contradicting = Vec::with_capacity(corpus.len());
    for (document, own) in corpus.iter().zip(&named) {
        let Some(own) = *own else {
            contradicting.push(None);
            continue;
        };
        let source = document.source;
        let candidates = others.entry((source, own)).or_insert_with(|| {
            let among = |rows: &[usize]| -> Vec<usize> {
                rows.iter().copied().filter(|row| named[*row].is_some_and(|label| label != own)).collect()
            };
            let same_source = of_source.get(&source).map(|rows| among(rows)).unwrap_or_default();
            if same_source.is_empty() { among(&of_all) } else { same_source }
        });
        contradicting.push((!candidates.is_empty()).then(|| candidates[draw(document.id, candidates.len())]));
    }
    contradicting
}

/// A pseudo-random number below `count` (at least 1); the same for the same text.
fn draw(text: &str, count: usize) -> usize {
    let print = Fingerprint::of_bytes(text.as_bytes());
    let number = u64::from_str_radix(print.as_str(), 16).unwrap_or_default();
    (number % count as u64) as usize
}

#[cfg(test)]
mod tests {
    use crate::data::{Document, Label, Manifest, PromptTemplate, TaskKind};
    use crate::run::ablation::*;

    fn dataset(captions: &[(&str, &str)]) -> Dataset {
        let task = Task {
            id: "finding".into(),
            kind: TaskKind::Classification,
            question: None,
            labels: vec![Label::new("n", "nodule"), Label::new("c", "cyst"), Label::new("f", "fracture")],
            prompt: PromptTemplate::default(),
        };
        let manifest = Manifest::new("films", vec![task]);
        let document = |(row, (source, caption)): (usize, &(&str, &str))| Document {
            id: format!("d{row}"),
            image: "film.png".into(),
            caption: (*caption).to_owned(),
            source: Some((*source).to_owned()),
            group: None,
        };
        Dataset::new(
            std::path::Path::new("."),
            manifest,
            Vec::new(),
            captions.iter().enumerate().map(document).collect(),
        )
    }

    #[test]
    fn a_swapped_caption_names_another_label_from_the_same_source_where_there_is_one() {
        let captions = [
            ("north", "a nodule"),
            ("north", "a cyst"),
            ("north", "nothing of note"),
            ("north", "a fracture"),
            ("south", "a cyst"),
            ("south", "another cyst"),
        ];
        let dataset = dataset(&captions);
        let task = &dataset.tasks[0];
        let named = |row: usize| task.label_named_in(dataset.corpus.document(row).caption);
        for (row, other) in contradicting_rows(&dataset, task).into_iter().enumerate() {
            let Some(other) = other else {
                assert_eq!(row, 2, "it alone names no label");
                continue;
            };
            assert!(named(other).is_some() && named(other) != named(row), "{row} by {other}");
            // Captions of the south name only cysts.
            assert!(other < 4, "{row} by {other}");
        }
        let alike = self::dataset(&captions[4..]);
        assert_eq!(contradicting_rows(&alike, &alike.tasks[0]), [None, None]);
    }

    #[test]
    fn an_ablation_reads_back_from_its_words() {
        let both = Ablation { caption: CaptionShown::None, without_image: true, random_documents: false };
        assert_eq!(both.to_string(), "no-caption, no-image");
        assert_eq!(both.to_string().parse::<Ablation>().unwrap(), both);
        assert_eq!("none".parse::<Ablation>().unwrap(), Ablation::default());
        assert!("no-captions".parse::<Ablation>().unwrap_err().to_string().contains("expected no-caption"));
    }
}

//! What a run withholds from the reader, to see whether it uses what it is given (paper, ablations; reference.md §5.1).

use crate::data::{Dataset, Task};
use crate::fingerprint::Fingerprint;
use anyhow::{Context, Result, bail};
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
                swapped.insert(task.id.clone(), swapped_rows(dataset, task));
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

/// The caption that contradicts that of the document in this row, as [`ShownCaptions`] has it, for one document alone.
///
/// # Errors
/// Where there is none: the document and the reason are named.
pub fn contradicting_caption<'a>(dataset: &'a Dataset, task: &Task, row: usize) -> Result<&'a str> {
    let document = dataset.corpus.get(row).with_context(|| format!("there is no document number {row}"))?;
    let Some(own) = task.label_named_in(&document.caption) else {
        bail!("no caption contradicts that of {}: it names no label of task {}", document.id, task.id);
    };
    let named = |row: usize| task.label_named_in(&dataset.corpus[row].caption);
    let candidates = contradicting_rows(dataset, &named, document.source.as_deref(), own);
    if candidates.is_empty() {
        bail!("no caption contradicts that of {}: none names another label of task {}", document.id, task.id);
    }
    Ok(&dataset.corpus[candidates[draw(&document.id, candidates.len())]].caption)
}

/// Of each corpus row the row whose caption is shown in its place. Documents of one source that name one label draw from
/// the same rows, which are looked for once.
fn swapped_rows(dataset: &Dataset, task: &Task) -> Vec<usize> {
    let named: Vec<Option<usize>> =
        dataset.corpus.iter().map(|document| task.label_named_in(&document.caption)).collect();
    let mut candidates: HashMap<(Option<&str>, usize), Vec<usize>> = HashMap::new();
    let mut rows = Vec::with_capacity(named.len());
    for (row, document) in dataset.corpus.iter().enumerate() {
        let Some(own) = named[row] else {
            rows.push(row);
            continue;
        };
        let source = document.source.as_deref();
        let others = candidates
            .entry((source, own))
            .or_insert_with(|| contradicting_rows(dataset, &|other| named[other], source, own));
        rows.push(if others.is_empty() { row } else { others[draw(&document.id, others.len())] });
    }
    rows
}

/// The rows that name another label: those of the same source, where there are any, else all.
fn contradicting_rows(
    dataset: &Dataset,
    named: &dyn Fn(usize) -> Option<usize>,
    source: Option<&str>,
    own: usize,
) -> Vec<usize> {
    let contradicts = |row: &usize| named(*row).is_some_and(|label| label != own);
    let of_source = |row: &usize| dataset.corpus[*row].source.as_deref() == source;
    let rows: Vec<usize> = (0..dataset.corpus.len()).filter(of_source).filter(contradicts).collect();
    if rows.is_empty() { (0..dataset.corpus.len()).filter(contradicts).collect() } else { rows }
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

    #[test]
    fn one_swapped_caption_is_the_same_as_among_all_and_one_without_is_named() {
        use crate::data::{Document, Label, Manifest, PromptTemplate, TaskKind};
        let document = |id: &str, caption: &str, source: &str| Document {
            id: id.into(),
            image: "i.png".into(),
            caption: caption.into(),
            source: Some(source.into()),
            group: None,
        };
        let task = Task {
            id: "t".into(),
            kind: TaskKind::ClosedVqa,
            question: None,
            labels: vec![Label::new("cyst", "cyst"), Label::new("mass", "mass")],
            prompt: PromptTemplate::default(),
        };
        let mut corpus = vec![document("plain", "nothing of note", "a")];
        for number in 0..6 {
            let source = if number % 2 == 0 { "a" } else { "b" };
            corpus.push(document(&format!("cyst-{number}"), &format!("a cyst, {number}"), source));
            corpus.push(document(&format!("mass-{number}"), &format!("a mass, {number}"), "a"));
        }
        let manifest = Manifest { name: "n".into(), licence: None, note: None, tasks: vec![task.clone()] };
        let dataset = Dataset::new(std::path::Path::new("."), manifest, Vec::new(), corpus);
        let all = ShownCaptions::new(&dataset, CaptionShown::Swapped);
        for row in 1..dataset.corpus.len() {
            let caption = contradicting_caption(&dataset, &task, row).unwrap();
            assert_eq!(all.of(&dataset, "t", row), Some(caption));
            assert_ne!(task.label_named_in(caption), task.label_named_in(&dataset.corpus[row].caption));
        }
        assert_eq!(all.of(&dataset, "t", 0), Some("nothing of note"));
        let message = contradicting_caption(&dataset, &task, 0).unwrap_err().to_string();
        assert_eq!(message, "no caption contradicts that of plain: it names no label of task t");
    }
}

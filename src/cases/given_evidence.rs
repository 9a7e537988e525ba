//! What the reader was given with a document: its own image and caption, or what replaced them.

use super::Cases;
use crate::data::{Dataset, DocumentView};
use crate::evaluation::UserHit;
use crate::run::{Ablation, CaptionShown, ShownCaptions};

/// Stands in place of an image, and of a caption, that the reader was not given.
pub const IMAGE_WITHHELD: &str = "image withheld";
pub const CAPTION_WITHHELD: &str = "caption withheld";

/// Image and caption that the reader was given with a document.
#[derive(Clone, Copy, Debug)]
pub struct GivenEvidence<'a> {
    pub document: DocumentView<'a>,
    pub has_image: bool,
    pub caption: GivenCaption<'a>,
}

/// The caption that the reader was given.
#[derive(Clone, Copy, Debug)]
pub enum GivenCaption<'a> {
    Own,
    /// That of another document.
    Swapped(DocumentView<'a>),
    Withheld,
    /// That of a document that contradicts it: the reader has not answered yet, so it is not known which.
    Awaited,
    /// The reader could not be asked, for this reason.
    Failed(&'a str),
}

impl<'a> GivenEvidence<'a> {
    /// The document with its own image and caption.
    pub fn whole(document: DocumentView<'a>) -> Self {
        Self { document, has_image: true, caption: GivenCaption::Own }
    }

    /// Whether this is a model in the place of a document: every document has an image.
    pub fn is_model(&self) -> bool {
        self.document.image.as_os_str().is_empty()
    }

    /// The document whose caption the reader was given, if it was given one.
    pub fn caption_document(&self) -> Option<DocumentView<'a>> {
        match self.caption {
            GivenCaption::Own => Some(self.document),
            GivenCaption::Swapped(other) => Some(other),
            GivenCaption::Withheld | GivenCaption::Awaited | GivenCaption::Failed(_) => None,
        }
    }

    /// The caption that the reader was given, if it was given one.
    pub fn caption_text(&self) -> Option<&'a str> {
        self.caption_document().map(|document| document.caption)
    }

    /// The document whose caption stood in the place of this one's.
    pub fn other_document(&self) -> Option<DocumentView<'a>> {
        match self.caption {
            GivenCaption::Swapped(other) => Some(other),
            GivenCaption::Own | GivenCaption::Withheld | GivenCaption::Awaited | GivenCaption::Failed(_) => None,
        }
    }

    /// "caption of us-doc-004:", which stands before a caption that is not the document's own; `None` before another one.
    pub fn caption_source(&self) -> Option<String> {
        self.other_document().map(|other| format!("caption of {}:", other.id))
    }
}

/// What a whole run gives its reader with each document.
#[derive(Debug)]
pub struct RunEvidence {
    ablation: Ablation,
    captions: ShownCaptions,
}

impl RunEvidence {
    /// Finds the swapped captions if the ablation has some.
    pub fn new(dataset: &Dataset, ablation: Ablation) -> Self {
        Self { ablation, captions: ShownCaptions::new(dataset, ablation.caption) }
    }

    /// What the run changes in the evidence.
    pub fn ablation(&self) -> Ablation {
        self.ablation
    }

    /// What the reader is given with the document in this row in a case of this task; `None` if there is no such row.
    pub fn of<'a>(&self, dataset: &'a Dataset, task: &str, row: usize) -> Option<GivenEvidence<'a>> {
        let document = dataset.corpus.get(row)?;
        let caption = match self.captions.row_of(task, row) {
            None => GivenCaption::Withheld,
            Some(other) if other == row => GivenCaption::Own,
            Some(other) => dataset.corpus.get(other).map_or(GivenCaption::Own, GivenCaption::Swapped),
        };
        Some(GivenEvidence { document, has_image: !self.ablation.without_image, caption })
    }
}

impl Cases {
    /// What the reader was, or is being, given in this slot of a case.
    pub fn given_at(&self, case: usize, slot: usize) -> Option<GivenEvidence<'_>> {
        let answers = self.answers_of(case)?;
        let row = answers.hit_at(slot)?.row;
        let document = self.dataset().corpus.get(row)?;
        if let Some(own) = answers.user_hit_at(slot) {
            let has_image = !own.probe.ablation.without_image;
            return Some(GivenEvidence { document, has_image, caption: self.given_caption(own) });
        }
        self.evidence().of(self.dataset(), &self.get(case)?.task, row)
    }

    /// What the reader of the other run was given with the document in this row; `None` if there is no other run.
    pub fn given_by_other(&self, case: usize, row: usize) -> Option<GivenEvidence<'_>> {
        self.other_evidence()?.of(self.dataset(), &self.get(case)?.task, row)
    }

    /// Whether the readers of the two runs were given the documents in different ways.
    pub fn evidence_differs(&self) -> bool {
        let shown = |evidence: &RunEvidence| (evidence.ablation().caption, evidence.ablation().without_image);
        self.other_evidence().is_some_and(|other| shown(other) != shown(self.evidence()))
    }

    fn given_caption<'a>(&'a self, own: &'a UserHit) -> GivenCaption<'a> {
        if let Some(Err(message)) = &own.outcome {
            return GivenCaption::Failed(message);
        }
        match own.probe.ablation.caption {
            CaptionShown::Own => GivenCaption::Own,
            CaptionShown::None => GivenCaption::Withheld,
            CaptionShown::Swapped => {
                let other = own.caption_row.and_then(|row| self.dataset().corpus.get(row));
                other.map_or(GivenCaption::Awaited, GivenCaption::Swapped)
            }
        }
    }

    /// The document of the user's own row, with what was done to it: "us-doc-001 without its caption".
    pub fn own_evidence_name(&self, own: &UserHit) -> String {
        let document = &own.hit.document;
        let mut changes = Vec::new();
        match self.given_caption(own) {
            GivenCaption::Withheld => changes.push("without its caption".to_owned()),
            GivenCaption::Swapped(other) => changes.push(format!("with the caption of {}", other.id)),
            GivenCaption::Awaited => changes.push("with another caption".to_owned()),
            GivenCaption::Own | GivenCaption::Failed(_) => {}
        }
        if own.probe.ablation.without_image {
            changes.push("without its image".to_owned());
        }
        if changes.is_empty() { document.clone() } else { format!("{document} {}", changes.join(" and ")) }
    }
}

/// What stands in the column of the head for the user's own row: nobody has retrieved it.
pub fn head_column(own: &UserHit) -> &'static str {
    let Ablation { caption, without_image, .. } = own.probe.ablation;
    match (caption, without_image) {
        (CaptionShown::None, false) => "no caption",
        (CaptionShown::None, true) => "neither",
        (CaptionShown::Swapped, _) => "other caption",
        (CaptionShown::Own, true) => "no image",
        (CaptionShown::Own, false) => "added by me",
    }
}

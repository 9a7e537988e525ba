//! What the reader was given in a slot: the document's own image and caption, or what replaced them.

use super::Cases;
use crate::data::Document;
use crate::evaluation::UserHit;
use crate::run::{Ablation, CaptionShown};

/// Image and caption that the reader was given with a document.
#[derive(Clone, Copy, Debug)]
pub struct GivenEvidence<'a> {
    pub document: &'a Document,
    pub has_image: bool,
    pub caption: GivenCaption<'a>,
}

/// The caption that the reader was given.
#[derive(Clone, Copy, Debug)]
pub enum GivenCaption<'a> {
    Own,
    /// That of another document.
    Swapped(&'a Document),
    Withheld,
    /// That of a document that contradicts it: the reader has not answered yet, so it is not known which.
    Awaited,
    /// The reader could not be asked, for this reason.
    Failed(&'a str),
}

impl<'a> GivenEvidence<'a> {
    /// The document with its own image and caption.
    pub fn whole(document: &'a Document) -> Self {
        Self { document, has_image: true, caption: GivenCaption::Own }
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
        let captions = self.shown_captions();
        let caption = match captions.row_of(&self.get(case)?.task, row) {
            None => GivenCaption::Withheld,
            Some(other) if other == row => GivenCaption::Own,
            Some(other) => self.dataset().corpus.get(other).map_or(GivenCaption::Own, GivenCaption::Swapped),
        };
        Some(GivenEvidence { document, has_image: !self.ablation().without_image, caption })
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

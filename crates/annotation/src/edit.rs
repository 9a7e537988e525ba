//! Edits that an annotator asks for, by a key of the explorer or a line of `dissent annotate`.

use super::category_id::CategoryId;
use std::collections::BTreeSet;

/// A change to an annotator's annotation of a case, which is named by its id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AnnotationEdit {
    /// Give the case these categories and no others; an empty set takes them away.
    SetCategories { case: String, categories: BTreeSet<CategoryId> },
    /// Give the case this category. If a case may have several, one that it has is taken away.
    ToggleCategory { case: String, category: CategoryId },
    /// Give a retrieved document of the case these categories and no others.
    SetHitCategories { case: String, document: String, categories: BTreeSet<CategoryId> },
    /// Give a retrieved document of the case this category, or take it away.
    ToggleHitCategory { case: String, document: String, category: CategoryId },
    /// Write the note of the case; an empty text removes it.
    Note { case: String, text: String },
    /// Mark the annotation as unsure, or as sure again.
    ToggleUnsure { case: String },
    /// Flag the case for somebody to look at, or take the flag off.
    ToggleFlag { case: String },
    /// Pass the case over on purpose.
    Skip { case: String },
    /// Decide the case as its adjudicator; an empty set says that no category applies.
    Decide { case: String, categories: BTreeSet<CategoryId>, reason: String },
    /// Take back the latest event that still counts.
    Undo,
    /// Bring back what was taken back last.
    Redo,
}

impl AnnotationEdit {
    /// Id of the case that it names; undo and redo find theirs in the journal.
    pub fn case(&self) -> Option<&str> {
        match self {
            Self::SetCategories { case, .. }
            | Self::ToggleCategory { case, .. }
            | Self::SetHitCategories { case, .. }
            | Self::ToggleHitCategory { case, .. }
            | Self::Note { case, .. }
            | Self::ToggleUnsure { case }
            | Self::ToggleFlag { case }
            | Self::Skip { case }
            | Self::Decide { case, .. } => Some(case),
            Self::Undo | Self::Redo => None,
        }
    }
}

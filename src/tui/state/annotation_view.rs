//! What a person said about a case, as the screen shows it.

use crate::annotation::{CaseAnnotation, Desk, EarlierDefinition, Taxonomy};
use std::collections::{BTreeMap, BTreeSet};

/// The annotation of one case, after all events of its journal.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AnnotationView {
    /// Positions in the taxonomy, ascending.
    pub categories: Vec<usize>,
    /// By document id: positions in the taxonomy. No list is empty.
    pub hits: BTreeMap<String, Vec<usize>>,
    pub skipped: bool,
    pub unsure: bool,
    pub flagged: bool,
    pub note: Option<String>,
    /// Categories that are worded otherwise now, or gone.
    pub earlier: Vec<EarlierDefinition>,
    /// Of the run and of the case's answers that were on the screen then.
    pub run_fingerprint: Option<String>,
    pub answers_fingerprint: Option<String>,
}

impl AnnotationView {
    /// The annotation with categories by their positions.
    pub fn of(annotation: &CaseAnnotation, desk: &Desk) -> Self {
        let taxonomy = desk.taxonomy();
        let hits = annotation.hits.iter().map(|(document, ids)| (document.clone(), positions(taxonomy, ids)));
        Self {
            categories: positions(taxonomy, &annotation.categories),
            hits: hits.filter(|(_, categories)| !categories.is_empty()).collect(),
            skipped: annotation.skipped,
            unsure: annotation.unsure,
            flagged: annotation.flagged,
            note: annotation.note.clone(),
            earlier: desk.earlier_definitions(annotation),
            run_fingerprint: annotation.run_fingerprint.as_deref().map(str::to_owned),
            answers_fingerprint: annotation.answers_fingerprint.as_deref().map(str::to_owned),
        }
    }

    /// Has the annotator said nothing, or nothing any more?
    pub fn is_empty(&self) -> bool {
        let said = self.is_decided() || self.unsure || self.flagged || self.note.is_some() || !self.earlier.is_empty();
        !said
    }

    /// Is there a category, of the case or a document, or a skip?
    pub fn is_decided(&self) -> bool {
        self.skipped || !self.categories.is_empty() || !self.hits.is_empty()
    }
}

/// Positions of the categories that the taxonomy knows.
pub(super) fn positions(taxonomy: &Taxonomy, ids: &BTreeSet<String>) -> Vec<usize> {
    let all = taxonomy.categories.iter().enumerate();
    all.filter(|(_, category)| ids.contains(&category.id)).map(|(position, _)| position).collect()
}

/// What to write to the journal. Categories are positions in the taxonomy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AnnotationEdit {
    /// The case has this category; where it may have several, one that it has is taken away.
    Annotate {
        case: usize,
        category: usize,
    },
    /// A retrieved document has this category, or no longer.
    Hit {
        case: usize,
        document: String,
        category: usize,
    },
    /// An empty text removes the note.
    Note {
        case: usize,
        text: String,
    },
    /// The annotator is unsure of the case, or no longer.
    Unsure {
        case: usize,
    },
    /// Somebody should look at the case, or need not any more.
    Flag {
        case: usize,
    },
    Skip {
        case: usize,
    },
    /// An adjudicator's decision.
    Decide {
        case: usize,
        categories: Vec<usize>,
        reason: String,
    },
    /// Takes back the latest event that still counts.
    Undo,
    /// Brings back what was taken back last.
    Redo,
}

impl AnnotationEdit {
    /// The case that it names; undo and redo find theirs in the journal.
    pub fn case(&self) -> Option<usize> {
        match self {
            Self::Annotate { case, .. }
            | Self::Hit { case, .. }
            | Self::Note { case, .. }
            | Self::Unsure { case }
            | Self::Flag { case }
            | Self::Skip { case }
            | Self::Decide { case, .. } => Some(*case),
            Self::Undo | Self::Redo => None,
        }
    }
}

/// What the journal holds once a record is on disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EditOutcome {
    /// The mark of this case changed.
    Changed { case: usize, mark: AnnotationView },
    /// An undo took back what was said of a case that this dataset lacks.
    Elsewhere { id: String },
    /// There was nothing to undo.
    Nothing,
}

//! What a person said about a case, as the screen shows it.

/// The annotation of one case, after all events of its journal.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mark {
    /// Position in the taxonomy.
    pub category: Option<usize>,
    pub skipped: bool,
    pub note: Option<String>,
}

impl Mark {
    /// Has anybody said anything?
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// What to write to the journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Record {
    Annotate {
        case: usize,
        category: usize,
    },
    /// An empty text removes the note.
    Note {
        case: usize,
        text: String,
    },
    Skip {
        case: usize,
    },
    /// Takes back the latest event that still counts.
    Undo,
}

/// What the journal holds once a record is on disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Recorded {
    /// The mark of this case changed.
    Changed { case: usize, mark: Mark },
    /// An undo took back what was said of a case that this dataset lacks.
    Elsewhere { id: String },
    /// There was nothing to undo.
    Nothing,
}

//! The choices that every import has.

use crate::data::{Existing, Split};

/// What the rows of a source become.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "clap", derive(clap::ValueEnum))]
pub enum RowsAs {
    /// Cases: the dataset has no corpus of its own.
    Cases,
    /// Documents: every row with a caption, whatever its split.
    Corpus,
    /// Cases, and the training rows also documents.
    Both,
}

/// The dataset that an import writes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// A new one.
    New(Existing),
    /// One that is there already; its new rows get ids that begin with the name of the source.
    Into {
        /// The name of the source.
        source: String,
        /// Whether rows of the same source are replaced; otherwise they are refused.
        existing: Existing,
    },
}

/// The choices that every import has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImportOptions {
    /// `None` leaves it to the format.
    pub rows: Option<RowsAs>,
    pub target: Target,
    /// Only rows of these splits; none takes all.
    pub splits: Vec<Split>,
    /// Copies images into the dataset; otherwise they stay where they are, and cases and documents name their paths.
    pub copy: bool,
    /// Reads everything and counts, but writes nothing.
    pub dry_run: bool,
}

impl ImportOptions {
    /// Whether rows of this split come in.
    pub(super) fn takes(&self, split: Split) -> bool {
        self.splits.is_empty() || self.splits.contains(&split)
    }

    /// What the user hears about the splits of a corpus.
    pub(super) fn remark_on_splits(&self) -> String {
        if self.splits.is_empty() {
            return "all splits are in the corpus (--splits takes some); documents keep none".into();
        }
        let names: Vec<String> = self.splits.iter().map(Split::to_string).collect();
        format!("the corpus has only the splits {} (--splits); documents keep none", names.join(", "))
    }
}

impl Default for ImportOptions {
    fn default() -> Self {
        Self { rows: None, target: Target::New(Existing::Refuse), splits: Vec::new(), copy: false, dry_run: false }
    }
}

//! Optional columns of the queue.

/// A column beside id, fused answer, verdict and annotation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Column {
    ClosedBook,
    Confidence,
    Entropy,
    Against,
    Seen,
}

impl Column {
    pub const ALL: [Self; 5] = [Self::ClosedBook, Self::Confidence, Self::Entropy, Self::Against, Self::Seen];

    /// Name in the list of columns.
    pub fn name(self) -> &'static str {
        match self {
            Self::ClosedBook => "closed-book",
            Self::Confidence => "confidence",
            Self::Entropy => "entropy",
            Self::Against => "against",
            Self::Seen => "seen",
        }
    }

    /// Meaning of the column.
    pub fn meaning(self) -> &'static str {
        match self {
            Self::ClosedBook => "the answer without a document",
            Self::Confidence => "probability of the fused answer",
            Self::Entropy => "how evenly the hits' answers split, in bits",
            Self::Against => "the other run's fused answer",
            Self::Seen => "a dot marks cases not opened yet",
        }
    }

    /// Heading, and width in columns including the space before it.
    pub fn heading(self) -> (&'static str, usize) {
        match self {
            Self::ClosedBook => ("cb", 3),
            Self::Confidence => ("conf", 5),
            Self::Entropy => ("bits", 5),
            Self::Against => ("B", 2),
            Self::Seen => ("", 2),
        }
    }

    /// The column with this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|column| column.name() == name)
    }
}

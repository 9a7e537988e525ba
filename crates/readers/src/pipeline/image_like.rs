//! The query of an image search.

use std::path::PathBuf;

/// Images similar to this one are searched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ImageLike {
    /// The image of the case itself.
    Case,
    /// The image of the document in this row.
    Document(usize),
    File(PathBuf),
}

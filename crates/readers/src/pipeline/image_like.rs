//! The query of an image search.

use std::path::PathBuf;

/// An image whose similar images are searched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ImageLike {
    /// The image of the case itself.
    Case,
    /// The image of the document in this row.
    Document(usize),
    File(PathBuf),
}

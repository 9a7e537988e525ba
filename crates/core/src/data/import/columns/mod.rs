//! What the columns of a table mean: turns rows of any source into cases and documents.
//!
//! An importer reads [`Record`](super::Record)s and gives each to [`MappedRows`], which knows by a [`ColumnMapping`] which
//! column is the image, the answer and so on (docs/reference/formats.md, "Mappings").

mod answers;
mod captions;
mod gathered_labels;
mod group_splits;
mod image_files;
mod image_index;
mod mapping;
mod rows;
mod split_words;
mod tasks;

pub use image_files::ImageFiles;
pub(super) use image_index::stem_of_image;
pub use mapping::{ColumnMapping, MissingValue, SplitFile, TaskMapping};
pub use rows::MappedRows;
pub use split_words::split_of_word;

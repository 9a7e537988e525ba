//! Labelling many cases at once: which cases, which category.

use crate::annotation::CategoryId;

/// The question before many cases are labelled.
#[derive(Clone, Debug, Default)]
pub struct LabelMany {
    /// Positions in the dataset, in the order of the queue.
    pub cases: Vec<usize>,
    /// They are the marked cases; else the cases that the filter leaves.
    pub are_marked: bool,
    /// The category to give; `None` until one is chosen.
    pub chosen: Option<CategoryId>,
}

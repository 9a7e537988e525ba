//! Opens the dataset of a command, and says what the user should know of the opening.

use crate::data::Dataset;
use crate::output::say;
use anyhow::Result;
use std::path::Path;

/// Opens a dataset without errors.
///
/// # Errors
/// Fails like [`Dataset::open`].
pub fn open_dataset(root: &Path) -> Result<Dataset> {
    let dataset = Dataset::open(root)?;
    say_remarks(&dataset);
    Ok(dataset)
}

/// Says what the user should know of the opening.
pub fn say_remarks(dataset: &Dataset) {
    dataset.remarks.iter().for_each(|remark| say(remark));
}

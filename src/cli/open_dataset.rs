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

/// Like [`open_dataset`] for commands whose results are kept and depend on the images: every image is looked at, so that an index
/// of earlier images is found stale before it is used.
///
/// # Errors
/// Fails like [`Dataset::open`].
pub fn open_with_images(root: &Path) -> Result<Dataset> {
    let dataset = open_dataset(root)?;
    // The answer is about what nobody has used yet; the fingerprint is now that of the images.
    let _ = dataset.remark_on_changed_images();
    Ok(dataset)
}

/// Says what the user should know of the opening.
pub fn say_remarks(dataset: &Dataset) {
    dataset.remarks.iter().for_each(|remark| say(remark));
}

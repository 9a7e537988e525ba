//! A loaded reader of whichever family.

use super::{Family, VisionLanguageModel};
use crate::files::fingerprint::Fingerprint;
use crate::model::checkpoint::Adapter;
use crate::model::settings_notes::notes_of_reader;
use anyhow::{Context, Result};
use candle_core::{DType, Device};
use std::path::Path;

/// A vision-language model for inference, and what it is.
pub struct ReaderCheckpoint {
    pub model: Box<dyn VisionLanguageModel>,
    /// The folder's name, and the adapter's.
    pub name: String,
    /// Of the weights, the adapter and every file that decides an answer.
    pub fingerprint: Fingerprint,
    /// What the user should know about it.
    pub notes: Vec<String>,
}

impl ReaderCheckpoint {
    /// Loads the checkpoint `folder`, with the adapter in another folder merged into it where one is given.
    ///
    /// # Errors
    /// As [`Family::of`], [`Adapter::read`] and [`Family::load`].
    pub fn load(folder: &Path, adapter: Option<&Path>, device: &Device, dtype: DType) -> Result<Self> {
        let in_folder = || format!("cannot load the reader {}", folder.display());
        let family = Family::of(folder).with_context(in_folder)?;
        let adapter = adapter.map(Adapter::read).transpose()?;
        let mut checkpoint = family.load(folder, adapter, device, dtype).with_context(in_folder)?;
        checkpoint.notes.extend(notes_of_reader(folder).with_context(in_folder)?);
        Ok(checkpoint)
    }
}

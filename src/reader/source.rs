//! Where a reader comes from: a checkpoint on this machine, or servers.

use super::remote::{RemoteReader, ServedModel, ServiceRecord};
use super::{CandleReader, Reader, ReaderError};
use anyhow::Result;
use candle_core::{DType, Device};
use std::path::{Path, PathBuf};

/// What `--reader` names.
#[derive(Clone, Debug)]
pub enum ReaderSource {
    /// A checkpoint folder, read in this process.
    Checkpoint(PathBuf),
    /// Servers of one model.
    Served(Box<ServedModel>),
}

/// A reader ready to be asked.
pub struct OpenedReader {
    pub reader: Box<dyn Reader>,
    /// For the status line.
    pub description: String,
    /// What a server is and can do; `None` for a reader in this process.
    pub service: Option<ServiceRecord>,
}

impl ReaderSource {
    /// Loads the checkpoint, or asks the servers what they are.
    ///
    /// # Errors
    /// As [`CandleReader::load`] and [`RemoteReader::connect`].
    pub fn open(
        &self,
        device: &Device,
        dtype: DType,
        progress: &dyn Fn(String),
        cancelled: &dyn Fn() -> bool,
    ) -> Result<OpenedReader, ReaderError> {
        match self {
            Self::Checkpoint(folder) => {
                progress(format!("loading the reader {}", folder.display()));
                let reader = CandleReader::load(folder, device, dtype)?;
                let description = format!("{} ({})", reader.name(), dtype.as_str());
                Ok(OpenedReader { reader: Box::new(reader), description, service: None })
            }
            Self::Served(served) => {
                let names: Vec<String> = served.addresses.iter().map(ToString::to_string).collect();
                progress(format!("asking the reader at {}", names.join(", ")));
                let reader = RemoteReader::connect(served, progress, cancelled)?;
                let record = reader.record().clone();
                Ok(OpenedReader { reader: Box::new(reader), description: record.short(), service: Some(record) })
            }
        }
    }

    /// Does reading want one thread per kernel here (see [`CandleReader::runs_in_shards`])? Never on a server.
    ///
    /// # Errors
    /// Where the checkpoint's `config.json` cannot be read.
    pub fn runs_in_shards(&self) -> Result<bool> {
        match self {
            Self::Checkpoint(folder) => CandleReader::runs_in_shards(folder),
            Self::Served(_) => Ok(false),
        }
    }

    /// The checkpoint on this machine: the reader itself, or what a server is said to serve.
    pub fn checkpoint(&self) -> Option<&Path> {
        match self {
            Self::Checkpoint(folder) => Some(folder),
            Self::Served(served) => served.processor.as_deref(),
        }
    }
}

impl From<PathBuf> for ReaderSource {
    fn from(folder: PathBuf) -> Self {
        Self::Checkpoint(folder)
    }
}

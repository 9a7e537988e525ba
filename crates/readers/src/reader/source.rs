//! The source of a reader: a checkpoint on this machine, or servers.

#[cfg(feature = "remote")]
use super::remote::{RemoteReader, ServedModel};
use super::{CandleReader, Reader, ReaderError};
use anyhow::Result;
use candle_core::{DType, Device};
use dissent_core::files::fingerprint::Fingerprint;
use dissent_core::run::ServiceRecord;
use dissent_models::model::precision::{ChosenDtype, Precision};
use std::path::PathBuf;

/// The value of `--reader`.
#[derive(Clone, Debug)]
pub enum ReaderSource {
    /// A checkpoint that is read in this process.
    Checkpoint {
        folder: PathBuf,
        /// Folder of a LoRA adapter that is merged into the checkpoint.
        adapter: Option<PathBuf>,
    },
    /// One or more servers of one model.
    #[cfg(feature = "remote")]
    Served(Box<ServedModel>),
}

/// A reader that is ready to answer.
pub struct OpenedReader {
    pub reader: Box<dyn Reader>,
    /// Text for the status line.
    pub description: String,
    /// Fingerprint of the checkpoint, without the dtype; for a server, of the checkpoint that it is said to serve, if
    /// known.
    pub checkpoint: Option<Fingerprint>,
    /// Abilities of a server; `None` for a reader in this process.
    pub service: Option<ServiceRecord>,
}

impl ReaderSource {
    /// The dtype of the checkpoint on `device`; `None` for servers, which choose their own.
    pub fn number_type(&self, precision: Precision, device: &Device) -> Option<ChosenDtype> {
        match self {
            Self::Checkpoint { folder, .. } => Some(precision.choose(folder, device)),
            #[cfg(feature = "remote")]
            Self::Served(_) => None,
        }
    }

    /// The first server that is outside this machine and its network, and may cost money.
    pub fn hosted(&self) -> Option<String> {
        match self {
            Self::Checkpoint { .. } => None,
            #[cfg(feature = "remote")]
            Self::Served(served) => served.connection.hosted(),
        }
    }

    /// Loads the checkpoint (in f32 by default) or connects to the servers. Remarks for the user go to `progress`.
    ///
    /// # Errors
    /// Fails as [`CandleReader::load_with`] and [`RemoteReader::connect`] do.
    pub fn open(
        &self,
        device: &Device,
        number_type: Option<ChosenDtype>,
        progress: &dyn Fn(String),
        #[cfg_attr(not(feature = "remote"), expect(unused_variables, reason = "only connecting takes long"))]
        cancelled: &dyn Fn() -> bool,
    ) -> Result<OpenedReader, ReaderError> {
        match self {
            Self::Checkpoint { folder, adapter } => {
                let merged = adapter.as_ref().map(|adapter| format!(" with the adapter {}", adapter.display()));
                progress(format!("loading the reader {}{}", folder.display(), merged.unwrap_or_default()));
                let dtype = number_type.map_or(DType::F32, |number_type| number_type.dtype);
                let reader = CandleReader::load_with(folder, adapter.as_deref(), device, dtype)?;
                for note in reader.notes() {
                    progress(format!("{}: {note}", reader.name()));
                }
                Ok(OpenedReader {
                    description: format!("{} ({})", reader.name(), dtype.as_str()),
                    checkpoint: Some(reader.checkpoint_fingerprint().clone()),
                    reader: Box::new(reader),
                    service: None,
                })
            }
            #[cfg(feature = "remote")]
            Self::Served(served) => {
                progress(format!("asking the reader at {}", served.connection.names()));
                let reader = RemoteReader::connect(served, progress, cancelled)?;
                let record = reader.record().clone();
                Ok(OpenedReader {
                    description: record.short(),
                    checkpoint: reader.checkpoint_fingerprint().cloned(),
                    reader: Box::new(reader),
                    service: Some(record),
                })
            }
        }
    }

    /// True if one thread per kernel is fastest for this reader (see [`CandleReader::is_data_parallel`]); always false
    /// for a server.
    ///
    /// # Errors
    /// Fails if the checkpoint's `config.json` cannot be read.
    pub fn is_data_parallel(&self) -> Result<bool> {
        match self {
            Self::Checkpoint { folder, .. } => CandleReader::is_data_parallel(folder),
            #[cfg(feature = "remote")]
            Self::Served(_) => Ok(false),
        }
    }
}

impl From<PathBuf> for ReaderSource {
    fn from(folder: PathBuf) -> Self {
        Self::Checkpoint { folder, adapter: None }
    }
}

//! Where a reader comes from: a checkpoint on this machine, or servers.

#[cfg(feature = "remote")]
use super::remote::{RemoteReader, ServedModel};
use super::{CandleReader, Reader, ReaderError};
use anyhow::Result;
use candle_core::{DType, Device};
use dissent_core::files::fingerprint::Fingerprint;
use dissent_core::run::ServiceRecord;
use dissent_models::model::precision::{ChosenDtype, Precision};
use std::path::PathBuf;

/// What `--reader` names.
#[derive(Clone, Debug)]
pub enum ReaderSource {
    /// A checkpoint, read in this process.
    Checkpoint {
        folder: PathBuf,
        /// Folder of a LoRA adapter that is merged into it.
        adapter: Option<PathBuf>,
    },
    /// Servers of one model.
    #[cfg(feature = "remote")]
    Served(Box<ServedModel>),
}

/// A reader ready to be asked.
pub struct OpenedReader {
    pub reader: Box<dyn Reader>,
    /// For the status line.
    pub description: String,
    /// Of the checkpoint, whatever the number type; of a server what it is said to serve, where that is known.
    pub checkpoint: Option<Fingerprint>,
    /// What a server is and can do; `None` for a reader in this process.
    pub service: Option<ServiceRecord>,
}

impl ReaderSource {
    /// What the checkpoint computes in on `device`; `None` for servers, whose matter that is.
    pub fn number_type(&self, precision: Precision, device: &Device) -> Option<ChosenDtype> {
        match self {
            Self::Checkpoint { folder, .. } => Some(precision.choose(folder, device)),
            #[cfg(feature = "remote")]
            Self::Served(_) => None,
        }
    }

    /// Loads the checkpoint, in f32 where no type is given, or asks the servers what they are. What the user should know
    /// about it goes to `progress`.
    ///
    /// # Errors
    /// As [`CandleReader::load_with`] and [`RemoteReader::connect`].
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
                let names: Vec<String> = served.addresses.iter().map(ToString::to_string).collect();
                progress(format!("asking the reader at {}", names.join(", ")));
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

    /// Does reading want one thread per kernel here (see [`CandleReader::runs_in_shards`])? Never on a server.
    ///
    /// # Errors
    /// Fails if the checkpoint's `config.json` cannot be read.
    pub fn runs_in_shards(&self) -> Result<bool> {
        match self {
            Self::Checkpoint { folder, .. } => CandleReader::runs_in_shards(folder),
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

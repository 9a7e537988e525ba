//! The source of an encoder: a checkpoint on this machine, or servers.

#[cfg(feature = "remote")]
use super::CachedEncoder;
use super::Progress;
#[cfg(feature = "remote")]
use crate::reader::remote::ServerConnection;
use anyhow::Result;
use candle_core::{DType, Device};
use dissent_core::workspace::Workspace;
use dissent_models::model::dual_encoder::DualEncoder;
use dissent_models::model::precision::{ChosenDtype, Precision};
use dissent_retrieval::index::{EncoderProbe, Index};
use dissent_retrieval::retriever::Encoder;
use std::fmt;
use std::path::PathBuf;

/// The value of `--encoder`.
#[derive(Clone, Debug)]
pub enum EncoderSource {
    /// A checkpoint that is read in this process.
    Checkpoint(PathBuf),
    /// One or more servers of one model.
    #[cfg(feature = "remote")]
    Served(Box<ServerConnection>),
}

impl EncoderSource {
    /// The dtype of the checkpoint on `device`; `None` for servers, which choose their own.
    pub fn number_type(&self, precision: Precision, device: &Device) -> Option<ChosenDtype> {
        match self {
            Self::Checkpoint(folder) => Some(precision.choose(folder, device)),
            #[cfg(feature = "remote")]
            Self::Served(_) => None,
        }
    }

    /// Whether it is read in this process.
    pub fn is_here(&self) -> bool {
        matches!(self, Self::Checkpoint(_))
    }

    /// The first server that is outside this machine and its network, and may cost money.
    pub fn hosted(&self) -> Option<String> {
        match self {
            Self::Checkpoint(_) => None,
            #[cfg(feature = "remote")]
            Self::Served(served) => served.hosted(),
        }
    }

    /// Loads the checkpoint as `dtype`, or connects to the servers. Remarks for the user go to `progress`.
    ///
    /// # Errors
    /// Fails as [`DualEncoder::load`] and [`CachedEncoder::connect`] do.
    pub fn open(&self, device: &Device, dtype: DType, workspace: &Workspace, progress: Progress) -> Result<Encoder> {
        let known = Index::probe_of(&workspace.index_dir());
        self.open_as(device, dtype, known, workspace, progress)
    }

    /// Like [`Self::open`]; servers are known again by the probe of the vectors that are to be searched.
    ///
    /// # Errors
    /// Fails as [`Self::open`] does.
    pub fn open_as(
        &self,
        device: &Device,
        dtype: DType,
        known: Option<EncoderProbe>,
        workspace: &Workspace,
        progress: Progress,
    ) -> Result<Encoder> {
        #[cfg(not(feature = "remote"))]
        let _ = (known, workspace);
        match self {
            Self::Checkpoint(folder) => {
                let encoder = DualEncoder::load(folder, device, dtype)?;
                for note in encoder.notes() {
                    progress(format!("{}: {note}", encoder.name()));
                }
                Ok(encoder.into())
            }
            #[cfg(feature = "remote")]
            Self::Served(served) => {
                let encoder = CachedEncoder::connect(served, known, &workspace.cache_dir(), progress)?;
                Ok(Encoder::Served(Box::new(encoder)))
            }
        }
    }
}

impl fmt::Display for EncoderSource {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Checkpoint(folder) => write!(formatter, "{}", folder.display()),
            #[cfg(feature = "remote")]
            Self::Served(served) => formatter.write_str(&served.names()),
        }
    }
}

impl From<PathBuf> for EncoderSource {
    fn from(folder: PathBuf) -> Self {
        Self::Checkpoint(folder)
    }
}

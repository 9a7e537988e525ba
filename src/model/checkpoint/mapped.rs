//! A safetensors file in memory by mapping: the system reads what is asked for and may drop it again.

use super::CheckpointError;
use candle_core::safetensors::{Load, MmapedSafetensors};
use candle_core::{Device, Tensor};
use std::fmt;
use std::path::{Path, PathBuf};

/// One weight file, its header checked.
pub(super) struct MappedFile {
    path: PathBuf,
    tensors: MmapedSafetensors,
}

impl MappedFile {
    /// Maps the file and checks its header: every tensor lies within the file, is as long as its shape says, and none
    /// overlaps another (the safetensors crate refuses the rest).
    pub fn open(path: &Path) -> Result<Self, CheckpointError> {
        let bad = |error: candle_core::Error| CheckpointError::BadSafetensors {
            path: path.to_path_buf(),
            reason: without_path(&error.to_string(), path),
        };
        if let Err(error) = std::fs::File::open(path) {
            return Err(CheckpointError::Unreadable { path: path.to_path_buf(), reason: error.to_string() });
        }
        // The file must not be cut short while it is mapped. Checkpoints are replaced as whole folders, by renaming, and
        // a renamed file stays as it was for those who have it open.
        #[allow(unsafe_code, reason = "a file cannot be mapped without")]
        let tensors = unsafe { MmapedSafetensors::new(path) }.map_err(bad)?;
        Ok(Self { path: path.to_path_buf(), tensors })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Name and shape of every tensor.
    pub fn shapes(&self) -> Vec<(String, Vec<usize>)> {
        self.tensors.tensors().into_iter().map(|(name, view)| (name, view.shape().to_vec())).collect()
    }

    /// The tensor of this name on the CPU, in the type that it is stored in.
    pub fn load(&self, name: &str) -> candle_core::Result<Tensor> {
        self.tensors.get(name)?.load(&Device::Cpu)
    }
}

/// The message without the path that candle puts before or behind it: ours names it already.
fn without_path(message: &str, path: &Path) -> String {
    let first = message.lines().next().unwrap_or(message);
    first.replace(&path.display().to_string(), "").trim_matches([' ', ':', '"', '(', ')']).to_string()
}

impl fmt::Debug for MappedFile {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("MappedFile").field(&self.path).finish()
    }
}

//! A weight file mapped into memory: its tensors are read when they are asked for, one at a time.

use super::CheckpointError;
use candle_core::safetensors::{Load, MmapedSafetensors};
use candle_core::{Device, Tensor};
use safetensors::tensor::TensorView;
use std::fmt;
use std::path::{Path, PathBuf};

/// A safetensors file, its header checked: offsets lie in the file, follow each other and fit the shapes.
pub(super) struct MappedFile {
    pub path: PathBuf,
    tensors: MmapedSafetensors,
}

impl MappedFile {
    /// Maps a file; the header alone is read.
    #[allow(unsafe_code, reason = "a file cannot be mapped without")]
    pub fn open(path: &Path) -> Result<Self, CheckpointError> {
        // A missing file has the same message as everywhere else.
        std::fs::File::open(path)
            .map_err(|error| CheckpointError::Unreadable { path: path.to_path_buf(), reason: error.to_string() })?;
        // Whoever shortens or changes a weight file while a model is loaded from it breaks that program: what the whole
        // ecosystem accepts. dissent replaces checkpoints by renaming, which leaves mapped files as they are.
        let tensors = unsafe { MmapedSafetensors::new(path) }
            .map_err(|error| CheckpointError::BadSafetensors { path: path.to_path_buf(), reason: error.to_string() })?;
        Ok(Self { path: path.to_path_buf(), tensors })
    }

    /// Names and shapes of all tensors.
    pub fn tensors(&self) -> Vec<(String, TensorView<'_>)> {
        self.tensors.tensors()
    }

    /// The shape of a tensor.
    pub fn shape_of(&self, name: &str) -> candle_core::Result<Vec<usize>> {
        Ok(self.tensors.get(name)?.shape().to_vec())
    }

    /// A tensor in the type it is stored in, on the CPU.
    pub fn load(&self, name: &str) -> candle_core::Result<Tensor> {
        self.tensors.get(name)?.load(&Device::Cpu)
    }
}

impl fmt::Debug for MappedFile {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("MappedFile").field("path", &self.path).finish_non_exhaustive()
    }
}

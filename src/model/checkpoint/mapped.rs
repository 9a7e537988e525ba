//! A safetensors file in memory by mapping: the system reads what is asked for and may drop it again.

use super::CheckpointError;
use super::header::check_header;
use candle_core::safetensors::{Load, MmapedSafetensors};
use candle_core::{CpuStorage, DType, Device, Storage, Tensor};
use std::fmt;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// Pages are of this size or divide it; a system with larger ones refuses to forget some, and keeps them.
const PAGE: usize = 1 << 14;

/// One weight file, its header checked.
pub(super) struct MappedFile {
    path: PathBuf,
    tensors: MmapedSafetensors,
}

impl MappedFile {
    /// Maps the file and checks its header: every tensor lies within the file, is as long as its shape says, and none
    /// overlaps another (the safetensors crate refuses the rest), none is there twice.
    pub fn open(path: &Path) -> Result<Self, CheckpointError> {
        let bad = |error: candle_core::Error| {
            let (path, reason) = (path.to_path_buf(), without_path(&error.to_string(), path));
            // The system's word (no memory to map it) is none about the file.
            if reason.contains("(os error ") {
                return CheckpointError::Unreadable { path, reason };
            }
            CheckpointError::BadSafetensors { path, reason }
        };
        check_header(path).map_err(|error| {
            let (path, reason) = (path.to_path_buf(), error.to_string());
            match error.kind() {
                ErrorKind::InvalidData => CheckpointError::BadSafetensors { path, reason },
                _ => CheckpointError::Unreadable { path, reason },
            }
        })?;
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

    /// Whether it has a tensor of this name.
    pub fn has(&self, name: &str) -> bool {
        self.tensors.get(name).is_ok()
    }

    /// How many values are stored in each floating-point type that candle has.
    pub fn values_by_type(&self) -> Vec<(DType, usize)> {
        let counts = self.tensors.tensors().into_iter().filter_map(|(_, view)| {
            let dtype = DType::try_from(view.dtype()).ok().filter(DType::is_float)?;
            Some((dtype, view.shape().iter().product()))
        });
        counts.collect()
    }

    /// The tensor of this name on the CPU, in the type that it is stored in.
    ///
    /// # Errors
    /// Where it has a value that is not finite, or holds no floating-point numbers.
    pub fn load(&self, name: &str) -> Result<Tensor, CheckpointError> {
        let path = self.path.clone();
        let tensor = match self.tensors.get(name).and_then(|view| view.load(&Device::Cpu)) {
            Ok(tensor) => tensor,
            Err(error) => {
                return Err(CheckpointError::BadSafetensors { path, reason: format!("tensor {name}: {error}") });
            }
        };
        self.forget(name);
        match first_bad_element(&tensor) {
            Ok(None) => Ok(tensor),
            Ok(Some(element)) => Err(CheckpointError::NotFinite { path, name: name.to_string(), element }),
            // Of the file: candle reads some types as others.
            Err(read_as) => {
                let found = self.tensors.get(name).map_or(read_as, |view| format!("{:?}", view.dtype()).to_lowercase());
                Err(CheckpointError::NotFloating { path, name: name.to_string(), found })
            }
        }
    }

    /// Whether a tensor is byte for byte that of another name, of this file or another.
    pub fn is_same(&self, name: &str, other_file: &Self, other: &str) -> bool {
        let (Ok(one), Ok(two)) = (self.tensors.get(name), other_file.tensors.get(other)) else { return false };
        let same = one.dtype() == two.dtype() && one.shape() == two.shape() && one.data() == two.data();
        self.forget(name);
        other_file.forget(other);
        same
    }

    /// Takes the pages of a tensor that was copied out of this process's memory; without it the file would count twice,
    /// mapped and read.
    fn forget(&self, name: &str) {
        let Ok(view) = self.tensors.get(name) else { return };
        let bytes = view.data();
        let first = bytes.as_ptr().align_offset(PAGE).min(bytes.len());
        let length = (bytes.len() - first) / PAGE * PAGE;
        let pages = bytes[first..first + length].as_ptr().cast_mut().cast();
        // SAFETY: whole pages within the mapping of a file that nothing writes to: where they are read again, the system
        // reads them from the file again.
        #[allow(unsafe_code, reason = "the system knows by itself of no page that it is not needed")]
        let _ = unsafe { libc::madvise(pages, length, libc::MADV_DONTNEED) };
    }
}

/// Position of the first value that is not finite; the type's name if it is no floating-point type.
fn first_bad_element(tensor: &Tensor) -> Result<Option<usize>, String> {
    let (storage, _) = tensor.storage_and_layout();
    match &*storage {
        Storage::Cpu(CpuStorage::F32(values)) => Ok(values.iter().position(|value| !value.is_finite())),
        Storage::Cpu(CpuStorage::F16(values)) => Ok(values.iter().position(|value| !value.is_finite())),
        Storage::Cpu(CpuStorage::BF16(values)) => Ok(values.iter().position(|value| !value.is_finite())),
        _ => Err(tensor.dtype().as_str().to_string()),
    }
}

/// The message without the path that candle puts before or behind it: ours names it already.
fn without_path(message: &str, path: &Path) -> String {
    let first = message.lines().next().unwrap_or(message);
    let first = first.replace(&format!("path: {:?}", path.display().to_string()), "");
    first.replace(&path.display().to_string(), "").trim_matches([' ', ':', '"', '(', ')']).to_string()
}

impl fmt::Debug for MappedFile {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("MappedFile").field(&self.path).finish()
    }
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests {
    use super::*;
    use std::collections::HashMap;

    /// KiB of the mapping of `path` that are in memory.
    fn resident(path: &Path) -> usize {
        let maps = std::fs::read_to_string("/proc/self/smaps").unwrap();
        let mapping = maps.split_once(path.to_str().unwrap()).unwrap().1;
        let line = mapping.lines().find_map(|line| line.strip_prefix("Rss:")).unwrap();
        line.trim().strip_suffix(" kB").unwrap().parse().unwrap()
    }

    #[test]
    fn what_was_copied_out_of_a_file_takes_no_memory_in_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().canonicalize().unwrap().join("model.safetensors");
        let ones = Tensor::ones(2 << 20, DType::F32, &Device::Cpu).unwrap();
        candle_core::safetensors::save(&HashMap::from([("a", ones)]), &path).unwrap();
        let file = MappedFile::open(&path).unwrap();
        let bytes = file.tensors.get("a").unwrap().data().iter().map(|byte| usize::from(*byte)).sum::<usize>();
        assert_eq!(bytes, (2 << 20) * (0x3f + 0x80));
        let before = resident(&path);
        assert!(before >= 8 << 10, "{before} KiB");
        let loaded = file.load("a").unwrap();
        let after = resident(&path);
        println!("{before} KiB of the mapping in memory before, {after} after");
        assert!(after <= 64, "{after} KiB");
        assert_eq!(loaded.sum_all().unwrap().to_scalar::<f32>().unwrap(), (2 << 20) as f32);
        let again = file.load("a").unwrap();
        assert_eq!(again.sum_all().unwrap().to_scalar::<f32>().unwrap(), (2 << 20) as f32);
    }
}

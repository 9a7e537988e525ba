//! A memory-mapped safetensors file: pages are read on access and can be released.

use super::CheckpointError;
use super::header::check_header;
use candle_core::safetensors::{Load, MmapedSafetensors};
use candle_core::{CpuStorage, DType, Device, Storage, Tensor};
use std::fmt;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// A multiple of the page size on common systems. With larger pages `madvise` fails and the pages stay in memory.
const PAGE: usize = 1 << 14;

/// A weight file with a valid header.
pub(super) struct MappedFile {
    path: PathBuf,
    tensors: MmapedSafetensors,
}

impl MappedFile {
    /// Maps the file and checks its header: every tensor lies within the file and has the length of its shape, none overlap
    /// (checked by the safetensors crate), and names are unique.
    pub fn open(path: &Path) -> Result<Self, CheckpointError> {
        let bad = |error: candle_core::Error| {
            let (path, reason) = (path.to_path_buf(), without_path(&error.to_string(), path));
            // A system error, such as lack of memory, does not concern the file.
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
        // SAFETY: the file must not be truncated while it is mapped. Checkpoint folders are replaced by renaming, which leaves
        // open files unchanged.
        #[allow(unsafe_code, reason = "memory-mapping a file is unsafe")]
        let tensors = unsafe { MmapedSafetensors::new(path) }.map_err(bad)?;
        Ok(Self { path: path.to_path_buf(), tensors })
    }

    /// Path of the file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Name and shape of every tensor.
    pub fn shapes(&self) -> Vec<(String, Vec<usize>)> {
        self.tensors.tensors().into_iter().map(|(name, view)| (name, view.shape().to_vec())).collect()
    }

    /// True if there is a tensor with this name.
    pub fn has(&self, name: &str) -> bool {
        self.tensors.get(name).is_ok()
    }

    /// Number of stored elements for each floating-point type of candle.
    pub fn values_by_type(&self) -> Vec<(DType, usize)> {
        let counts = self.tensors.tensors().into_iter().filter_map(|(_, view)| {
            let dtype = DType::try_from(view.dtype()).ok().filter(DType::is_float)?;
            Some((dtype, view.shape().iter().product()))
        });
        counts.collect()
    }

    /// Loads a tensor to the CPU in its stored type.
    ///
    /// # Errors
    /// Fails if the tensor is missing, is not floating-point, or has a NaN or infinite value.
    pub fn load(&self, name: &str) -> Result<Tensor, CheckpointError> {
        let path = self.path.clone();
        let tensor = match self.tensors.get(name).and_then(|view| view.load(&Device::Cpu)) {
            Ok(tensor) => tensor,
            Err(error) => {
                return Err(CheckpointError::BadSafetensors { path, reason: format!("tensor {name}: {error}") });
            }
        };
        self.release_pages(name);
        match first_bad_element(&tensor) {
            Ok(None) => Ok(tensor),
            Ok(Some(element)) => Err(CheckpointError::NotFinite { path, name: name.to_string(), element }),
            // The file's type, since candle converts some types.
            Err(read_as) => {
                let found = self.tensors.get(name).map_or(read_as, |view| format!("{:?}", view.dtype()).to_lowercase());
                Err(CheckpointError::NotFloating { path, name: name.to_string(), found })
            }
        }
    }

    /// True if two tensors, of this file or another, have identical bytes.
    pub fn is_same(&self, name: &str, other_file: &Self, other: &str) -> bool {
        let (Ok(one), Ok(two)) = (self.tensors.get(name), other_file.tensors.get(other)) else { return false };
        let same = one.dtype() == two.dtype() && one.shape() == two.shape() && one.data() == two.data();
        self.release_pages(name);
        other_file.release_pages(other);
        same
    }

    /// Releases the mapped pages of a tensor that has been copied; otherwise it would occupy memory twice.
    fn release_pages(&self, name: &str) {
        let Ok(view) = self.tensors.get(name) else { return };
        let bytes = view.data();
        let first = bytes.as_ptr().align_offset(PAGE).min(bytes.len());
        let length = (bytes.len() - first) / PAGE * PAGE;
        let pages = bytes[first..first + length].as_ptr().cast_mut().cast();
        // SAFETY: whole pages within a read-only mapping; if they are accessed again, they are read from the file again.
        #[allow(unsafe_code, reason = "madvise is the only way to release the mapped pages")]
        let _ = unsafe { libc::madvise(pages, length, libc::MADV_DONTNEED) };
    }
}

/// Index of the first NaN or infinite element; the type's name as an error if it is not floating-point.
fn first_bad_element(tensor: &Tensor) -> Result<Option<usize>, String> {
    let (storage, _) = tensor.storage_and_layout();
    match &*storage {
        Storage::Cpu(CpuStorage::F32(values)) => Ok(values.iter().position(|value| !value.is_finite())),
        Storage::Cpu(CpuStorage::F16(values)) => Ok(values.iter().position(|value| !value.is_finite())),
        Storage::Cpu(CpuStorage::BF16(values)) => Ok(values.iter().position(|value| !value.is_finite())),
        _ => Err(tensor.dtype().as_str().to_string()),
    }
}

/// The message without the path that candle adds, since ours contains it already.
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

    /// Resident size of the mapping of `path` in KiB.
    fn resident(path: &Path) -> usize {
        let maps = std::fs::read_to_string("/proc/self/smaps").unwrap();
        let mapping = maps.split_once(path.to_str().unwrap()).unwrap().1;
        let line = mapping.lines().find_map(|line| line.strip_prefix("Rss:")).unwrap();
        line.trim().strip_suffix(" kB").unwrap().parse().unwrap()
    }

    #[test]
    fn copied_tensors_do_not_stay_resident() {
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

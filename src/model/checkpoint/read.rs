//! Reading `model.safetensors`, or the shards that `model.safetensors.index.json` lists.

use super::CheckpointError;
use candle_core::{CpuStorage, DType, Device, Shape, Storage, Tensor, Var};
use candle_nn::var_builder::SimpleBackend;
use candle_nn::{Init, VarBuilder, VarMap};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::PoisonError;

const SINGLE: &str = "model.safetensors";
const SHARDED: &str = "model.safetensors.index.json";

/// The tensors of a checkpoint, in the type they are stored in, each with the file it came from.
#[derive(Clone, Debug)]
pub struct Weights {
    tensors: HashMap<String, (Tensor, usize)>,
    files: Vec<PathBuf>,
}

impl Weights {
    /// Reads all weight files of `folder` to the CPU.
    pub fn read(folder: &Path) -> Result<Self, CheckpointError> {
        let files = Self::files_of(folder)?;
        let mut tensors = HashMap::new();
        for (number, path) in files.iter().enumerate() {
            let bytes = read_file(path)?;
            let loaded = candle_core::safetensors::load_buffer(&bytes, &Device::Cpu)
                .map_err(|error| CheckpointError::BadSafetensors { path: path.clone(), reason: error.to_string() })?;
            for (name, tensor) in loaded {
                tensors.insert(name, (tensor, number));
            }
        }
        Ok(Self { tensors, files })
    }

    /// The weight files of `folder`, sorted: one, or the shards of the index.
    pub fn files_of(folder: &Path) -> Result<Vec<PathBuf>, CheckpointError> {
        if !folder.is_dir() {
            return Err(CheckpointError::FolderMissing(folder.to_path_buf()));
        }
        let single = folder.join(SINGLE);
        if single.is_file() {
            return Ok(vec![single]);
        }
        let index_path = folder.join(SHARDED);
        if !index_path.is_file() {
            return Err(CheckpointError::FileMissing {
                folder: folder.to_path_buf(),
                file: SINGLE.to_string(),
                purpose: "it holds the weights",
            });
        }
        let index = read_json(folder, SHARDED, "it lists the weight files")?;
        let Some(map) = index.get("weight_map").and_then(Value::as_object) else {
            return Err(CheckpointError::BadJson {
                path: index_path,
                reason: "field weight_map: expected an object from tensor name to file name".to_string(),
            });
        };
        let names: BTreeSet<&str> = map.values().filter_map(Value::as_str).collect();
        Ok(names.into_iter().map(|name| folder.join(name)).collect())
    }

    /// The same tensors under other names.
    #[must_use]
    pub fn renamed(self, new_name: impl Fn(&str) -> String) -> Self {
        let tensors = self.tensors.into_iter().map(|(name, entry)| (new_name(&name), entry)).collect();
        Self { tensors, files: self.files }
    }

    /// A builder over these weights, cast to `dtype` on `device`. What the model asks for is checked as it is asked
    /// for: presence, shape, finite values; the error names tensor and file.
    pub fn builder(self, dtype: DType, device: &Device) -> VarBuilder<'static> {
        VarBuilder::from_backend(Box::new(self), dtype, device.clone())
    }

    /// Sets every variable of `variables` from these weights, for fine-tuning. All are checked before any is set.
    pub fn load_into(&self, variables: &VarMap) -> anyhow::Result<()> {
        self.load_part_into(variables, &[""])
    }

    /// The same for the variables whose names begin with one of `prefixes`; the others keep their values.
    pub fn load_part_into(&self, variables: &VarMap, prefixes: &[&str]) -> anyhow::Result<()> {
        let variables = variables.data().lock().unwrap_or_else(PoisonError::into_inner);
        let wanted = |name: &str| prefixes.iter().any(|prefix| name.starts_with(prefix));
        let sorted: BTreeMap<&String, &Var> = variables.iter().filter(|(name, _)| wanted(name)).collect();
        for (name, variable) in &sorted {
            self.checked(name, variable.shape())?;
        }
        for (name, variable) in sorted {
            self.set(name, variable)?;
        }
        Ok(())
    }

    /// Sets one variable from the tensor of this name.
    pub fn set(&self, name: &str, variable: &Var) -> anyhow::Result<()> {
        let value = self.checked(name, variable.shape())?;
        Ok(variable.set(&value.to_dtype(variable.dtype())?.to_device(variable.device())?)?)
    }

    /// Names of all tensors, sorted.
    pub fn names(&self) -> BTreeSet<&str> {
        self.tensors.keys().map(String::as_str).collect()
    }

    fn checked(&self, name: &str, expected: &Shape) -> Result<&Tensor, CheckpointError> {
        let Some((tensor, file)) = self.tensors.get(name) else {
            let path = self.files.first().cloned().unwrap_or_default();
            return Err(CheckpointError::TensorMissing { path, name: name.to_string() });
        };
        let path = self.files[*file].clone();
        if tensor.shape() != expected {
            let (expected, found) = (expected.dims().to_vec(), tensor.dims().to_vec());
            return Err(CheckpointError::WrongShape { path, name: name.to_string(), expected, found });
        }
        match first_bad_element(tensor) {
            Ok(None) => Ok(tensor),
            Ok(Some(element)) => Err(CheckpointError::NotFinite { path, name: name.to_string(), element }),
            Err(found) => Err(CheckpointError::NotFloating { path, name: name.to_string(), found }),
        }
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

impl SimpleBackend for Weights {
    fn get(&self, shape: Shape, name: &str, _init: Init, dtype: DType, device: &Device) -> candle_core::Result<Tensor> {
        // `Error::wrap` would print a backtrace with a message that is for people.
        let tensor = self.checked(name, &shape).map_err(|error| candle_core::Error::Wrapped(Box::new(error)))?;
        tensor.to_device(device)?.to_dtype(dtype)
    }

    fn get_unchecked(&self, name: &str, dtype: DType, device: &Device) -> candle_core::Result<Tensor> {
        let shape = self.tensors.get(name).map_or_else(|| Shape::from(()), |(tensor, _)| tensor.shape().clone());
        self.get(shape, name, Init::Const(0.0), dtype, device)
    }

    fn contains_tensor(&self, name: &str) -> bool {
        self.tensors.contains_key(name)
    }
}

/// Reads the JSON file `file` of a checkpoint folder; `purpose` completes "it …" in the message of a missing file.
pub fn read_json(folder: &Path, file: &str, purpose: &'static str) -> Result<Value, CheckpointError> {
    if !folder.is_dir() {
        return Err(CheckpointError::FolderMissing(folder.to_path_buf()));
    }
    let path = folder.join(file);
    if !path.is_file() {
        return Err(CheckpointError::FileMissing { folder: folder.to_path_buf(), file: file.to_string(), purpose });
    }
    let bytes = read_file(&path)?;
    serde_json::from_slice(&bytes)
        .map_err(|error| CheckpointError::BadJson { path, reason: format!("not valid JSON: {error}") })
}

fn read_file(path: &Path) -> Result<Vec<u8>, CheckpointError> {
    fs::read(path).map_err(|error| CheckpointError::Unreadable { path: path.to_path_buf(), reason: error.to_string() })
}

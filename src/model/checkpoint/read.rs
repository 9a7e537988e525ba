//! The tensors of `model.safetensors`, or of the shards that `model.safetensors.index.json` lists.

use super::CheckpointError;
use super::adapter::Adapter;
use super::mapped::MappedFile;
use super::shards::weight_files;
use candle_core::{CpuStorage, DType, Device, Shape, Storage, Tensor, Var};
use candle_nn::var_builder::SimpleBackend;
use candle_nn::{Init, VarBuilder, VarMap};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError};

/// The tensors of a checkpoint, in the type they are stored in, in mapped files.
#[derive(Clone, Debug)]
pub struct Weights {
    places: HashMap<String, Place>,
    files: Arc<Vec<MappedFile>>,
    adapter: Option<Arc<Adapter>>,
}

/// Where a tensor is.
#[derive(Clone, Debug)]
struct Place {
    file: usize,
    /// Its name there.
    name: String,
    elements: usize,
}

impl Weights {
    /// Maps all weight files of `folder`.
    pub fn read(folder: &Path) -> Result<Self, CheckpointError> {
        let mut places = HashMap::new();
        let mut files = Vec::new();
        for path in weight_files(folder)? {
            let file = MappedFile::open(&path)?;
            for (name, view) in file.tensors() {
                let elements = view.shape().iter().product();
                let place = Place { file: files.len(), name: name.clone(), elements };
                if places.insert(name.clone(), place).is_some() {
                    return Err(CheckpointError::TensorTwice { path, name });
                }
            }
            files.push(file);
        }
        Ok(Self { places, files: Arc::new(files), adapter: None })
    }

    /// The weight files of `folder`, sorted: one, or the shards of the index.
    pub fn files_of(folder: &Path) -> Result<Vec<PathBuf>, CheckpointError> {
        weight_files(folder)
    }

    /// The same tensors under other names.
    #[must_use]
    pub fn renamed(self, new_name: impl Fn(&str) -> String) -> Self {
        let places = self.places.into_iter().map(|(name, place)| (new_name(&name), place)).collect();
        Self { places, ..self }
    }

    /// These weights with an adapter merged into them as they are asked for. `new_name` is that of [`Self::renamed`].
    ///
    /// # Errors
    /// An adapter for a tensor that is not there or has another shape.
    pub fn with_adapter(self, adapter: Adapter, new_name: impl Fn(&str) -> String) -> anyhow::Result<Self> {
        let adapter = adapter.renamed(new_name);
        for name in adapter.names() {
            let Some(place) = self.places.get(name) else {
                anyhow::bail!(
                    "{}: it changes the tensor {name}, which the model does not have",
                    adapter.path.display()
                );
            };
            adapter.check_shape(name, &self.files[place.file].shape_of(&place.name)?)?;
        }
        Ok(Self { adapter: Some(Arc::new(adapter)), ..self })
    }

    /// Number of values of all tensors.
    pub fn parameters(&self) -> usize {
        self.places.values().map(|place| place.elements).sum()
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
        self.places.keys().map(String::as_str).collect()
    }

    fn checked(&self, name: &str, expected: &Shape) -> Result<Tensor, CheckpointError> {
        let Some(place) = self.places.get(name) else {
            let path = self.files.first().map(|file| file.path.clone()).unwrap_or_default();
            return Err(CheckpointError::TensorMissing { path, name: name.to_string() });
        };
        let file = &self.files[place.file];
        let path = file.path.clone();
        let broken = |error: candle_core::Error| CheckpointError::BadSafetensors {
            path: file.path.clone(),
            reason: format!("tensor {name}: {error}"),
        };
        let found = file.shape_of(&place.name).map_err(broken)?;
        if found != expected.dims() {
            let expected = expected.dims().to_vec();
            return Err(CheckpointError::WrongShape { path, name: name.to_string(), expected, found });
        }
        let tensor = file.load(&place.name).map_err(broken)?;
        match first_bad_element(&tensor) {
            Ok(None) => {}
            Ok(Some(element)) => return Err(CheckpointError::NotFinite { path, name: name.to_string(), element }),
            Err(found) => return Err(CheckpointError::NotFloating { path, name: name.to_string(), found }),
        }
        match &self.adapter {
            None => Ok(tensor),
            Some(adapter) => adapter.merged(name, tensor).map_err(broken),
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
        let shape = match self.places.get(name) {
            None => Shape::from(()),
            Some(place) => Shape::from(self.files[place.file].shape_of(&place.name)?),
        };
        self.get(shape, name, Init::Const(0.0), dtype, device)
    }

    fn contains_tensor(&self, name: &str) -> bool {
        self.places.contains_key(name)
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

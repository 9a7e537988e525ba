//! The tensors of a checkpoint, loaded on demand.

use super::CheckpointError;
use super::adapter::Adapter;
use super::files::WeightFiles;
use super::layout::{Part, TargetTensor, identity};
use super::mapped::MappedFile;
use super::unused::{UnusedTensors, is_harmless};
use crate::model::gguf::{DecoderSpec, GgufDecoder};
use candle_core::{CpuStorage, DType, Device, Shape, Storage, Tensor, Var};
use candle_nn::var_builder::SimpleBackend;
use candle_nn::{Init, VarBuilder, VarMap};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// The smallest f32 that rounds to infinity in f16: halfway between 65504 and 65536.
const BEYOND_F16: f32 = 65_520.0;

/// The tensors of a checkpoint in their stored types. Files are memory-mapped: tensors that no network uses are never
/// read.
#[derive(Clone, Debug)]
pub struct Weights {
    tensors: HashMap<String, Entry>,
    files: Vec<Arc<MappedFile>>,
    /// Merged into tensors as they are loaded.
    adapter: Option<Arc<Adapter>>,
    /// A quantised decoder, whose tensors replace the stored ones.
    decoder: Option<Arc<GgufDecoder>>,
    /// Names of tensors that a network has loaded.
    used: Arc<Mutex<BTreeSet<String>>>,
}

/// The source of a tensor.
#[derive(Clone, Debug)]
enum Entry {
    Stored {
        file: usize,
        name: String,
        /// Shape of the stored tensor.
        shape: Vec<usize>,
        part: Part,
    },
    /// The identity matrix of this size.
    Identity(usize),
    /// A tensor of the quantised decoder, with its shape.
    Quantised(Vec<usize>),
}

impl Entry {
    /// The shape that a network sees; `None` if the stored tensor has no such part.
    fn shape(&self) -> Option<Vec<usize>> {
        match self {
            Self::Stored { shape, part, .. } => part.shape(shape),
            Self::Identity(size) => Some(vec![*size, *size]),
            Self::Quantised(shape) => Some(shape.clone()),
        }
    }
}

impl Weights {
    /// Maps all weight files of `folder`.
    ///
    /// # Errors
    /// Fails if a file is missing or has an invalid header, or a shard lacks a tensor that the index lists.
    pub fn read(folder: &Path) -> Result<Self, CheckpointError> {
        let WeightFiles { files: paths, listed } = WeightFiles::of(folder)?;
        let mut files = Vec::with_capacity(paths.len());
        let mut tensors = HashMap::new();
        for (number, path) in paths.iter().enumerate() {
            let file = MappedFile::open(path)?;
            for (name, shape) in file.shapes() {
                let entry = Entry::Stored { file: number, name: name.clone(), shape, part: Part::Whole };
                if tensors.insert(name.clone(), entry).is_some() {
                    return Err(CheckpointError::TensorTwice { path: path.clone(), name });
                }
            }
            files.push(Arc::new(file));
        }
        for (name, file) in listed {
            if !tensors.contains_key(&name) {
                return Err(CheckpointError::TensorMissing { path: paths[file].clone(), name });
            }
        }
        Ok(Self { tensors, files, adapter: None, decoder: None, used: Arc::default() })
    }

    /// The weight files of `folder`, sorted: a single file or the shards of the index.
    pub fn files_of(folder: &Path) -> Result<Vec<PathBuf>, CheckpointError> {
        Ok(WeightFiles::of(folder)?.files)
    }

    /// Renames all tensors by `new_name`.
    #[must_use]
    pub fn renamed(self, new_name: impl Fn(&str) -> String) -> Self {
        self.rearranged(|name| vec![TargetTensor::whole(new_name(name))])
    }

    /// Maps each stored tensor to the network's tensors made from it: none, one or several.
    #[must_use]
    pub(crate) fn rearranged(self, targets: impl Fn(&str) -> Vec<TargetTensor>) -> Self {
        let mut tensors = HashMap::with_capacity(self.tensors.len());
        for (name, entry) in self.tensors {
            for TargetTensor { name: new_name, part: new_part } in targets(&name) {
                let entry = match &entry {
                    Entry::Stored { file, name, shape, part: Part::Whole } => {
                        Entry::Stored { file: *file, name: name.clone(), shape: shape.clone(), part: new_part }
                    }
                    // No layout needs a part of a part.
                    other => other.clone(),
                };
                tensors.insert(new_name, entry);
            }
        }
        Self { tensors, ..self }
    }

    /// Merges an adapter into tensors as they are loaded. `new_name` must be the one passed to [`Self::renamed`].
    ///
    /// # Errors
    /// Fails if the adapter changes a tensor that is missing or has another shape.
    pub(crate) fn with_adapter(self, adapter: Adapter, new_name: impl Fn(&str) -> String) -> anyhow::Result<Self> {
        let adapter = adapter.renamed(new_name);
        for name in adapter.names() {
            let Some(shape) = self.shape(name) else {
                anyhow::bail!(
                    "{}: the adapter changes tensor {name}, which the model does not have",
                    adapter.path.display()
                );
            };
            adapter.check_shape(name, &shape)?;
        }
        Ok(Self { adapter: Some(Arc::new(adapter)), ..self })
    }

    /// Replaces the decoder's tensors, named as in `spec`, by those of a GGUF file.
    #[must_use]
    pub(crate) fn with_decoder(mut self, decoder: Arc<GgufDecoder>, spec: DecoderSpec<'_>) -> Self {
        self.tensors.retain(|name, _| !spec.has(name));
        let tensors = decoder.shapes().map(|(name, shape)| (name.to_string(), Entry::Quantised(shape.to_vec())));
        self.tensors.extend(tensors);
        Self { decoder: Some(decoder), ..self }
    }

    /// The quantised decoder, if there is one.
    pub fn decoder(&self) -> Option<&Arc<GgufDecoder>> {
        self.decoder.as_ref()
    }

    /// Number of parameters, without those of a quantised decoder.
    pub fn parameters(&self) -> usize {
        let plain = self.tensors.values().filter(|entry| !matches!(entry, Entry::Quantised(_)));
        plain.filter_map(Entry::shape).map(|shape| shape.iter().product::<usize>()).sum()
    }

    /// The floating-point type of most parameters.
    pub(crate) fn usual_dtype(&self) -> Option<DType> {
        let mut counts: Vec<(DType, usize)> = Vec::new();
        for (dtype, count) in self.files.iter().flat_map(|file| file.values_by_type()) {
            match counts.iter_mut().find(|(known, _)| *known == dtype) {
                Some((_, sum)) => *sum += count,
                None => counts.push((dtype, count)),
            }
        }
        counts.into_iter().max_by_key(|(_, count)| *count).map(|(dtype, _)| dtype)
    }

    /// Adds the tensor `name`, the identity matrix [size, size].
    #[must_use]
    pub(crate) fn with_identity(mut self, name: &str, size: usize) -> Self {
        self.tensors.insert(name.to_string(), Entry::Identity(size));
        self
    }

    /// A builder that loads these weights as `dtype` to `device`. It fails for a tensor that is missing, has another shape, or
    /// has a value that is not finite in the file or in `dtype`; the message names tensor and file.
    pub fn builder(self, dtype: DType, device: &Device) -> VarBuilder<'static> {
        VarBuilder::from_backend(Box::new(self), dtype, device.clone())
    }

    /// Checks that the network built from these weights, or from clones of them, has loaded every stored tensor; otherwise it
    /// differs from the saved one. Tensors without effect are exempt, and with `tied` embeddings the output matrix. Those of
    /// a quantised decoder are checked when its file is opened.
    pub fn check_all_used(&self, tied: bool) -> Result<(), CheckpointError> {
        let used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        let is_unused = |(name, entry): &(&String, &Entry)| {
            matches!(entry, Entry::Stored { .. }) && !used.contains(*name) && !is_harmless(name, tied)
        };
        let mut unused: Vec<&str> =
            self.tensors.iter().filter(is_unused).map(|(name, _)| self.stored_name(name)).collect();
        unused.sort_unstable();
        // A stored tensor may fill several tensors of the network.
        unused.dedup();
        let Some(first) = unused.first() else {
            return if tied { self.check_tied(&used) } else { Ok(()) };
        };
        let holder = self.files.iter().find(|file| file.has(first));
        let path = holder.map(|file| file.path().to_path_buf()).unwrap_or_default();
        Err(CheckpointError::TensorsUnused { path, unused: UnusedTensors::of(&unused) })
    }

    /// Fails if embeddings are tied but the stored output matrix differs from the embedding: versions of transformers
    /// disagree on which one is used.
    fn check_tied(&self, used: &BTreeSet<String>) -> Result<(), CheckpointError> {
        let stored = |end: &str, is_used: bool| {
            self.tensors.iter().find_map(|(name, entry)| match entry {
                Entry::Stored { file, name: stored, part: Part::Whole, .. }
                    if name.ends_with(end) && used.contains(name) == is_used =>
                {
                    Some((&self.files[*file], stored))
                }
                _ => None,
            })
        };
        let (Some((file, name)), Some((other, embedding))) =
            (stored("lm_head.weight", false), stored("embed_tokens.weight", true))
        else {
            return Ok(());
        };
        if file.is_same(name, other, embedding) {
            return Ok(());
        }
        let (path, name, embedding) = (file.path().to_path_buf(), name.clone(), embedding.clone());
        Err(CheckpointError::TiedDiffers { path, name, embedding })
    }

    /// Sets every variable from these weights, for fine-tuning. All are checked before any is set.
    pub fn load_into(&self, variables: &VarMap) -> anyhow::Result<()> {
        self.load_part_into(variables, &[""])
    }

    /// [`Self::load_into`] for the variables whose names start with one of `prefixes`; the others keep their values.
    pub fn load_part_into(&self, variables: &VarMap, prefixes: &[&str]) -> anyhow::Result<()> {
        let variables = variables.data().lock().unwrap_or_else(PoisonError::into_inner);
        let wanted = |name: &str| prefixes.iter().any(|prefix| name.starts_with(prefix));
        let sorted: BTreeMap<&String, &Var> = variables.iter().filter(|(name, _)| wanted(name)).collect();
        for (name, variable) in &sorted {
            self.checked_for(name, variable.shape(), variable.dtype())?;
        }
        for (name, variable) in sorted {
            self.set(name, variable)?;
        }
        Ok(())
    }

    /// Sets one variable from the tensor `name`.
    pub fn set(&self, name: &str, variable: &Var) -> anyhow::Result<()> {
        let value = self.checked_for(name, variable.shape(), variable.dtype())?;
        Ok(variable.set(&value.to_dtype(variable.dtype())?.to_device(variable.device())?)?)
    }

    /// Names of all tensors, sorted.
    pub fn names(&self) -> BTreeSet<&str> {
        self.tensors.keys().map(String::as_str).collect()
    }

    /// The shape of a tensor, if it exists.
    pub fn shape(&self, name: &str) -> Option<Vec<usize>> {
        self.tensors.get(name).and_then(Entry::shape)
    }

    /// Loads the tensor `name` in its stored type.
    ///
    /// # Errors
    /// Fails if it is missing or has a value that is not finite.
    pub(in crate::model) fn load(&self, name: &str) -> Result<Tensor, CheckpointError> {
        self.checked(name, &Shape::from(self.shape(name).unwrap_or_default()))
    }

    /// Number of layers: one more than the highest index that follows `prefix` in a tensor name.
    pub(crate) fn layers_below(&self, prefix: &str) -> usize {
        let numbers = self.tensors.keys().filter_map(|name| {
            let (number, _) = name.strip_prefix(prefix)?.split_once('.')?;
            number.parse::<usize>().ok()
        });
        numbers.max().map_or(0, |highest| highest.saturating_add(1))
    }

    /// Loads a tensor in its stored type after checking that its values are finite in `dtype`.
    fn checked_for(&self, name: &str, expected: &Shape, dtype: DType) -> Result<Tensor, CheckpointError> {
        let tensor = self.checked(name, expected)?;
        if dtype != DType::F16 {
            return Ok(tensor);
        }
        let (path, name) = (self.path_of(name), self.stored_name(name).to_string());
        match first_beyond_f16(&tensor) {
            Ok(None) => Ok(tensor),
            Ok(Some((element, value))) => Err(CheckpointError::BeyondF16 { path, name, element, value }),
            Err(error) => Err(CheckpointError::BadSafetensors { path, reason: format!("tensor {name}: {error}") }),
        }
    }

    fn checked(&self, name: &str, expected: &Shape) -> Result<Tensor, CheckpointError> {
        self.used.lock().unwrap_or_else(PoisonError::into_inner).insert(name.to_string());
        let path = self.path_of(name);
        let Some(entry) = self.tensors.get(name) else {
            return Err(CheckpointError::TensorMissing { path, name: name.to_string() });
        };
        let stored_name = self.stored_name(name).to_string();
        if entry.shape().as_deref() != Some(expected.dims()) {
            let found = match entry {
                Entry::Stored { shape, .. } | Entry::Quantised(shape) => shape.clone(),
                Entry::Identity(size) => vec![*size, *size],
            };
            let expected = expected.dims().to_vec();
            return Err(CheckpointError::WrongShape { path, name: stored_name, expected, found });
        }
        let unreadable = |error: candle_core::Error| CheckpointError::BadSafetensors {
            path: path.clone(),
            reason: format!("tensor {stored_name}: {error}"),
        };
        let tensor = match entry {
            Entry::Identity(size) => identity(*size).map_err(unreadable)?,
            Entry::Quantised(_) => {
                let stored = self.decoder.as_ref().map(|decoder| decoder.dequantised(name)).transpose()?.flatten();
                stored.ok_or_else(|| CheckpointError::TensorMissing { path: path.clone(), name: name.to_string() })?
            }
            Entry::Stored { file, part, .. } => part.of(&self.files[*file].load(&stored_name)?).map_err(unreadable)?,
        };
        match &self.adapter {
            None => Ok(tensor),
            Some(adapter) => adapter.merged(name, tensor).map_err(unreadable),
        }
    }

    /// The file of a tensor; the first weight file if there is no such tensor.
    fn path_of(&self, name: &str) -> PathBuf {
        let file = match self.tensors.get(name) {
            Some(Entry::Stored { file, .. }) => *file,
            Some(Entry::Quantised(_)) => {
                return self.decoder.as_ref().and_then(|decoder| decoder.path_of(name)).unwrap_or_default();
            }
            Some(Entry::Identity(_)) | None => 0,
        };
        self.files.get(file).map(|file| file.path().to_path_buf()).unwrap_or_default()
    }

    /// The tensor's name in its file.
    fn stored_name<'a>(&'a self, name: &'a str) -> &'a str {
        match self.tensors.get(name) {
            Some(Entry::Stored { name, .. }) => name,
            Some(Entry::Identity(_) | Entry::Quantised(_)) | None => name,
        }
    }
}

/// Index and value of the first element of a CPU tensor that rounds to infinity in f16.
fn first_beyond_f16(tensor: &Tensor) -> candle_core::Result<Option<(usize, f32)>> {
    let tensor = tensor.contiguous()?;
    let (storage, layout) = tensor.storage_and_layout();
    let place = layout.start_offset()..layout.start_offset() + tensor.elem_count();
    let is_beyond = |(_, value): &(usize, f32)| value.abs() >= BEYOND_F16;
    Ok(match &*storage {
        Storage::Cpu(CpuStorage::F32(values)) => values[place].iter().copied().enumerate().find(is_beyond),
        Storage::Cpu(CpuStorage::BF16(values)) => {
            values[place].iter().map(|value| value.to_f32()).enumerate().find(is_beyond)
        }
        _ => None,
    })
}

impl SimpleBackend for Weights {
    fn get(&self, shape: Shape, name: &str, _init: Init, dtype: DType, device: &Device) -> candle_core::Result<Tensor> {
        // `Error::wrap` would add a backtrace to the user's message.
        let tensor =
            self.checked_for(name, &shape, dtype).map_err(|error| candle_core::Error::Wrapped(Box::new(error)))?;
        tensor.to_device(device)?.to_dtype(dtype)
    }

    fn get_unchecked(&self, name: &str, dtype: DType, device: &Device) -> candle_core::Result<Tensor> {
        let shape = self.shape(name).map_or_else(|| Shape::from(()), Shape::from);
        self.get(shape, name, Init::Const(0.0), dtype, device)
    }

    fn contains_tensor(&self, name: &str) -> bool {
        self.tensors.contains_key(name)
    }
}

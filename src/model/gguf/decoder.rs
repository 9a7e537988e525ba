//! A decoder in a GGUF file: found, checked against `config.json`, read tensor by tensor.

use super::header::check_header;
use super::metadata::check_metadata;
use super::tensors::{TABLES, Wanted, wanted, with_halves_apart};
use crate::model::checkpoint::CheckpointError;
use crate::model::decoder::TextConfig;
use candle_core::quantized::gguf_file::Content;
use candle_core::quantized::{GgmlDType, QStorage, QTensor};
use candle_core::{Device, Tensor};
use rayon::prelude::*;
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;
use std::fs::File;
use std::io::{BufReader, Seek};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// Rows whose values are checked together.
const ROWS_AT_A_TIME: usize = 256;

/// Which decoder is looked for, and where the network has it.
#[derive(Clone, Copy, Debug)]
pub struct DecoderPlace<'a> {
    pub config: &'a TextConfig,
    /// The output matrix is the embedding.
    pub tied: bool,
    /// Name of the decoder: `model`.
    pub inner: &'a str,
    /// Name of what the output matrix is in; may be empty.
    pub outer: &'a str,
}

impl DecoderPlace<'_> {
    /// Whether a tensor of the network is the decoder's.
    pub fn has(&self, name: &str) -> bool {
        let below = |place: &str| name.strip_prefix(place).is_some_and(|rest| rest.starts_with('.'));
        below(self.inner) || name == self.name_of("lm_head.weight", true)
    }

    fn name_of(&self, network: &str, is_output: bool) -> String {
        match if is_output { self.outer } else { self.inner } {
            "" => network.to_string(),
            place => format!("{place}.{network}"),
        }
    }
}

/// The GGUF file of a checkpoint folder: the only one that is not an image tower (`mmproj`).
///
/// # Errors
/// More than one.
pub fn decoder_file(folder: &Path) -> Result<Option<PathBuf>, CheckpointError> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let is_decoder = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
        let is_gguf = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("gguf"));
        is_gguf && !name.contains("mmproj") && path.is_file()
    };
    let mut found: Vec<PathBuf> = entries.map(|entry| entry.path()).filter(is_decoder).collect();
    found.sort();
    match found.as_slice() {
        [] => Ok(None),
        [only] => Ok(Some(only.clone())),
        [first, .., last] => {
            let count = found.len();
            let reason =
                format!("expected one decoder (*.gguf) in the folder, found {count}, up to {}", last.display());
            Err(CheckpointError::BadGguf { path: first.clone(), reason })
        }
    }
}

/// An open file whose header has been checked.
pub struct GgufDecoder {
    path: PathBuf,
    file: Mutex<BufReader<File>>,
    content: Content,
    /// By the network's name.
    places: BTreeMap<String, Wanted>,
    bytes: u64,
}

impl GgufDecoder {
    /// Opens `path` and compares it with the configuration.
    ///
    /// # Errors
    /// A file that is no GGUF file or ends too soon, fields or tensors other than the configuration asks for; each is
    /// named.
    pub fn open(path: &Path, place: DecoderPlace<'_>) -> Result<Self, CheckpointError> {
        let bad = |reason: String| CheckpointError::BadGguf { path: path.to_path_buf(), reason };
        let file = File::open(path).map_err(|error| bad(error.to_string()))?;
        let bytes = file.metadata().map_err(|error| bad(error.to_string()))?.len();
        let mut reader = BufReader::new(file);
        check_header(&mut reader)
            .and_then(|()| reader.rewind())
            .map_err(|error| bad(format!("not a whole GGUF file: {error}")))?;
        let mut content = Content::read(&mut reader)
            .map_err(|error| bad(format!("not a whole GGUF file: {}", first_line(&error))))?;
        check_metadata(&content.metadata, place.config).map_err(bad)?;
        // The tokenizer is the checkpoint's; that of the file is large.
        content.metadata = HashMap::new();
        let mut places = BTreeMap::new();
        let mut known: BTreeSet<&str> = TABLES.into_iter().collect();
        let tensors = wanted(place.config, place.tied);
        for tensor in &tensors {
            known.insert(&tensor.name);
            let Some(info) = content.tensor_infos.get(&tensor.name) else {
                if tensor.optional {
                    continue;
                }
                return Err(bad(format!("tensor {} is missing", tensor.name)));
            };
            check_tensor(tensor, info.shape.dims(), info.ggml_dtype).map_err(bad)?;
            let length = tensor.shape.iter().product::<usize>() / info.ggml_dtype.block_size();
            let length = (length * info.ggml_dtype.type_size()) as u64;
            let end = content.tensor_data_offset.checked_add(info.offset).and_then(|start| start.checked_add(length));
            if end.is_none_or(|end| end > bytes) {
                return Err(bad(format!("tensor {} ends behind the end of the file", tensor.name)));
            }
            places.insert(place.name_of(&tensor.network, tensor.is_output()), tensor.clone());
        }
        if let Some(name) = content.tensor_infos.keys().filter(|name| !known.contains(name.as_str())).min() {
            return Err(bad(format!("tensor {name} has no place in the decoder that config.json describes")));
        }
        Ok(Self { path: path.to_path_buf(), file: Mutex::new(reader), content, places, bytes })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Of the whole file.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Names and shapes of all tensors, as the network has them.
    pub fn shapes(&self) -> impl Iterator<Item = (&str, &[usize])> {
        self.places.iter().map(|(name, tensor)| (name.as_str(), tensor.shape.as_slice()))
    }

    /// "Q4K and Q6K": what most of it is stored in.
    pub fn description(&self) -> String {
        let stored = self.places.values().filter(|tensor| tensor.shape.len() == 2);
        let types: BTreeSet<String> = stored
            .filter_map(|tensor| self.content.tensor_infos.get(&tensor.name))
            .map(|info| format!("{:?}", info.ggml_dtype))
            .collect();
        types.into_iter().collect::<Vec<_>>().join(" and ")
    }

    /// The tensor in its blocks, on `device`, if it is this file's.
    ///
    /// # Errors
    /// A file that cannot be read, a value that is not finite.
    pub fn quantised(&self, name: &str, device: &Device) -> Result<Option<Arc<QTensor>>, CheckpointError> {
        let Some(tensor) = self.places.get(name) else { return Ok(None) };
        let bad = |error: candle_core::Error| CheckpointError::BadGguf {
            path: self.path.clone(),
            reason: format!("tensor {}: {}", tensor.name, first_line(&error)),
        };
        let stored = {
            let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
            self.content.tensor(&mut *file, &tensor.name, &Device::Cpu).map_err(bad)?
        };
        if let Some(row) = row_not_finite(&stored).map_err(bad)? {
            let (path, name) = (self.path.clone(), tensor.name.clone());
            return Err(CheckpointError::BadGguf {
                path,
                reason: format!("tensor {name} has a value that is not a number or infinite, in row {row}"),
            });
        }
        if tensor.paired_heads.is_none() && device.is_cpu() {
            return Ok(Some(Arc::new(stored)));
        }
        let data = stored.data().map_err(bad)?;
        let data = match tensor.paired_heads {
            None => data,
            Some(heads) => Cow::Owned(with_halves_apart(&data, heads, tensor.shape[0])),
        };
        let placed = QStorage::from_data(data, device, stored.dtype());
        let placed = placed.and_then(|storage| QTensor::new(storage, tensor.shape.as_slice())).map_err(bad)?;
        Ok(Some(Arc::new(placed)))
    }

    /// The tensor in f32 on the CPU: norms and biases.
    ///
    /// # Errors
    /// As [`Self::quantised`].
    pub fn dequantised(&self, name: &str) -> Result<Option<Tensor>, CheckpointError> {
        let Some(tensor) = self.quantised(name, &Device::Cpu)? else { return Ok(None) };
        let values = tensor.dequantize(&Device::Cpu);
        Ok(Some(values.map_err(|error| CheckpointError::BadGguf {
            path: self.path.clone(),
            reason: format!("tensor {name}: {}", first_line(&error)),
        })?))
    }
}

/// Shape and type are those of the network.
fn check_tensor(tensor: &Wanted, found: &[usize], dtype: GgmlDType) -> Result<(), String> {
    if found != tensor.shape {
        let (name, expected) = (&tensor.name, &tensor.shape);
        return Err(format!("tensor {name} has shape {found:?}, the configuration asks for {expected:?}"));
    }
    // Types of intermediate results, which no matrix is stored in.
    if matches!(dtype, GgmlDType::Q8_1 | GgmlDType::Q8K) {
        return Err(format!("tensor {}: weights are not stored as {dtype:?}", tensor.name));
    }
    let (columns, block) = (tensor.shape.last().copied().unwrap_or(0), dtype.block_size());
    if !columns.is_multiple_of(block) {
        return Err(format!("tensor {}: rows of {columns} values in blocks of {block} ({dtype:?})", tensor.name));
    }
    Ok(())
}

/// The first row with a value that is not finite; a block with a bad scale has many.
fn row_not_finite(tensor: &QTensor) -> candle_core::Result<Option<usize>> {
    let Ok((rows, _)) = tensor.shape().dims2() else {
        let values: Vec<f32> = tensor.dequantize(&Device::Cpu)?.to_vec1()?;
        return Ok(values.iter().position(|value| !value.is_finite()));
    };
    let firsts: Vec<usize> = (0..rows).step_by(ROWS_AT_A_TIME).collect();
    let found: candle_core::Result<Vec<Option<usize>>> = firsts
        .into_par_iter()
        .map(|first| {
            let ids: Vec<u32> = (first..rows.min(first + ROWS_AT_A_TIME)).map(|row| row as u32).collect();
            let values = tensor.embedding(&Tensor::new(ids.as_slice(), &Device::Cpu)?)?.to_vec2::<f32>()?;
            let bad = values.iter().position(|row| row.iter().any(|value| !value.is_finite()));
            Ok(bad.map(|row| first + row))
        })
        .collect();
    Ok(found?.into_iter().flatten().next())
}

/// candle's messages may end with a backtrace.
fn first_line(error: &candle_core::Error) -> String {
    error.to_string().lines().next().unwrap_or_default().to_string()
}

impl fmt::Debug for GgufDecoder {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("GgufDecoder").field(&self.path).finish()
    }
}

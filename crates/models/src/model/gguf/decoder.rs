//! A decoder in a GGUF file, checked against `config.json` and loaded tensor by tensor.

use super::header::check_header;
use super::metadata::{check_metadata, check_part};
use super::rope::{check_table, tables};
use super::tensors::{ExpectedTensor, expected_tensors, with_split_halves};
use crate::model::checkpoint::CheckpointError;
use crate::model::decoder::TextConfig;
use candle_core::quantized::gguf_file::Content;
use candle_core::quantized::{GgmlDType, QStorage, QTensor};
use candle_core::{Device, Tensor};
use dissent_core::files::input_file;
use rayon::prelude::*;
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;
use std::fs::File;
use std::io::{BufReader, ErrorKind, Seek};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// Number of rows that are dequantised together to check their values.
const ROWS_PER_CHECK: usize = 256;

/// The expected decoder: its configuration and tensor names.
#[derive(Clone, Copy, Debug)]
pub struct DecoderSpec<'a> {
    pub config: &'a TextConfig,
    /// True if the output matrix is the token embedding.
    pub tied: bool,
    /// Prefix of the decoder's tensor names, such as `model`.
    pub inner: &'a str,
    /// Prefix of `lm_head`; may be empty.
    pub outer: &'a str,
}

impl DecoderSpec<'_> {
    /// True if the network's tensor `name` belongs to the decoder.
    pub fn has(&self, name: &str) -> bool {
        let below = |location: &str| name.strip_prefix(location).is_some_and(|rest| rest.starts_with('.'));
        below(self.inner) || name == self.name_of("lm_head.weight", true)
    }

    fn name_of(&self, network: &str, is_output: bool) -> String {
        match if is_output { self.outer } else { self.inner } {
            "" => network.to_string(),
            location => format!("{location}.{network}"),
        }
    }
}

/// A decoder in one GGUF file or several parts, opened and checked.
pub struct GgufDecoder {
    files: Vec<OpenFile>,
    /// Location of each tensor by its name in the network.
    locations: BTreeMap<String, Location>,
}

struct OpenFile {
    path: PathBuf,
    file: Mutex<BufReader<File>>,
    content: Content,
    bytes: u64,
}

/// A tensor, and the index of its file in `files`.
struct Location {
    expected: ExpectedTensor,
    file: usize,
}

impl OpenFile {
    fn open(path: &Path) -> Result<Self, CheckpointError> {
        let bad = |reason: String| CheckpointError::BadGguf { path: path.to_path_buf(), reason };
        let file = input_file::open(path).map_err(|error| bad(error.to_string()))?;
        let bytes = file.metadata().map_err(|error| bad(error.to_string()))?.len();
        let mut reader = BufReader::new(file);
        check_header(&mut reader).and_then(|()| reader.rewind()).map_err(|error| match error.kind() {
            ErrorKind::Unsupported => bad(error.to_string()),
            _ => bad(format!("not a complete GGUF file: {error}")),
        })?;
        let content = Content::read(&mut reader)
            .map_err(|error| bad(format!("not a complete GGUF file: {}", first_line(&error))))?;
        Ok(Self { path: path.to_path_buf(), file: Mutex::new(reader), content, bytes })
    }

    fn bad(&self, reason: String) -> CheckpointError {
        CheckpointError::BadGguf { path: self.path.clone(), reason }
    }

    /// The shape that the tensor must have in this file.
    fn shape_of(&self, expected: &ExpectedTensor) -> Vec<usize> {
        let Some(info) = self.content.tensor_infos.get(&expected.name).filter(|_| expected.may_be_cut) else {
            return expected.shape.clone();
        };
        match (info.shape.dims(), expected.shape.as_slice()) {
            ([rows, columns], [all, width]) if (1..=*all).contains(rows) && columns == width => vec![*rows, *columns],
            _ => expected.shape.clone(),
        }
    }

    /// Returns whether the file has the tensor.
    ///
    /// # Errors
    /// Fails if it has another shape or an unsupported type, or ends beyond the end of the file.
    fn check(&self, expected: &ExpectedTensor) -> Result<bool, CheckpointError> {
        let Some(info) = self.content.tensor_infos.get(&expected.name) else { return Ok(false) };
        check_tensor(expected, info.shape.dims(), info.ggml_dtype).map_err(|reason| self.bad(reason))?;
        let length = expected.shape.iter().product::<usize>() / info.ggml_dtype.block_size();
        let length = (length * info.ggml_dtype.type_size()) as u64;
        let start = self.content.tensor_data_offset.checked_add(info.offset);
        if start.and_then(|start| start.checked_add(length)).is_none_or(|end| end > self.bytes) {
            return Err(self.bad(format!("tensor {} ends beyond the end of the file", expected.name)));
        }
        Ok(true)
    }

    /// Loads the tensor `name` as stored.
    fn read(&self, name: &str) -> Result<QTensor, CheckpointError> {
        let mut reader = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        let read = self.content.tensor(&mut *reader, name, &Device::Cpu);
        read.map_err(|error| self.bad(format!("tensor {name}: {}", first_line(&error))))
    }

    /// Compares the RoPE table `name`, if the file has it.
    fn check_table(&self, name: &str, divisors: &[f64]) -> Result<(), CheckpointError> {
        if !self.check(&ExpectedTensor::plain(name, name, &[divisors.len()]))? {
            return Ok(());
        }
        let values = self.read(name)?.dequantize(&Device::Cpu).and_then(|table| table.to_vec1::<f32>());
        let values = values.map_err(|error| self.bad(format!("tensor {name}: {}", first_line(&error))))?;
        check_table(name, &values, divisors).map_err(|reason| self.bad(reason))
    }
}

impl GgufDecoder {
    /// Opens `paths`, one file or its parts in order, and compares them with the configuration.
    ///
    /// # Errors
    /// Fails if a file is not a valid GGUF file or incomplete, the parts do not belong together, or fields or tensors
    /// differ from the configuration. The message names the file and the field or tensor.
    pub fn open(paths: &[PathBuf], spec: DecoderSpec<'_>) -> Result<Self, CheckpointError> {
        let mut files = paths.iter().map(|path| OpenFile::open(path)).collect::<Result<Vec<_>, _>>()?;
        for (number, file) in files.iter().enumerate() {
            check_part(&file.content.metadata, number, paths.len()).map_err(|reason| file.bad(reason))?;
        }
        if let Some(first) = files.first() {
            check_metadata(&first.content.metadata, spec.config).map_err(|reason| first.bad(reason))?;
        }
        for file in &mut files {
            // Frees the file's tokenizer, which is large and not used.
            file.content.metadata = HashMap::new();
        }
        let mut locations = BTreeMap::new();
        let tables = tables(spec.config);
        let mut known = BTreeSet::new();
        for (name, divisors) in &tables {
            known.insert(*name);
            for file in &files {
                file.check_table(name, divisors)?;
            }
        }
        let tensors = expected_tensors(spec.config, spec.tied);
        for tensor in &tensors {
            known.insert(&tensor.name);
            let mut found = None;
            let mut tensor = tensor.clone();
            for (number, file) in files.iter().enumerate() {
                tensor.shape = file.shape_of(&tensor);
                if file.check(&tensor)? && found.replace(number).is_some() {
                    return Err(file.bad(format!("tensor {} is in several parts", tensor.name)));
                }
            }
            if let Some(file) = found {
                let name = spec.name_of(&tensor.network, tensor.is_output());
                locations.insert(name, Location { expected: tensor, file });
            } else if let (false, Some(file)) = (tensor.optional, files.first()) {
                return Err(file.bad(format!("tensor {} is missing", tensor.name)));
            }
        }
        for file in &files {
            let names = file.content.tensor_infos.keys();
            if let Some(name) = names.filter(|name| !known.contains(name.as_str())).min() {
                return Err(
                    file.bad(format!("tensor {name} has no counterpart in the decoder that config.json describes"))
                );
            }
        }
        Ok(Self { files, locations })
    }

    /// The file that contains the network's tensor `name`.
    pub(crate) fn path_of(&self, name: &str) -> Option<PathBuf> {
        self.locations.get(name).map(|location| self.files[location.file].path.clone())
    }

    /// Size of all files in bytes.
    pub fn bytes(&self) -> u64 {
        self.files.iter().map(|file| file.bytes).sum()
    }

    /// Names and shapes of all tensors, as in the network.
    pub fn shapes(&self) -> impl Iterator<Item = (&str, &[usize])> {
        self.locations.iter().map(|(name, location)| (name.as_str(), location.expected.shape.as_slice()))
    }

    /// The most used quantisation types, such as "Q4K and Q6K".
    pub fn description(&self) -> String {
        let stored = self.locations.values().filter(|location| location.expected.shape.len() == 2);
        let types: BTreeSet<String> = stored
            .filter_map(|location| self.files[location.file].content.tensor_infos.get(&location.expected.name))
            .map(|info| format!("{:?}", info.ggml_dtype))
            .collect();
        types.into_iter().collect::<Vec<_>>().join(" and ")
    }

    /// Loads a quantised tensor to `device`; `None` if the decoder has no such tensor.
    ///
    /// # Errors
    /// Fails if the file cannot be read or the tensor has a NaN or infinite value.
    pub fn quantised(&self, name: &str, device: &Device) -> Result<Option<Arc<QTensor>>, CheckpointError> {
        let Some(Location { expected: tensor, file }) = self.locations.get(name) else { return Ok(None) };
        let file = &self.files[*file];
        let bad = |error: candle_core::Error| file.bad(format!("tensor {}: {}", tensor.name, first_line(&error)));
        let stored = file.read(&tensor.name)?;
        if let Some(row) = row_not_finite(&stored).map_err(bad)? {
            let name = &tensor.name;
            return Err(file.bad(format!("tensor {name} has a NaN or infinite value in row {row}")));
        }
        if tensor.paired_heads.is_none() && device.is_cpu() {
            return Ok(Some(Arc::new(stored)));
        }
        let data = stored.data().map_err(bad)?;
        let data = match tensor.paired_heads {
            None => data,
            Some(heads) => Cow::Owned(with_split_halves(&data, heads, tensor.shape[0])),
        };
        let placed = QStorage::from_data(data, device, stored.dtype());
        let placed = placed.and_then(|storage| QTensor::new(storage, tensor.shape.as_slice())).map_err(bad)?;
        Ok(Some(Arc::new(placed)))
    }

    /// Loads a tensor as f32 to the CPU, for norms and biases.
    ///
    /// # Errors
    /// Fails as [`Self::quantised`] does.
    pub fn dequantised(&self, name: &str) -> Result<Option<Tensor>, CheckpointError> {
        let Some(location) = self.locations.get(name) else { return Ok(None) };
        let Some(tensor) = self.quantised(name, &Device::Cpu)? else { return Ok(None) };
        let bad = |error| self.files[location.file].bad(format!("tensor {name}: {}", first_line(&error)));
        Ok(Some(tensor.dequantize(&Device::Cpu).map_err(bad)?))
    }
}

/// Checks shape and type of a tensor.
fn check_tensor(tensor: &ExpectedTensor, found: &[usize], dtype: GgmlDType) -> Result<(), String> {
    if found != tensor.shape {
        let (name, expected) = (&tensor.name, &tensor.shape);
        return Err(format!("tensor {name} has shape {found:?}, the configuration requires {expected:?}"));
    }
    // These types are for intermediate results only.
    if matches!(dtype, GgmlDType::Q8_1 | GgmlDType::Q8K) {
        return Err(format!("tensor {}: weights are not stored as {dtype:?}", tensor.name));
    }
    let (columns, block) = (tensor.shape.last().copied().unwrap_or(0), dtype.block_size());
    if !columns.is_multiple_of(block) {
        return Err(format!(
            "tensor {}: expected rows that are multiples of the block size {block} of {dtype:?}, found {columns} values",
            tensor.name
        ));
    }
    Ok(())
}

/// The first row with a NaN or infinite value.
fn row_not_finite(tensor: &QTensor) -> candle_core::Result<Option<usize>> {
    let Ok((rows, _)) = tensor.shape().dims2() else {
        let values: Vec<f32> = tensor.dequantize(&Device::Cpu)?.to_vec1()?;
        return Ok(values.iter().position(|value| !value.is_finite()));
    };
    let firsts: Vec<usize> = (0..rows).step_by(ROWS_PER_CHECK).collect();
    let found: candle_core::Result<Vec<Option<usize>>> = firsts
        .into_par_iter()
        .map(|first| {
            let ids: Vec<u32> = (first..rows.min(first + ROWS_PER_CHECK)).map(|row| row as u32).collect();
            let values = tensor.embedding(&Tensor::new(ids.as_slice(), &Device::Cpu)?)?.to_vec2::<f32>()?;
            let bad = values.iter().position(|row| row.iter().any(|value| !value.is_finite()));
            Ok(bad.map(|row| first + row))
        })
        .collect();
    Ok(found?.into_iter().flatten().next())
}

/// candle's message without the backtrace that may follow it.
fn first_line(error: &candle_core::Error) -> String {
    error.to_string().lines().next().unwrap_or_default().to_string()
}

impl fmt::Debug for GgufDecoder {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let paths = self.files.iter().map(|file| &file.path);
        formatter.debug_list().entries(paths).finish()
    }
}

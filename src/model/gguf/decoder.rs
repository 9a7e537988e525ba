//! A decoder in a GGUF file: checked against `config.json`, read tensor by tensor.

use super::header::check_header;
use super::metadata::{check_metadata, check_part};
use super::rope::{check_table, tables};
use super::tensors::{Wanted, wanted, with_halves_apart};
use crate::files::input_file;
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
use std::io::{BufReader, ErrorKind, Seek};
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

/// An open file whose header has been checked, or the parts of one.
pub struct GgufDecoder {
    files: Vec<OpenFile>,
    /// By the network's name.
    places: BTreeMap<String, Place>,
}

struct OpenFile {
    path: PathBuf,
    file: Mutex<BufReader<File>>,
    content: Content,
    bytes: u64,
}

/// Which tensor, in which of the files.
struct Place {
    wanted: Wanted,
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
            _ => bad(format!("not a whole GGUF file: {error}")),
        })?;
        let content = Content::read(&mut reader)
            .map_err(|error| bad(format!("not a whole GGUF file: {}", first_line(&error))))?;
        Ok(Self { path: path.to_path_buf(), file: Mutex::new(reader), content, bytes })
    }

    fn bad(&self, reason: String) -> CheckpointError {
        CheckpointError::BadGguf { path: self.path.clone(), reason }
    }

    /// Checks the tensor `wanted` where the file has it; says whether it has.
    fn check(&self, wanted: &Wanted) -> Result<bool, CheckpointError> {
        let Some(info) = self.content.tensor_infos.get(&wanted.name) else { return Ok(false) };
        check_tensor(wanted, info.shape.dims(), info.ggml_dtype).map_err(|reason| self.bad(reason))?;
        let length = wanted.shape.iter().product::<usize>() / info.ggml_dtype.block_size();
        let length = (length * info.ggml_dtype.type_size()) as u64;
        let start = self.content.tensor_data_offset.checked_add(info.offset);
        if start.and_then(|start| start.checked_add(length)).is_none_or(|end| end > self.bytes) {
            return Err(self.bad(format!("tensor {} ends behind the end of the file", wanted.name)));
        }
        Ok(true)
    }

    /// The tensor `name` as stored.
    fn read(&self, name: &str) -> Result<QTensor, CheckpointError> {
        let mut reader = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        let read = self.content.tensor(&mut *reader, name, &Device::Cpu);
        read.map_err(|error| self.bad(format!("tensor {name}: {}", first_line(&error))))
    }

    /// Compares the table `name` of a scaled rotation where the file has it.
    fn check_table(&self, name: &str, divisors: &[f64]) -> Result<(), CheckpointError> {
        if !self.check(&Wanted::plain(name, name, &[divisors.len()]))? {
            return Ok(());
        }
        let values = self.read(name)?.dequantize(&Device::Cpu).and_then(|table| table.to_vec1::<f32>());
        let values = values.map_err(|error| self.bad(format!("tensor {name}: {}", first_line(&error))))?;
        check_table(name, &values, divisors).map_err(|reason| self.bad(reason))
    }
}

impl GgufDecoder {
    /// Opens `paths`, one file or its parts in their order, and compares them with the configuration.
    ///
    /// # Errors
    /// A file that is no GGUF file or ends too soon, parts of different files, fields or tensors other than the
    /// configuration asks for; each is named.
    pub fn open(paths: &[PathBuf], place: DecoderPlace<'_>) -> Result<Self, CheckpointError> {
        let mut files = paths.iter().map(|path| OpenFile::open(path)).collect::<Result<Vec<_>, _>>()?;
        for (number, file) in files.iter().enumerate() {
            check_part(&file.content.metadata, number, paths.len()).map_err(|reason| file.bad(reason))?;
        }
        if let Some(first) = files.first() {
            check_metadata(&first.content.metadata, place.config).map_err(|reason| first.bad(reason))?;
        }
        for file in &mut files {
            // The tokenizer is the checkpoint's; that of the file is large.
            file.content.metadata = HashMap::new();
        }
        let mut places = BTreeMap::new();
        let tables = tables(place.config);
        let mut known = BTreeSet::new();
        for (name, divisors) in &tables {
            known.insert(*name);
            for file in &files {
                file.check_table(name, divisors)?;
            }
        }
        let tensors = wanted(place.config, place.tied);
        for tensor in &tensors {
            known.insert(&tensor.name);
            let mut found = None;
            for (number, file) in files.iter().enumerate() {
                if file.check(tensor)? && found.replace(number).is_some() {
                    return Err(file.bad(format!("tensor {} is in another part too", tensor.name)));
                }
            }
            if let Some(file) = found {
                let name = place.name_of(&tensor.network, tensor.is_output());
                places.insert(name, Place { wanted: tensor.clone(), file });
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
        Ok(Self { files, places })
    }

    /// The file that has a tensor of the network.
    pub fn path_of(&self, name: &str) -> Option<PathBuf> {
        self.places.get(name).map(|place| self.files[place.file].path.clone())
    }

    /// Of all files.
    pub fn bytes(&self) -> u64 {
        self.files.iter().map(|file| file.bytes).sum()
    }

    /// Names and shapes of all tensors, as the network has them.
    pub fn shapes(&self) -> impl Iterator<Item = (&str, &[usize])> {
        self.places.iter().map(|(name, place)| (name.as_str(), place.wanted.shape.as_slice()))
    }

    /// "Q4K and Q6K": what most of it is stored in.
    pub fn description(&self) -> String {
        let stored = self.places.values().filter(|place| place.wanted.shape.len() == 2);
        let types: BTreeSet<String> = stored
            .filter_map(|place| self.files[place.file].content.tensor_infos.get(&place.wanted.name))
            .map(|info| format!("{:?}", info.ggml_dtype))
            .collect();
        types.into_iter().collect::<Vec<_>>().join(" and ")
    }

    /// The tensor in its blocks, on `device`, if it is this file's.
    ///
    /// # Errors
    /// A file that cannot be read, a value that is not finite.
    pub fn quantised(&self, name: &str, device: &Device) -> Result<Option<Arc<QTensor>>, CheckpointError> {
        let Some(Place { wanted: tensor, file }) = self.places.get(name) else { return Ok(None) };
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
        let Some(place) = self.places.get(name) else { return Ok(None) };
        let Some(tensor) = self.quantised(name, &Device::Cpu)? else { return Ok(None) };
        let bad = |error| self.files[place.file].bad(format!("tensor {name}: {}", first_line(&error)));
        Ok(Some(tensor.dequantize(&Device::Cpu).map_err(bad)?))
    }
}

/// Shape and type are those of the network.
fn check_tensor(tensor: &Wanted, found: &[usize], dtype: GgmlDType) -> Result<(), String> {
    if found != tensor.shape {
        let (name, expected) = (&tensor.name, &tensor.shape);
        return Err(format!("tensor {name} has shape {found:?}, the configuration requires {expected:?}"));
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
        let paths = self.files.iter().map(|file| &file.path);
        formatter.debug_list().entries(paths).finish()
    }
}

//! Writing a checkpoint folder: aside, synced, then moved into place.

use crate::files::durable;
use anyhow::{Context, Result};
use candle_core::{DType, Tensor};
use candle_nn::VarMap;
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::path::Path;
use std::sync::PoisonError;

/// Number type of the weights on disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StoredType {
    F32,
    F16,
    Bf16,
}

impl StoredType {
    fn dtype(self) -> DType {
        match self {
            Self::F32 => DType::F32,
            Self::F16 => DType::F16,
            Self::Bf16 => DType::BF16,
        }
    }

    /// The name that `config.json` uses.
    fn torch_name(self) -> &'static str {
        match self {
            Self::F32 => "float32",
            Self::F16 => "float16",
            Self::Bf16 => "bfloat16",
        }
    }
}

/// Names of all files that [`save_checkpoint`] writes.
pub fn names_of(files: &CheckpointFiles) -> Vec<String> {
    let own = ["config.json", "model.safetensors"].map(String::from);
    own.into_iter().chain(files.keys().cloned()).collect()
}

/// The files beside the weights: name and content (`tokenizer.json`, `preprocessor_config.json`, …).
pub type CheckpointFiles = BTreeMap<String, Vec<u8>>;

/// The tensors of all variables of `variables`, for [`save_checkpoint`].
pub fn variables_of(variables: &VarMap) -> BTreeMap<String, Tensor> {
    let variables = variables.data().lock().unwrap_or_else(PoisonError::into_inner);
    variables.iter().map(|(name, variable)| (name.clone(), variable.as_detached_tensor())).collect()
}

/// Replaces `folder` by a checkpoint: `model.safetensors`, `config.json` (with its `dtype` set) and `files`.
///
/// The same content gives the same bytes. The old folder stays until the new one is whole on disk.
pub fn save_checkpoint(
    folder: &Path,
    tensors: &BTreeMap<String, Tensor>,
    config: &Value,
    files: &CheckpointFiles,
    stored_type: StoredType,
) -> Result<()> {
    let parent = folder.parent().unwrap_or(Path::new("."));
    let aside = parent.join(format!(".new-{}", uuid::Uuid::now_v7()));
    durable::make_folder(&aside)?;
    let written =
        write_files(&aside, tensors, config, files, stored_type).and_then(|()| durable::replace_folder(&aside, folder));
    if written.is_err() {
        // The first error is the one to report; a leftover folder is only clutter.
        let _ = fs::remove_dir_all(&aside);
    }
    written.with_context(|| format!("cannot save the model to {}", folder.display()))
}

fn write_files(
    aside: &Path,
    tensors: &BTreeMap<String, Tensor>,
    config: &Value,
    files: &CheckpointFiles,
    stored_type: StoredType,
) -> Result<()> {
    durable::write_file(&aside.join("model.safetensors"), &weight_bytes(tensors, stored_type)?)?;
    let mut config = config.clone();
    config["dtype"] = json!(stored_type.torch_name());
    durable::write_file(&aside.join("config.json"), &pretty_json(&config)?)?;
    for (name, content) in files {
        durable::write_file(&aside.join(name), content)?;
    }
    Ok(())
}

fn weight_bytes(tensors: &BTreeMap<String, Tensor>, stored_type: StoredType) -> Result<Vec<u8>> {
    let mut cast = BTreeMap::new();
    for (name, tensor) in tensors {
        let tensor = tensor.to_dtype(stored_type.dtype()).with_context(|| format!("tensor {name}"))?;
        cast.insert(name, tensor.contiguous()?);
    }
    // transformers refuses files that do not name the framework.
    let metadata = HashMap::from([("format".to_string(), "pt".to_string())]);
    Ok(safetensors::serialize(cast.iter(), Some(metadata))?)
}

/// JSON as Hugging Face writes it: two spaces, a newline at the end.
pub fn pretty_json(value: &Value) -> Result<Vec<u8>> {
    let mut bytes = serde_json::to_vec_pretty(value)?;
    bytes.push(b'\n');
    Ok(bytes)
}

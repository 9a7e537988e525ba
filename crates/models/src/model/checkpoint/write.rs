//! Writing a checkpoint folder atomically: written beside the target, synced, then renamed.

use anyhow::{Context, Result};
use candle_core::{DType, Tensor};
use candle_nn::VarMap;
use dissent_core::files::durable;
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::path::Path;
use std::sync::PoisonError;

/// dtype of the stored weights.
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

    /// The name in `config.json`.
    fn torch_name(self) -> &'static str {
        match self {
            Self::F32 => "float32",
            Self::F16 => "float16",
            Self::Bf16 => "bfloat16",
        }
    }
}

/// Names of all files written by [`save_checkpoint`].
pub fn names_of(files: &CheckpointFiles) -> Vec<String> {
    let own = ["config.json", "model.safetensors"].map(String::from);
    own.into_iter().chain(files.keys().cloned()).collect()
}

/// Name and content of the files other than weights and `config.json` (`tokenizer.json`, `preprocessor_config.json`, …).
pub type CheckpointFiles = BTreeMap<String, Vec<u8>>;

/// The tensors of all variables, for [`save_checkpoint`].
pub fn variables_of(variables: &VarMap) -> BTreeMap<String, Tensor> {
    let variables = variables.data().lock().unwrap_or_else(PoisonError::into_inner);
    variables.iter().map(|(name, variable)| (name.clone(), variable.as_detached_tensor())).collect()
}

/// Replaces `folder` by a checkpoint with `model.safetensors`, `config.json` (with `dtype` set) and `files`.
///
/// The output is deterministic. The old folder stays until the new one is completely written.
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
        // The first error is reported; a leftover folder does no harm.
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
    // transformers refuses files without the name of the framework.
    let metadata = HashMap::from([("format".to_string(), "pt".to_string())]);
    Ok(safetensors::serialize(cast.iter(), Some(metadata))?)
}

/// JSON formatted as by Hugging Face: indented by two spaces, with a trailing newline.
pub fn pretty_json(value: &Value) -> Result<Vec<u8>> {
    let mut bytes = serde_json::to_vec_pretty(value)?;
    bytes.push(b'\n');
    Ok(bytes)
}

//! The JSON files of a checkpoint folder.

use super::CheckpointError;
use serde_json::Value;
use std::fs;
use std::path::Path;

/// The largest tokenizers have 40 MB; what is larger than this is no settings file.
const LARGEST: u64 = 256 << 20;

/// The image processor's settings and the file they are in: `processor_config.json`, where transformers 5 nests them, else
/// `preprocessor_config.json`.
pub(in crate::model) fn image_processor_json(folder: &Path) -> Result<(&'static str, Value), CheckpointError> {
    let outer = "processor_config.json";
    if folder.join(outer).is_file() {
        let nested = read_json(folder, outer, "it says how images are cut")?["image_processor"].take();
        if !nested.is_null() {
            return Ok((outer, nested));
        }
    }
    let own = "preprocessor_config.json";
    Ok((own, read_json(folder, own, "it says how images are scaled")?))
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
    let unreadable =
        |error: std::io::Error| CheckpointError::Unreadable { path: path.clone(), reason: error.to_string() };
    let size = fs::metadata(&path).map_err(unreadable)?.len();
    if size > LARGEST {
        let reason = format!("expected JSON of at most {LARGEST} bytes, found {size}");
        return Err(CheckpointError::BadJson { path, reason });
    }
    let bytes = fs::read(&path).map_err(unreadable)?;
    serde_json::from_slice(&bytes)
        .map_err(|error| CheckpointError::BadJson { path, reason: format!("not valid JSON: {error}") })
}

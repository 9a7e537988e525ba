//! Reading the JSON files of a checkpoint folder.

use super::CheckpointError;
use dissent_core::files::input_file;
use dissent_core::text::single_keys::SingleKeys;
use serde_json::Value;
use std::path::Path;

/// The largest file in bytes; the largest tokenizers have 40 MB.
const LARGEST: u64 = 256 << 20;

/// The image processor's settings with the name of their file: `processor_config.json`, where transformers 5 nests them,
/// or `preprocessor_config.json`.
pub(in crate::model) fn image_processor_json(folder: &Path) -> Result<(&'static str, Value), CheckpointError> {
    let outer = "processor_config.json";
    if input_file::is_there(&folder.join(outer)) {
        let nested = read_json(folder, outer, "it describes the image processor")?;
        if let Some(nested) = object_in(folder, outer, &nested, "image_processor")? {
            return Ok((outer, nested.clone()));
        }
    }
    let own = "preprocessor_config.json";
    Ok((own, read_json(folder, own, "it describes the image processor")?))
}

/// The object `field` of `value`, the content of `file`; `None` if it is absent or null.
///
/// # Errors
/// Fails if the field has another type.
pub(in crate::model) fn object_in<'a>(
    folder: &Path,
    file: &str,
    value: &'a Value,
    field: &str,
) -> Result<Option<&'a Value>, CheckpointError> {
    match value.get(field) {
        None | Some(Value::Null) => Ok(None),
        Some(found) if found.is_object() => Ok(Some(found)),
        Some(found) => {
            let reason = format!("field {field}: expected an object, found {}", kind_of(found));
            Err(CheckpointError::BadJson { path: folder.join(file), reason })
        }
    }
}

/// Reads the JSON object in `file` of a checkpoint folder. `purpose`, a clause starting with "it", is appended to the
/// message if the file is missing.
pub fn read_json(folder: &Path, file: &str, purpose: &'static str) -> Result<Value, CheckpointError> {
    if !folder.is_dir() {
        return Err(CheckpointError::FolderMissing(folder.to_path_buf()));
    }
    let path = folder.join(file);
    if !input_file::is_there(&path) {
        return Err(CheckpointError::FileMissing { folder: folder.to_path_buf(), file: file.to_string(), purpose });
    }
    let text = input_file::read_text(&path, LARGEST)
        .map_err(|error| CheckpointError::Unreadable { path: path.clone(), reason: error.to_string() })?;
    // serde_json limits the nesting depth to 128.
    let SingleKeys(value) = serde_json::from_str(&text).map_err(|error| {
        let reason = if error.is_data() { error.to_string() } else { format!("not valid JSON: {error}") };
        CheckpointError::BadJson { path: path.clone(), reason }
    })?;
    if !value.is_object() {
        // Later code indexes by field names, which panics for other types.
        let reason = format!("expected an object, found {}", kind_of(&value));
        return Err(CheckpointError::BadJson { path, reason });
    }
    Ok(value)
}

/// The type of a value, for messages.
fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

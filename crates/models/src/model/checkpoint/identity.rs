//! Name and fingerprint of a checkpoint folder.

use super::Weights;
use crate::model::gguf::decoder_files;
use crate::model::hub::name_of_snapshot;
use anyhow::{Context, Result};
use dissent_core::files::fingerprint::Fingerprint;
use dissent_core::files::input_file::is_there;
use dissent_core::files::known_files::fingerprint_of_file;
use std::path::Path;

/// Files other than the weights that influence a model's answers.
const SETTINGS: [&str; 6] = [
    "config.json",
    "open_clip_config.json",
    "preprocessor_config.json",
    "processor_config.json",
    "tokenizer.json",
    "tokenizer_config.json",
];

/// Hash of the weights and of every file that influences the model's answers.
pub fn fingerprint_of(folder: &Path) -> Result<Fingerprint> {
    let mut files = Weights::files_of(folder)?;
    // An error here means several GGUF decoders; loading will report it.
    files.extend(decoder_files(folder).unwrap_or_default());
    files.extend(SETTINGS.iter().map(|name| folder.join(name)).filter(|path| is_there(path)));
    let mut parts = Vec::new();
    for path in &files {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let content = fingerprint_of_file(path).with_context(|| format!("cannot read {}", path.display()))?;
        parts.push(name);
        parts.push(content.as_str().to_string());
    }
    Ok(Fingerprint::of_parts(parts.iter().map(String::as_str)))
}

/// The folder's name for display; for a model in the Hugging Face cache, its repository name.
pub fn folder_name(folder: &Path) -> String {
    let absolute = folder.canonicalize().unwrap_or_else(|_| folder.to_path_buf());
    if let Some(name) = name_of_snapshot(&absolute) {
        return name;
    }
    absolute.file_name().map_or_else(|| "model".to_string(), |name| name.to_string_lossy().into_owned())
}

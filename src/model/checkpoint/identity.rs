//! What a checkpoint folder is called and made of.

use super::Weights;
use crate::files::fingerprint::Fingerprint;
use crate::files::input_file::is_there;
use crate::files::known_files::fingerprint_of_file;
use crate::model::gguf::decoder_files;
use crate::model::hub::name_of_snapshot;
use anyhow::{Context, Result};
use std::path::Path;

/// The files beside the weights that decide what a model answers.
const SETTINGS: [&str; 6] = [
    "config.json",
    "open_clip_config.json",
    "preprocessor_config.json",
    "processor_config.json",
    "tokenizer.json",
    "tokenizer_config.json",
];

/// Of the weights and every file that decides what a model answers.
pub fn fingerprint_of(folder: &Path) -> Result<Fingerprint> {
    let mut files = Weights::files_of(folder)?;
    // A folder with several has no decoder among them that could be read.
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

/// The folder's own name, for status lines; of a model in the cache of the Hugging Face hub its name there.
pub fn folder_name(folder: &Path) -> String {
    let absolute = folder.canonicalize().unwrap_or_else(|_| folder.to_path_buf());
    if let Some(name) = name_of_snapshot(&absolute) {
        return name;
    }
    absolute.file_name().map_or_else(|| "model".to_string(), |name| name.to_string_lossy().into_owned())
}

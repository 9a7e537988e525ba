//! Finding the weight files of a checkpoint folder.

use super::CheckpointError;
use super::json::read_json;
use crate::model::gguf::decoder_files;
use dissent_core::files::input_file::is_there;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

/// The weight file of an unsharded checkpoint: of transformers, and of OpenCLIP.
const SINGLE: &str = "model.safetensors";
const OPEN_CLIP: [&str; 2] = ["open_clip_model.safetensors", "open_clip_pytorch_model.safetensors"];
/// The index of a sharded checkpoint.
const SHARDED: &str = "model.safetensors.index.json";
/// Pickle files, which can execute code when loaded.
const PICKLES: [&str; 2] = ["pytorch_model.bin", "open_clip_pytorch_model.bin"];
const SHARDED_PICKLE: &str = "pytorch_model.bin.index.json";

/// The weight files of a folder, sorted by name.
#[derive(Clone, Debug, Default)]
pub(super) struct WeightFiles {
    pub files: Vec<PathBuf>,
    /// For a sharded checkpoint, maps each tensor name of the index to its position in `files`.
    pub listed: BTreeMap<String, usize>,
}

/// True if `folder` has weight files named as in transformers.
pub(crate) fn has_transformers_weights(folder: &Path) -> bool {
    is_there(&folder.join(SINGLE)) || is_there(&folder.join(SHARDED))
}

impl WeightFiles {
    /// Finds the weight files of `folder`.
    ///
    /// # Errors
    /// Fails if the folder or the files are missing, the index is invalid or lists a missing shard, or the weights are only
    /// available as pickles.
    pub fn of(folder: &Path) -> Result<Self, CheckpointError> {
        if !folder.is_dir() {
            return Err(CheckpointError::FolderMissing(folder.to_path_buf()));
        }
        let single = folder.join(SINGLE);
        if is_there(&single) {
            return Ok(Self { files: vec![single], listed: BTreeMap::new() });
        }
        if is_there(&folder.join(SHARDED)) {
            return Self::of_index(folder);
        }
        for name in OPEN_CLIP {
            let path = folder.join(name);
            if is_there(&path) {
                return Ok(Self { files: vec![path], listed: BTreeMap::new() });
            }
        }
        if let Some(pickle) = PICKLES.iter().find(|name| is_there(&folder.join(name))) {
            let target = if pickle.starts_with("open_clip") { OPEN_CLIP[0] } else { SINGLE };
            return Err(CheckpointError::Pickle { folder: folder.to_path_buf(), file: (*pickle).to_string(), target });
        }
        if is_there(&folder.join(SHARDED_PICKLE)) {
            return Err(CheckpointError::PickledShards(folder.to_path_buf()));
        }
        Err(CheckpointError::FileMissing {
            folder: folder.to_path_buf(),
            file: SINGLE.to_string(),
            purpose: "it contains the weights",
        })
    }

    fn of_index(folder: &Path) -> Result<Self, CheckpointError> {
        let bad = |reason: String| CheckpointError::BadJson { path: folder.join(SHARDED), reason };
        let index = read_json(folder, SHARDED, "it lists the weight files")?;
        let Some(map) = index.get("weight_map").and_then(Value::as_object) else {
            return Err(bad("field weight_map: expected an object from tensor name to file name".to_string()));
        };
        let mut places: BTreeMap<&str, usize> = BTreeMap::new();
        for (tensor, file) in map {
            let Some(file) = file.as_str() else {
                return Err(bad(format!("field weight_map, tensor {tensor}: expected a file name, found {file}")));
            };
            if !is_plain_name(file) {
                return Err(bad(format!(
                    "field weight_map, tensor {tensor}: expected the name of a .safetensors file in this folder, found \
                     {file:?}"
                )));
            }
            places.insert(file, 0);
        }
        if places.is_empty() {
            return Err(bad("field weight_map: expected at least one file name, found none".to_string()));
        }
        // With a GGUF decoder, shards that contain only the decoder may be missing.
        let may_lack_shards = !decoder_files(folder)?.is_empty();
        if may_lack_shards {
            places.retain(|name, _| is_there(&folder.join(name)));
        } else if let Some(name) = places.keys().find(|name| !is_there(&folder.join(name))) {
            let purpose = "the index of the weights lists it";
            let (folder, file) = (folder.to_path_buf(), (*name).to_string());
            return Err(CheckpointError::FileMissing { folder, file, purpose });
        }
        let files: Vec<PathBuf> = places.keys().map(|name| folder.join(name)).collect();
        for (number, place) in places.values_mut().enumerate() {
            *place = number;
        }
        let mut listed = BTreeMap::new();
        for (tensor, file) in map {
            if let Some(place) = file.as_str().and_then(|file| places.get(file)) {
                listed.insert(tensor.clone(), *place);
            }
        }
        Ok(Self { files, listed })
    }
}

/// True if `name` is a plain file name, without a path.
fn is_plain_name(name: &str) -> bool {
    let path = Path::new(name);
    let mut components = path.components();
    matches!(components.next(), Some(Component::Normal(only)) if only == path.as_os_str())
        && components.next().is_none()
        && !name.contains('\\')
        && path.extension().is_some_and(|extension| extension == "safetensors")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn found(index: &str, files: &[&str]) -> Result<WeightFiles, String> {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(SHARDED), index).unwrap();
        for file in files {
            fs::write(folder.path().join(file), "").unwrap();
        }
        WeightFiles::of(folder.path()).map_err(|error| error.to_string())
    }

    #[test]
    fn shards_are_listed_once() {
        let index =
            r#"{"weight_map": {"a": "model-2.safetensors", "b": "model-1.safetensors", "c": "model-2.safetensors"}}"#;
        let found = found(index, &["model-1.safetensors", "model-2.safetensors"]).unwrap();
        let names: Vec<_> = found.files.iter().map(|path| path.file_name().unwrap().to_str().unwrap()).collect();
        assert_eq!(names, ["model-1.safetensors", "model-2.safetensors"]);
        assert_eq!(found.listed.into_iter().collect::<Vec<_>>(), [("a".into(), 1), ("b".into(), 0), ("c".into(), 1)]);
    }

    #[test]
    fn shards_replaced_by_a_gguf_decoder_may_be_missing() {
        let index = r#"{"weight_map": {"tower": "model-1.safetensors", "decoder": "model-2.safetensors"}}"#;
        assert!(found(index, &["model-1.safetensors"]).unwrap_err().contains("model-2.safetensors is missing"));
        let found = found(index, &["model-1.safetensors", "decoder.gguf"]).unwrap();
        assert_eq!(found.listed.into_iter().collect::<Vec<_>>(), [("tower".into(), 0)]);
    }

    #[test]
    fn a_hostile_index_is_refused() {
        for (name, word) in [
            ("../secret.safetensors", "in this folder"),
            ("/etc/passwd", "in this folder"),
            ("folder/model.safetensors", "in this folder"),
            ("..", "in this folder"),
            ("model.bin", "in this folder"),
            ("model-9.safetensors", "model-9.safetensors is missing"),
        ] {
            let message = found(&format!(r#"{{"weight_map": {{"a": "{name}"}}}}"#), &[]).unwrap_err();
            assert!(message.contains(word), "{name}: {message}");
        }
        assert!(found(r#"{"weight_map": {"a": 3}}"#, &[]).unwrap_err().contains("tensor a"));
        assert!(found(r#"{"weight_map": {}}"#, &[]).unwrap_err().contains("found none"));
        assert!(found("{}", &[]).unwrap_err().contains("weight_map"));
    }

    #[test]
    fn pickles_are_refused_by_name() {
        for name in ["pytorch_model.bin", "pytorch_model.bin.index.json"] {
            let folder = tempfile::tempdir().unwrap();
            fs::write(folder.path().join(name), "").unwrap();
            let message = WeightFiles::of(folder.path()).unwrap_err().to_string();
            assert!(message.contains(name) && message.contains("safetensors"), "{message}");
        }
    }
}

//! Which files hold the weights of a checkpoint: one, or the shards that an index lists.

use super::{CheckpointError, read_json};
use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};

/// The one weight file of a small checkpoint.
pub const SINGLE: &str = "model.safetensors";
/// What a published checkpoint may hold instead.
const PICKLES: [&str; 2] = ["pytorch_model.bin", "pytorch_model.bin.index.json"];

/// The weight files of `folder`, sorted: `model.safetensors`, else the shards of `model.safetensors.index.json`.
///
/// # Errors
/// No such folder or file, an index that names no files of this folder, a shard that is not there, weights that are
/// pickles.
pub fn weight_files(folder: &Path) -> Result<Vec<PathBuf>, CheckpointError> {
    if !folder.is_dir() {
        return Err(CheckpointError::FolderMissing(folder.to_path_buf()));
    }
    let single = folder.join(SINGLE);
    if single.is_file() {
        return Ok(vec![single]);
    }
    let index = format!("{SINGLE}.index.json");
    if folder.join(&index).is_file() {
        return files_of_index(folder, &index);
    }
    if let Some(pickle) = PICKLES.iter().map(|name| folder.join(name)).find(|path| path.is_file()) {
        return Err(CheckpointError::Pickle(pickle));
    }
    let purpose = "it holds the weights";
    Err(CheckpointError::FileMissing { folder: folder.to_path_buf(), file: SINGLE.to_string(), purpose })
}

/// The files that `weight_map` of an index names, each a file beside it.
fn files_of_index(folder: &Path, index: &str) -> Result<Vec<PathBuf>, CheckpointError> {
    let bad = |reason: String| CheckpointError::BadJson { path: folder.join(index), reason };
    let content = read_json(folder, index, "it lists the weight files")?;
    let Some(map) = content.get("weight_map").and_then(serde_json::Value::as_object) else {
        return Err(bad("field weight_map: expected an object from tensor name to file name".to_string()));
    };
    let mut names = BTreeSet::new();
    for (tensor, file) in map {
        let Some(name) = file.as_str().filter(|name| is_plain_name(name)) else {
            return Err(bad(format!(
                "field weight_map: tensor {tensor}: expected a .safetensors file beside the index, found {file}"
            )));
        };
        names.insert(name);
    }
    if names.is_empty() {
        return Err(bad("field weight_map: it names no file".to_string()));
    }
    let mut files = Vec::with_capacity(names.len());
    for name in names {
        let path = folder.join(name);
        if !path.is_file() {
            let purpose = "the index of the weights lists it";
            return Err(CheckpointError::FileMissing { folder: folder.to_path_buf(), file: name.to_string(), purpose });
        }
        files.push(path);
    }
    Ok(files)
}

/// A file name without folders, so that an index cannot reach outside its own.
fn is_plain_name(name: &str) -> bool {
    let mut parts = Path::new(name).components();
    let is_one = matches!((parts.next(), parts.next()), (Some(Component::Normal(_)), None));
    is_one && !name.contains(['/', '\\']) && Path::new(name).extension().is_some_and(|end| end == "safetensors")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn message(index: &str, files: &[&str]) -> Result<Vec<PathBuf>, String> {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("model.safetensors.index.json"), index).unwrap();
        for file in files {
            fs::write(folder.path().join(file), "").unwrap();
        }
        weight_files(folder.path()).map_err(|error| error.to_string())
    }

    #[test]
    fn shards_are_listed_once() {
        let index =
            r#"{"weight_map": {"a": "model-2.safetensors", "b": "model-1.safetensors", "c": "model-2.safetensors"}}"#;
        let files = message(index, &["model-1.safetensors", "model-2.safetensors"]).unwrap();
        let names: Vec<_> = files.iter().map(|path| path.file_name().unwrap().to_str().unwrap()).collect();
        assert_eq!(names, ["model-1.safetensors", "model-2.safetensors"]);
    }

    #[test]
    fn a_hostile_index_is_refused() {
        for (name, word) in [
            ("../secret.safetensors", "beside the index"),
            ("/etc/passwd", "beside the index"),
            ("folder/model.safetensors", "beside the index"),
            ("..", "beside the index"),
            ("model.bin", "beside the index"),
            ("model-9.safetensors", "model-9.safetensors is missing"),
        ] {
            let message = message(&format!(r#"{{"weight_map": {{"a": "{name}"}}}}"#), &[]).unwrap_err();
            assert!(message.contains(word), "{name}: {message}");
        }
        assert!(message(r#"{"weight_map": {"a": 3}}"#, &[]).unwrap_err().contains("tensor a"));
        assert!(message(r#"{"weight_map": {}}"#, &[]).unwrap_err().contains("no file"));
        assert!(message("{}", &[]).unwrap_err().contains("weight_map"));
    }

    #[test]
    fn a_pickle_is_refused_by_name() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("pytorch_model.bin"), "").unwrap();
        let message = weight_files(folder.path()).unwrap_err().to_string();
        assert!(message.contains("pytorch_model.bin") && message.contains("safetensors"), "{message}");
    }
}

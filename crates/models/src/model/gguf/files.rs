//! Finding the GGUF file of a checkpoint folder, or its parts if llama.cpp has split it.

use crate::model::checkpoint::CheckpointError;
use dissent_core::files::input_file::is_there;
use dissent_core::files::litter::is_litter_path;
use std::path::{Path, PathBuf};

/// The decoder file in `folder`, or all its parts in order; empty if there is no `*.gguf`. Vision towers (`mmproj`) and
/// files left by operating systems are ignored.
///
/// # Errors
/// Fails if there are several decoders or a part is missing.
pub(crate) fn decoder_files(folder: &Path) -> Result<Vec<PathBuf>, CheckpointError> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let is_decoder = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
        let is_gguf = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("gguf"));
        is_gguf && !name.contains("mmproj") && !is_litter_path(path) && is_there(path)
    };
    let mut found: Vec<PathBuf> = entries.map(|entry| entry.path()).filter(is_decoder).collect();
    found.sort();
    let Some(first) = found.first().cloned() else { return Ok(found) };
    let bad = |reason: String| CheckpointError::BadGguf { path: first.clone(), reason };
    let of_first = Part::of(&first);
    let is_other = |path: &&PathBuf| match (&of_first, Part::of(path)) {
        (Some(one), Some(other)) => (one.prefix != other.prefix) || (one.count != other.count),
        _ => **path != first,
    };
    if let Some(other) = found.iter().find(is_other) {
        let count = found.len();
        return Err(bad(format!(
            "expected one decoder (*.gguf) in the folder, found {count} files, {} among them",
            other.display()
        )));
    }
    if let Some(Part { count, .. }) = of_first {
        let has = |number: usize| found.iter().any(|path| Part::of(path).is_some_and(|part| part.number == number));
        if let Some(missing) = (1..=count).find(|number| !has(*number)) {
            return Err(bad(format!("the decoder has {count} parts, part {missing} is missing")));
        }
    }
    Ok(found)
}

/// A file name such as `NAME-00001-of-00003.gguf`, which llama.cpp gives to parts.
struct Part {
    prefix: String,
    number: usize,
    count: usize,
}

impl Part {
    fn of(path: &Path) -> Option<Self> {
        let stem = path.file_stem()?.to_str()?;
        let (rest, count) = stem.rsplit_once("-of-")?;
        let (prefix, number) = rest.rsplit_once('-')?;
        let read = |digits: &str| if digits.len() == 5 { digits.parse().ok() } else { None };
        Some(Self { prefix: prefix.to_string(), number: read(number)?, count: read(count)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(names: &[&str]) -> Result<Vec<String>, String> {
        let folder = tempfile::tempdir().unwrap();
        for name in names {
            std::fs::write(folder.path().join(name), "").unwrap();
        }
        let files = decoder_files(folder.path()).map_err(|error| error.to_string())?;
        Ok(files.iter().map(|path| path.file_name().unwrap().to_string_lossy().into_owned()).collect())
    }

    #[test]
    fn a_decoder_is_one_file_or_all_of_its_parts() {
        assert_eq!(found(&[]), Ok(vec![]));
        assert_eq!(found(&["a.gguf", "mmproj-a.gguf"]), Ok(vec!["a.gguf".into()]));
        let parts = ["a-00001-of-00002.gguf", "a-00002-of-00002.gguf"];
        assert_eq!(found(&[parts[1], parts[0]]), Ok(parts.map(String::from).into()));
        assert_eq!(found(&["a.gguf", "._a.gguf", "~$a.gguf"]), Ok(vec!["a.gguf".into()]));
        assert_eq!(found(&["a-of-b.gguf"]), Ok(vec!["a-of-b.gguf".into()]));
    }

    #[test]
    fn several_decoders_and_missing_parts_are_refused() {
        for (names, word) in [
            (vec!["a.gguf", "b.gguf"], "found 2 files"),
            (vec!["a-00001-of-00002.gguf", "b-00002-of-00002.gguf"], "b-00002-of-00002.gguf"),
            (vec!["a-00001-of-00001.gguf", "a-00002-of-00002.gguf"], "found 2 files"),
            (vec!["a-00001-of-00002.gguf", "b.gguf"], "b.gguf"),
            (vec!["a-00002-of-00003.gguf", "a-00003-of-00003.gguf"], "part 1 is missing"),
        ] {
            let message = found(&names).unwrap_err();
            assert!(message.contains(word), "{names:?}: {message}");
        }
    }
}

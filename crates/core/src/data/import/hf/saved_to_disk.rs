//! Folders that `datasets` writes with `save_to_disk`: Arrow streams, with JSON files that name them.

use super::features::Features;
use super::layout::{Layout, SplitFiles, file_name};
use super::split_names::{NamedSplit, split_in};
use crate::files::input_file;
use anyhow::{Context, Result, bail};
use serde_json::Value as Json;
use std::path::Path;

/// Maximum size of the JSON files in bytes.
const LONGEST: u64 = 64 << 20;
const DICT: &str = "dataset_dict.json";
const STATE: &str = "state.json";
const INFO: &str = "dataset_info.json";

/// The files of a folder of `save_to_disk`; `None` if it is none.
///
/// # Errors
/// Fails if a file that is named is missing, or the rows are selected by a list of numbers.
pub(super) fn find(folder: &Path) -> Result<Option<Layout>> {
    let dict = folder.join(DICT);
    let mut layout = Layout::default();
    if input_file::is_there(&dict) {
        let json = read(&dict)?;
        let splits = json.get("splits").and_then(Json::as_array);
        let splits = splits.with_context(|| format!("{}: expected a list `splits`", dict.display()))?;
        for split in splits {
            let name = split.as_str().filter(|name| is_plain_name(name));
            let name = name.with_context(|| format!("{}: expected names of folders, found {split}", dict.display()))?;
            layout.splits.push(split_files(&folder.join(name), name)?);
        }
        return Ok(Some(layout));
    }
    let state = folder.join(STATE);
    if !input_file::is_there(&state) {
        return Ok(None);
    }
    let json = read(&state)?;
    if json.get("_data_files").is_none() {
        return Ok(None);
    }
    let name = json.get("_split").and_then(Json::as_str).map_or_else(|| "train".into(), str::to_owned);
    layout.splits.push(split_files(folder, &name)?);
    Ok(Some(layout))
}

fn split_files(folder: &Path, name: &str) -> Result<SplitFiles> {
    let path = folder.join(STATE);
    let state = read(&path)?;
    let has_indices =
        |key: &str| state.get(key).is_some_and(|value| value.as_array().is_some_and(|list| !list.is_empty()));
    if has_indices("_indices_data_files") {
        bail!(
            "{}: expected rows in their order, found a list of row numbers (_indices_data_files); call \
             `flatten_indices()` before `save_to_disk`",
            path.display()
        );
    }
    let listed = state.get("_data_files").and_then(Json::as_array);
    let listed = listed.with_context(|| format!("{}: expected a list `_data_files`", path.display()))?;
    let mut files = Vec::new();
    for entry in listed {
        let name = entry.get("filename").and_then(Json::as_str).filter(|name| is_plain_name(name));
        let name = name.with_context(|| format!("{}: expected a file name, found {entry}", path.display()))?;
        let file = folder.join(name);
        if !input_file::is_there(&file) {
            bail!("{}: expected the file {name}, found none in {}", path.display(), folder.display());
        }
        if file.extension().is_none_or(|ending| ending != "arrow") {
            bail!("{}: expected files that end in .arrow, found {name}", path.display());
        }
        files.push(file);
    }
    if files.is_empty() {
        bail!("{}: expected Arrow files in `_data_files`, found none", path.display());
    }
    let split = if let NamedSplit::One(split) = split_in(name) { Some(split) } else { None };
    Ok(SplitFiles { name: name.into(), split, files, features: Some(features(&folder.join(INFO))?) })
}

/// The features that are written beside the files; empty if there are none.
fn features(path: &Path) -> Result<Features> {
    if !input_file::is_there(path) {
        return Ok(Features::new());
    }
    match read(path)?.get("features") {
        None | Some(Json::Null) => Ok(Features::new()),
        Some(Json::Object(features)) => Ok(features.clone()),
        Some(other) => bail!("{}: expected features by column, found {other}", path.display()),
    }
}

fn read(path: &Path) -> Result<Json> {
    let text = input_file::read_text(path, LONGEST).with_context(|| format!("cannot read {}", path.display()))?;
    serde_json::from_str(&text).with_context(|| format!("{}: expected JSON", path.display()))
}

/// Whether this names something in the same folder.
fn is_plain_name(name: &str) -> bool {
    !name.is_empty() && !name.starts_with('.') && file_name(Path::new(name)) == name && !name.contains('\\')
}

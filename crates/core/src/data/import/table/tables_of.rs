//! The tables of a folder, and the split that the name of each says.

use super::table_rows::is_table;
use crate::data::Split;
use crate::data::import::{SplitFile, split_of_word};
use crate::files::litter::is_litter;
use anyhow::{Context, Result, bail};
use std::fs;
use std::path::{Path, PathBuf};

/// A table with the split of its rows, if its name says one.
#[derive(Debug)]
pub(super) struct Table {
    pub path: PathBuf,
    pub split: Option<Split>,
}

/// The tables to read: `source` itself, or in a folder those that the mapping lists, or those named after splits, or the only
/// one.
///
/// # Errors
/// Fails if the folder has no such table, or several.
pub(super) fn tables_of(source: &Path, listed: &[SplitFile]) -> Result<Vec<Table>> {
    if !source.is_dir() {
        let known = listed.iter().find(|table| source.ends_with(&table.file));
        let split = known.map_or_else(|| split_of_name(source), |table| table.split);
        return Ok(vec![Table { path: source.to_owned(), split }]);
    }
    let mut found: Vec<Table> = Vec::new();
    for table in listed {
        for ending in ["", ".gz"] {
            let path = source.join(format!("{}{ending}", table.file));
            if path.is_file() {
                found.push(Table { path, split: table.split });
            }
        }
    }
    if !listed.is_empty() {
        // Two names of the same table are two releases or a packed copy: both would give every row twice.
        if let [first, second, ..] = &found[..]
            && first.split.is_none()
            && second.split.is_none()
        {
            bail!("expected one of {} and {}, found both; name one", first.path.display(), second.path.display());
        }
        if found.is_empty() {
            let names: Vec<&str> = listed.iter().map(|table| table.file.as_str()).collect();
            bail!("{}: expected {}, found none of them", source.display(), names.join(" or "));
        }
        return Ok(found);
    }
    let cannot_read = || format!("cannot read {}", source.display());
    let mut paths = Vec::new();
    for entry in fs::read_dir(source).with_context(cannot_read)? {
        let path = entry.with_context(cannot_read)?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if path.is_file() && is_table(&path) && !is_litter(&name) {
            paths.push(path);
        }
    }
    paths.sort();
    if let [only] = &paths[..] {
        return Ok(vec![Table { path: only.clone(), split: split_of_name(only) }]);
    }
    let named: Vec<Table> =
        paths.iter().filter_map(|path| Some(Table { path: path.clone(), split: Some(split_of_name(path)?) })).collect();
    if named.is_empty() || named.len() < paths.len() {
        let names: Vec<_> = paths.iter().map(|path| path.file_name().unwrap_or_default().to_string_lossy()).collect();
        let names = if names.is_empty() { "none".into() } else { names.join(", ") };
        bail!("{}: expected one table, or one per split (train.csv, test.csv); found {names}", source.display());
    }
    Ok(named)
}

/// The split that a file is named after: `train.csv.gz` is of the training split, `train_labels.csv` says nothing.
fn split_of_name(path: &Path) -> Option<Split> {
    let name = path.file_name()?.to_string_lossy();
    split_of_word(name.split('.').next()?)
}

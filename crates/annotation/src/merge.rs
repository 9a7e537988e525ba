//! Merges the journals of another folder by copying them under names that cannot collide.

use super::exposure::{EXPOSURE_ENDING, exposure_files};
use super::folder::{Content, journal_files, read_journal, read_lines};
use super::taxonomy::{TAXONOMY_FILE, Taxonomy, read_taxonomy};
use super::taxonomy_copies::{keep_version, kept_versions};
use anyhow::{Context, Result, bail};
use dissent_core::data::Problem;
use dissent_core::files::durable;
use dissent_core::files::fingerprint::Fingerprint;
use dissent_core::workspace::{ANNOTATIONS_FOLDER, Workspace};
use serde::Serialize;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// The result for one journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Brought {
    /// It was copied.
    New,
    /// It replaced an earlier copy, to which it only adds lines.
    Longer,
    /// It is there already, completely.
    Known,
    /// It has no event.
    NoJournal,
}

/// A journal of the source and its copy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Merged {
    pub source: PathBuf,
    /// Path of the copy.
    pub target: PathBuf,
    pub brought: Brought,
    /// Number of events in it.
    pub events: usize,
    /// Lines that are no events; they are copied all the same.
    pub problems: Vec<Problem>,
}

/// Copies every journal of `source` into `target`, and the versions of the taxonomy that it was written under.
/// Repeating it changes nothing. `source` is an annotations folder, a workspace or a dataset directory.
///
/// # Errors
/// Fails if a folder cannot be read or written, or if both are the same.
pub fn merge_folder(source: &Path, target: &Path) -> Result<Vec<Merged>> {
    let source = annotations_in(source)?;
    durable::make_folder(target)?;
    if fs::canonicalize(&source).ok() == fs::canonicalize(target).ok() {
        bail!("{} is the folder that is merged into", source.display());
    }
    let known: Vec<Vec<u8>> = contents(target)?.into_iter().map(|(_, content)| content).collect();
    let mut merged = Vec::new();
    for (path, content) in contents(&source)? {
        merged.push(bring(&path, &content, target, &known)?);
    }
    copy_exposures(&source, target)?;
    copy_taxonomy(&source, target)?;
    Ok(merged)
}

/// The annotations folder that belongs to this folder.
fn annotations_in(folder: &Path) -> Result<PathBuf> {
    if !folder.is_dir() {
        bail!("{}: no such folder; expected an annotations folder, a workspace or a dataset", folder.display());
    }
    let is_dataset = folder.join("dataset.toml").is_file();
    let workspaces = if is_dataset { Workspace::places(folder) } else { vec![folder.to_path_buf()] };
    let mut places: Vec<PathBuf> = workspaces.iter().map(|workspace| workspace.join(ANNOTATIONS_FOLDER)).collect();
    if let Some(place) = places.iter().position(|place| place.is_dir()) {
        return Ok(places.swap_remove(place));
    }
    if is_dataset {
        let expected: Vec<String> = places.iter().map(|place| place.display().to_string()).collect();
        bail!("{}: this dataset has no annotations; expected {}", folder.display(), expected.join(" or "));
    }
    Ok(folder.to_path_buf())
}

fn contents(folder: &Path) -> Result<Vec<(PathBuf, Vec<u8>)>> {
    let mut contents = Vec::new();
    for path in journal_files(folder)? {
        let content = read_journal(&path).with_context(|| format!("cannot read journal {}", path.display()))?;
        contents.push((path, content));
    }
    Ok(contents)
}

fn bring(source: &Path, content: &[u8], folder: &Path, known: &[Vec<u8>]) -> Result<Merged> {
    let Content { events, problems } = read_lines(content, source);
    // The name comes from the first line, so a journal keeps it as it grows.
    let first = content.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let mut target = folder.join(merged_name(source, first, "jsonl"));
    let earlier = match read_journal(&target) {
        Ok(earlier) => Some(earlier),
        Err(error) if error.kind() == ErrorKind::NotFound => None,
        Err(error) => return Err(error).with_context(|| format!("cannot read journal {}", target.display())),
    };
    let brought = match &earlier {
        _ if events.is_empty() => Brought::NoJournal,
        _ if known.iter().any(|there| there.starts_with(content)) => Brought::Known,
        Some(earlier) if content.starts_with(earlier) => Brought::Longer,
        None => Brought::New,
        Some(_) => {
            target = folder.join(merged_name(source, content, "jsonl"));
            Brought::New
        }
    };
    if matches!(brought, Brought::New | Brought::Longer) {
        durable::write_file(&target, content)?;
    }
    Ok(Merged { source: source.into(), target, brought, events: events.len(), problems })
}

/// A name for a copy, unique to content that begins with these bytes.
fn merged_name(source: &Path, bytes: &[u8], ending: &str) -> String {
    let stem = source.file_stem().unwrap_or_default().to_string_lossy();
    let stem = stem.split_once("-merged-").map_or(stem.as_ref(), |(stem, _)| stem);
    format!("{stem}-merged-{}.{ending}", Fingerprint::of_bytes(bytes))
}

/// Copies the files of unblinded cases, whose names begin with the annotator.
fn copy_exposures(source: &Path, target: &Path) -> Result<()> {
    for path in exposure_files(source) {
        let content = read_journal(&path).with_context(|| format!("cannot read {}", path.display()))?;
        // The name comes from the first line, as for journals.
        let first = content.split(|byte| *byte == b'\n').find(|line| !line.is_empty()).unwrap_or_default();
        let mut copy = target.join(merged_name(&path, first, EXPOSURE_ENDING));
        let earlier = read_journal(&copy).unwrap_or_default();
        if !content.starts_with(&earlier) && !earlier.starts_with(&content) {
            copy = target.join(merged_name(&path, &content, EXPOSURE_ENDING));
        }
        if !earlier.starts_with(&content) {
            durable::write_file(&copy, &content)?;
        }
    }
    Ok(())
}

/// Copies the kept versions of the taxonomy, and the taxonomy itself if the target has none.
fn copy_taxonomy(source: &Path, target: &Path) -> Result<()> {
    let in_file = |path: &Path| format!("cannot read taxonomy {}", path.display());
    for path in kept_versions(source) {
        let text = read_taxonomy(&path).with_context(|| in_file(&path))?;
        if Taxonomy::parse(&text).is_ok() {
            keep_version(target, text.as_bytes());
        }
    }
    let path = source.join(TAXONOMY_FILE);
    let text = match read_taxonomy(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error).with_context(|| in_file(&path)),
    };
    if Taxonomy::parse(&text).is_err() {
        return Ok(());
    }
    keep_version(target, text.as_bytes());
    let own = target.join(TAXONOMY_FILE);
    if !own.exists() {
        durable::write_file(&own, text.as_bytes())?;
    }
    Ok(())
}

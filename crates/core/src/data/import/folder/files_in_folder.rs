//! The files below a folder, by what they are.

use crate::data::import::columns::stem_of_image;
use crate::files::archive_member::for_each_member;
use crate::files::litter::is_litter;
use anyhow::{Context, Result, bail};
use std::fs;
use std::path::{Path, PathBuf};

/// Most folders inside each other; more mean a link to a folder above.
const DEEPEST: usize = 24;

/// The files below a folder, each kind in order.
#[derive(Debug, Default)]
pub(super) struct FilesInFolder {
    pub images: Vec<FolderImage>,
    /// `metadata.csv` and its like.
    pub metadata: Vec<PathBuf>,
    pub shards: Vec<PathBuf>,
    /// Zip files.
    pub archives: Vec<PathBuf>,
    /// JSON files, each perhaps of captions or conversations; they count as others, too.
    pub json: Vec<PathBuf>,
    /// Number of other files.
    pub others: usize,
}

/// An image with its path below the folder, with `/` between the parts.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct FolderImage {
    pub name: String,
    pub path: PathBuf,
}

impl FilesInFolder {
    /// # Errors
    /// Fails if a folder cannot be read.
    pub fn find(source: &Path) -> Result<Self> {
        let mut found = Self::default();
        found.add_folder(source, "", 0)?;
        found.images.sort();
        found.metadata.sort();
        found.shards.sort();
        found.archives.sort();
        found.json.sort();
        Ok(found)
    }

    fn add_folder(&mut self, folder: &Path, below: &str, depth: usize) -> Result<()> {
        if depth > DEEPEST {
            bail!("{}: expected at most {DEEPEST} folders inside each other, found more", folder.display());
        }
        let cannot_read = || format!("cannot read {}", folder.display());
        for entry in fs::read_dir(folder).with_context(cannot_read)? {
            let path = entry.with_context(cannot_read)?.path();
            let Some(name) = path.file_name().and_then(|name| name.to_str()).map(str::to_owned) else {
                bail!("{}: expected a name in UTF-8, found other bytes", path.display());
            };
            if is_litter(&name) {
                continue;
            }
            let relative = if below.is_empty() { name.clone() } else { format!("{below}/{name}") };
            if path.is_dir() {
                self.add_folder(&path, &relative, depth + 1)?;
                continue;
            }
            let lower = name.to_ascii_lowercase();
            if ["metadata.csv", "metadata.jsonl", "metadata.parquet"].contains(&lower.as_str()) {
                self.metadata.push(path);
            } else if stem_of_image(&name).is_some() {
                self.images.push(FolderImage { name: relative, path });
            } else {
                match lower.rsplit_once('.') {
                    Some((_, "tar" | "tgz")) => self.shards.push(path),
                    Some((stem, "gz")) if stem.rsplit_once('.').is_some_and(|(_, kind)| kind == "tar") => {
                        self.shards.push(path);
                    }
                    Some((_, "zip")) => self.archives.push(path),
                    Some((_, "json" | "jsonl")) => {
                        self.json.push(path);
                        self.others += 1;
                    }
                    _ => self.others += 1,
                }
            }
        }
        Ok(())
    }

    /// Adds the images in the zip files, each under the name of its file: `train.zip` holds the folder `train`.
    ///
    /// # Errors
    /// Fails if a zip file cannot be read.
    pub fn open_archives(&mut self) -> Result<()> {
        for archive in std::mem::take(&mut self.archives) {
            let stem = archive.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            let (images, others) = (&mut self.images, &mut self.others);
            for_each_member(&archive, &mut |name, _| {
                if name.split('/').any(is_litter) {
                    return Ok(());
                }
                if stem_of_image(name).is_none() {
                    *others += 1;
                    return Ok(());
                }
                let first = name.split('/').next().unwrap_or_default();
                let relative = if first == stem { name.to_owned() } else { format!("{stem}/{name}") };
                let path = PathBuf::from(format!("{}!/{name}", archive.display()));
                images.push(FolderImage { name: relative, path });
                Ok(())
            })?;
        }
        self.images.sort();
        Ok(())
    }
}

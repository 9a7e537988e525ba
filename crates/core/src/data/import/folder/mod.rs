//! `import folder`: image folders, WebDataset shards, COCO captions and conversations. What is there tells which it is.

mod class_folders;
mod coco_captions;
mod conversations;
mod default_mapping;
mod files_in_folder;
mod metadata_files;
mod webdataset;
mod webdataset_sample;

use super::table::{JsonObjects, is_json};
use super::{ColumnMapping, ImportOptions, Imported, ProgressReport};
use crate::text::written_json::Written;
use anyhow::{Result, bail};
use files_in_folder::FilesInFolder;
use std::path::{Path, PathBuf};

/// Choices of the folder import.
#[derive(Clone, Debug, Default)]
pub struct FolderOptions {
    /// What the columns of the metadata, or the fields of a sample, mean; `None` goes by their usual names.
    pub mapping: Option<ColumnMapping>,
    /// The question of the only task.
    pub question: Option<String>,
    /// Folder that relative image paths of a JSON file start from; default: the file's folder.
    pub images: Option<PathBuf>,
}

/// Where an import comes from and goes to.
struct Job<'a> {
    source: &'a Path,
    target: &'a Path,
    choices: &'a FolderOptions,
    options: &'a ImportOptions,
    progress: ProgressReport<'a>,
}

impl Job<'_> {
    /// Fails if the user said what the columns mean, or where the images are, although the layout says it.
    fn refuse_mapping(&self, layout: &str) -> Result<()> {
        if self.choices.mapping.is_some() {
            bail!("{}: {layout} have no columns; expected no --mapping and no flag of a column", self.source.display());
        }
        Ok(())
    }

    /// The dataset's name, after the source.
    fn name(&self) -> String {
        let path = std::path::absolute(self.source).unwrap_or_else(|_| self.source.to_owned());
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        name.split('.').next().filter(|stem| !stem.is_empty()).unwrap_or(&name).to_owned()
    }
}

/// Imports a folder of images, shards, or a JSON file.
///
/// # Errors
/// Fails if the source has none of the layouts, contradicts itself, or the dataset cannot be written.
pub fn import_folder(
    source: &Path,
    target: &Path,
    choices: &FolderOptions,
    options: &ImportOptions,
    progress: ProgressReport,
) -> Result<Imported> {
    let job = Job { source, target, choices, options, progress };
    if choices.images.is_some() && !is_json(source) {
        bail!(
            "--images-from: expected with a JSON file, found {}, where images are beside their labels",
            source.display()
        );
    }
    if source.is_dir() {
        let files = FilesInFolder::find(source)?;
        if !files.metadata.is_empty() {
            return metadata_files::import(&job, &files);
        }
        if !files.shards.is_empty() && files.images.is_empty() && files.archives.is_empty() {
            return webdataset::import(&job, &files.shards);
        }
        return class_folders::import(&job, files);
    }
    let extension = source.extension().unwrap_or_default().to_ascii_lowercase();
    if extension == "tar" {
        return webdataset::import(&job, &[source.to_owned()]);
    }
    if extension == "zip" {
        let mut files = FilesInFolder::default();
        files.archives.push(source.to_owned());
        return class_folders::import(&job, files);
    }
    if !is_json(source) {
        bail!(
            "{}: expected a folder, a .tar or .zip file or a JSON file; `dissent import table` reads tables",
            source.display()
        );
    }
    let Some((_, first)) = JsonObjects::open(source)?.next_object()? else {
        bail!("{}: expected JSON objects, found none", source.display());
    };
    if first.get("images").is_some() && first.get("annotations").is_some() {
        return coco_captions::import(&job, &first);
    }
    if conversations::is_conversation(&first) {
        return conversations::import(&job);
    }
    let keys: Vec<&str> = match &first {
        Written::Object(entries) => entries.iter().take(20).map(|(key, _)| key.as_str()).collect(),
        _ => Vec::new(),
    };
    bail!(
        "{}: expected COCO captions (images, annotations) or conversations (conversations or messages), found the keys {}; \
         `dissent import table` reads rows",
        source.display(),
        keys.join(", ")
    )
}

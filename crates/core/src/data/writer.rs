//! Writes a dataset into a temporary folder, checks it, then renames the folder: a killed import leaves no half dataset.

use super::files_aside::{FilesAside, IMAGES};
use super::{Case, Document, MANIFEST_FILE, Manifest};
use crate::files::durable::{linked, replace_folder};
use anyhow::{Context, Result, bail};
use image::{DynamicImage, ImageFormat};
use std::fs;
use std::io::Cursor;
use std::path::{Path, PathBuf};

/// Treatment of an existing dataset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Existing {
    Refuse,
    /// Replace it, unless it contains annotations.
    Replace,
}

/// A dataset being written. If dropped unfinished, it removes its files.
pub struct DatasetWriter {
    target: PathBuf,
    files: FilesAside,
}

impl DatasetWriter {
    /// Starts a dataset that will be at `target`.
    ///
    /// # Errors
    /// Fails if the target exists and may not be replaced, or its parent folder cannot be written.
    pub fn create(target: &Path, existing: Existing) -> Result<Self> {
        let target = linked(target)?;
        check_target(&target, existing)?;
        let files = FilesAside::of(&target)?;
        Ok(Self { target, files })
    }

    /// Like [`DatasetWriter::create`]; pictures that [`FilesAside::copied`] wrote outlive a kill, and the next dataset at
    /// `target` takes them over.
    ///
    /// # Errors
    /// Fails like it, and if another process copies pictures for such a dataset.
    #[cfg(feature = "import")]
    pub(super) fn keeping_copies(target: &Path, existing: Existing) -> Result<Self> {
        let target = linked(target)?;
        check_target(&target, existing)?;
        let files = FilesAside::keeping_copies(&target)?;
        Ok(Self { target, files })
    }

    /// The files, for pictures that are copied.
    #[cfg(feature = "import")]
    pub(super) fn files(&mut self) -> &mut FilesAside {
        &mut self.files
    }

    /// Writes the bytes of an image file and returns its path for cases and documents. `name` is relative to
    /// `images/` and may contain folders: `train/0001.png`.
    pub fn image(&mut self, name: &str, bytes: &[u8]) -> Result<PathBuf> {
        self.files.image(name, bytes)?;
        Ok(Path::new(IMAGES).join(name))
    }

    /// Encodes an image as PNG and writes it like [`DatasetWriter::image`].
    pub fn png(&mut self, name: &str, image: &DynamicImage) -> Result<PathBuf> {
        let mut bytes = Cursor::new(Vec::new());
        image.write_to(&mut bytes, ImageFormat::Png).with_context(|| format!("cannot encode image {name}"))?;
        self.image(name, bytes.get_ref())
    }

    /// Appends a case.
    pub fn case(&mut self, case: &Case) -> Result<()> {
        self.files.case(case)
    }

    /// Appends a document.
    pub fn document(&mut self, document: &Document) -> Result<()> {
        self.files.document(document)
    }

    /// Writes `dataset.toml`, reads everything back line by line, syncs, and moves the folder into place.
    ///
    /// # Errors
    /// Fails if a line is not valid, or the disk cannot be written; nothing is then left of the dataset.
    pub fn finish(mut self, manifest: &Manifest) -> Result<()> {
        self.move_into_place(manifest)
    }

    /// [`DatasetWriter::finish`], for those who want to know what was copied.
    pub(super) fn move_into_place(&mut self, manifest: &Manifest) -> Result<()> {
        self.files.complete(manifest)?;
        replace_folder(self.files.path(), &self.target)?;
        #[cfg(feature = "import")]
        self.files.moved();
        Ok(())
    }
}

/// Checks that the target is missing or empty or, if replacing, a dataset without annotations.
fn check_target(target: &Path, existing: Existing) -> Result<()> {
    if !target.exists() {
        return Ok(());
    }
    if !target.is_dir() {
        bail!("expected a new folder, found a file: {}", target.display());
    }
    let mut entries = fs::read_dir(target).with_context(|| format!("cannot read folder {}", target.display()))?;
    if entries.next().is_none() {
        return Ok(());
    }
    if existing == Existing::Refuse {
        bail!("{} exists and is not empty; give another folder, or --replace", target.display());
    }
    if !target.join(MANIFEST_FILE).is_file() {
        bail!(
            "{} is not empty and not a dataset (it has no {MANIFEST_FILE}), so it was not replaced",
            target.display()
        );
    }
    let annotations = target.join(".dissent").join("annotations");
    if fs::read_dir(&annotations).is_ok_and(|mut files| files.next().is_some()) {
        bail!("{} contains annotations; move them away before replacing the dataset", annotations.display());
    }
    Ok(())
}

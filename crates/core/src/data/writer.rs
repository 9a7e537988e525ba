//! Writes a dataset into a temporary folder, checks it, then renames the folder: a killed import leaves no half dataset.

use super::jsonl::{for_each_case, for_each_document};
use super::unfinished::Unfinished;
use super::{CASES_FILE, CORPUS_FILE, Case, Document, MANIFEST_FILE, Manifest, OnlyPart, Problem};
use crate::files::durable::make_folder;
use anyhow::{Context, Result, bail};
use image::{DynamicImage, ImageFormat};
use rayon::prelude::*;
use serde::Serialize;
use std::fs::{self, File};
use std::io::{BufWriter, Cursor, Write};
use std::path::{Component, Path, PathBuf};

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
    /// Hidden sibling of the target, on the same file system.
    aside: Unfinished,
    cases: BufWriter<File>,
    corpus: BufWriter<File>,
    images: UnsyncedImages,
}

/// Images that were written, but may not be on the disk yet.
#[derive(Default)]
pub(super) struct UnsyncedImages(Vec<PathBuf>);

/// Images that are synced together.
const SYNCED_AT_ONCE: usize = 4096;

impl UnsyncedImages {
    /// Adds an image that was just written.
    pub fn push(&mut self, image: PathBuf) -> Result<()> {
        self.0.push(image);
        if self.0.len() < SYNCED_AT_ONCE { Ok(()) } else { self.sync() }
    }

    /// Syncs all, in parallel, because a file system combines concurrent syncs.
    pub fn sync(&mut self) -> Result<()> {
        std::mem::take(&mut self.0).par_iter().try_for_each(|path| {
            File::open(path)
                .and_then(|file| file.sync_all())
                .with_context(|| format!("cannot write image {} (is the disk full?)", path.display()))
        })
    }
}

impl DatasetWriter {
    /// Starts a dataset that will be at `target`.
    ///
    /// # Errors
    /// Fails if the target exists and may not be replaced, or its parent folder cannot be written.
    pub fn create(target: &Path, existing: Existing) -> Result<Self> {
        let target = &crate::files::durable::linked(target)?;
        check_target(target, existing)?;
        let parent = match target.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        make_folder(parent)?;
        let Some(name) = target.file_name() else {
            bail!("expected the name of a new folder, found {}", target.display());
        };
        let aside = Unfinished::create(parent, &name.to_string_lossy())?;
        let open = |file: &str| {
            File::create(aside.path.join(file)).with_context(|| format!("cannot write {file} of {}", target.display()))
        };
        let (cases, corpus) = (open(CASES_FILE)?, open(CORPUS_FILE)?);
        Ok(Self {
            target: target.into(),
            cases: BufWriter::new(cases),
            corpus: BufWriter::new(corpus),
            images: UnsyncedImages::default(),
            aside,
        })
    }

    /// Writes the bytes of an image file and returns its path for cases and documents. `name` is relative to
    /// `images/` and may contain folders: `train/0001.png`.
    pub fn image(&mut self, name: &str, bytes: &[u8]) -> Result<PathBuf> {
        let relative = Path::new("images").join(name);
        if Path::new(name).components().any(|part| !matches!(part, Component::Normal(_))) {
            bail!("expected an image name inside the dataset, found {name:?}");
        }
        let path = self.aside.path.join(&relative);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)
                .with_context(|| format!("cannot create the folder of {}", relative.display()))?;
        }
        File::create_new(&path)
            .and_then(|mut file| file.write_all(bytes))
            .with_context(|| format!("cannot write {} of the dataset (is the disk full?)", relative.display()))?;
        self.images.push(path)?;
        Ok(relative)
    }

    /// Encodes an image as PNG and writes it like [`DatasetWriter::image`].
    pub fn png(&mut self, name: &str, image: &DynamicImage) -> Result<PathBuf> {
        let mut bytes = Cursor::new(Vec::new());
        image.write_to(&mut bytes, ImageFormat::Png).with_context(|| format!("cannot encode image {name}"))?;
        self.image(name, bytes.get_ref())
    }

    /// Appends a case.
    pub fn case(&mut self, case: &Case) -> Result<()> {
        append(&mut self.cases, case, CASES_FILE)
    }

    /// Appends a document.
    pub fn document(&mut self, document: &Document) -> Result<()> {
        append(&mut self.corpus, document, CORPUS_FILE)
    }

    /// Writes `dataset.toml`, reads everything back line by line, syncs, and moves the folder into place.
    ///
    /// # Errors
    /// Fails if a line is not valid, or the disk cannot be written; nothing is then left of the dataset.
    pub fn finish(mut self, manifest: &Manifest) -> Result<()> {
        self.write_through(manifest)?;
        crate::files::durable::replace_folder(&self.aside.path, &self.target)
    }

    /// Writes and checks everything beside the target, and syncs it.
    fn write_through(&mut self, manifest: &Manifest) -> Result<()> {
        for (file, name) in [(&mut self.cases, CASES_FILE), (&mut self.corpus, CORPUS_FILE)] {
            file.flush()
                .and_then(|()| file.get_ref().sync_all())
                .with_context(|| format!("cannot write {name} (is the disk full?)"))?;
        }
        crate::files::durable::write_file(&self.aside.path.join(MANIFEST_FILE), manifest.to_toml()?.as_bytes())?;
        check_written(&self.aside.path, manifest)?;
        self.images.sync()
    }
}

/// Checks a dataset that was just written. The folder is removed after an error, so the message names lines of the dataset but no path. Lines are not kept: a corpus
/// of millions need not fit into memory.
pub(super) fn check_written(folder: &Path, manifest: &Manifest) -> Result<()> {
    let (cases_path, corpus_path) = (folder.join(CASES_FILE), folder.join(CORPUS_FILE));
    let (_, mut problems) = Manifest::read(&folder.join(MANIFEST_FILE))?;
    let (mut cases, mut documents) = (0, 0);
    problems.extend(for_each_case(&cases_path, &manifest.tasks, &mut |_, _| cases += 1));
    problems.extend(for_each_document(&corpus_path, &mut |_, _| documents += 1));
    if cases == 0 && manifest.only != Some(OnlyPart::Corpus) {
        problems.push(Problem::error(&cases_path, "no usable case"));
    }
    if documents == 0 && manifest.only != Some(OnlyPart::Cases) {
        problems.push(Problem::error(&corpus_path, "the corpus is empty"));
    }
    let mut errors = problems.iter().filter(|problem| problem.is_error());
    let Some(first) = errors.next() else { return Ok(()) };
    let file = first.path.file_name().unwrap_or_default().to_string_lossy();
    let line = first.line.map(|line| format!(" line {line}")).unwrap_or_default();
    let field = first.field.as_ref().map(|field| format!(", field {field}")).unwrap_or_default();
    let more = errors.count();
    let more = if more == 0 { String::new() } else { format!(" (and {more} more problems)") };
    bail!("the source gives no valid dataset, so nothing was written: {file}{line}{field}: {}{more}", first.message);
}

pub(super) fn append(file: &mut BufWriter<File>, line: &impl Serialize, name: &str) -> Result<()> {
    let mut text = serde_json::to_vec(line)?;
    text.push(b'\n');
    file.write_all(&text).with_context(|| format!("cannot write {name} (is the disk full?)"))
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

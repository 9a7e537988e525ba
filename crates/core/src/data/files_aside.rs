//! The files of a dataset that is being written, in a hidden folder beside their place, until all of them are checked.

use super::jsonl::{for_each_case, for_each_document};
#[cfg(feature = "import")]
use super::kept_copies::{CopyCounts, CopySource, KeptCopies};
use super::unfinished::Unfinished;
use super::{CASES_FILE, CORPUS_FILE, Case, Document, MANIFEST_FILE, Manifest, OnlyPart, Problem};
use crate::files::durable::{make_folder, write_file};
use anyhow::{Context, Result, bail};
use rayon::prelude::*;
use serde::Serialize;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Component, Path, PathBuf};

/// Folder of the images.
pub(super) const IMAGES: &str = "images";
/// Images that are synced together.
const SYNCED_AT_ONCE: usize = 4096;

/// Cases, documents and images. If dropped, they are removed, unless the images are kept for the next try.
pub(super) struct FilesAside {
    folder: Aside,
    cases: BufWriter<File>,
    corpus: BufWriter<File>,
    unsynced_images: Vec<PathBuf>,
}

/// Hidden sibling of the target, on the same file system.
enum Aside {
    New(Unfinished),
    /// One that an earlier import may have left, with pictures that it copied.
    #[cfg(feature = "import")]
    Kept(Box<KeptCopies>, PathBuf),
}

impl FilesAside {
    /// Starts the files of a dataset that will be at `target`.
    ///
    /// # Errors
    /// Fails if the parent folder cannot be written, or the target has no name.
    pub fn of(target: &Path) -> Result<Self> {
        let (parent, name) = parent_and_name(target)?;
        Self::in_folder(Aside::New(Unfinished::create(parent, &name)?), target)
    }

    /// Like [`FilesAside::of`], but pictures that [`FilesAside::copied`] wrote outlive a kill, and are there the next time.
    ///
    /// # Errors
    /// Fails like it, and if another process writes such a dataset to `target`.
    #[cfg(feature = "import")]
    pub fn keeping_copies(target: &Path) -> Result<Self> {
        let (parent, name) = parent_and_name(target)?;
        let folder = match KeptCopies::open(parent, &name)? {
            Some(kept) => {
                let dataset = kept.dataset();
                Aside::Kept(Box::new(kept), dataset)
            }
            None => Aside::New(Unfinished::create(parent, &name)?),
        };
        Self::in_folder(folder, target)
    }

    fn in_folder(folder: Aside, target: &Path) -> Result<Self> {
        let open = |file: &str| {
            let file = File::create(folder.path().join(file))
                .with_context(|| format!("cannot write {file} of {}", target.display()))?;
            anyhow::Ok(BufWriter::new(file))
        };
        let (cases, corpus) = (open(CASES_FILE)?, open(CORPUS_FILE)?);
        Ok(Self { folder, cases, corpus, unsynced_images: Vec::new() })
    }

    /// The hidden folder.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Whether an earlier import that was stopped copied this file to `images/NAME`.
    ///
    /// # Errors
    /// Fails if a picture of another file has the name and cannot be removed.
    #[cfg(feature = "import")]
    pub fn has_copy(&mut self, name: &str, source: CopySource) -> Result<bool> {
        match &mut self.folder {
            Aside::New(_) => Ok(false),
            Aside::Kept(kept, _) => kept.has(name, source),
        }
    }

    /// Like [`FilesAside::image`], for the content of a file that is copied.
    ///
    /// # Errors
    /// Fails like it.
    #[cfg(feature = "import")]
    pub fn copied(&mut self, name: &str, bytes: &[u8], source: CopySource) -> Result<()> {
        self.image(name, bytes)?;
        let is_due = match &mut self.folder {
            Aside::New(_) => false,
            Aside::Kept(kept, _) => kept.written(name, bytes.len() as u64, source),
        };
        if is_due { self.sync_images() } else { Ok(()) }
    }

    /// What is known about copied pictures; `None` if they are not kept.
    #[cfg(feature = "import")]
    pub fn copy_counts(&self) -> Option<CopyCounts> {
        match &self.folder {
            Aside::New(_) => None,
            Aside::Kept(kept, _) => Some(kept.counts()),
        }
    }

    /// Says that everything was moved into place: kept copies are copies no more.
    #[cfg(feature = "import")]
    pub fn moved(&mut self) {
        if let Aside::Kept(kept, _) = &mut self.folder {
            kept.done();
        }
    }

    /// Writes `images/NAME`; the name may contain folders.
    ///
    /// # Errors
    /// Fails if the name leads out of `images/` or the disk cannot be written.
    pub fn image(&mut self, name: &str, bytes: &[u8]) -> Result<()> {
        if Path::new(name).components().any(|part| !matches!(part, Component::Normal(_))) {
            bail!("expected an image name inside the dataset, found {name:?}");
        }
        let path = self.path().join(IMAGES).join(name);
        make_folder(path.parent().unwrap_or(self.path()))?;
        let written = File::create_new(&path).and_then(|mut file| file.write_all(bytes));
        written.with_context(|| format!("cannot write {IMAGES}/{name} of the dataset (is the disk full?)"))?;
        self.unsynced_images.push(path);
        if self.unsynced_images.len() < SYNCED_AT_ONCE { Ok(()) } else { self.sync_images() }
    }

    /// Syncs the images in parallel, because a file system combines concurrent syncs.
    fn sync_images(&mut self) -> Result<()> {
        std::mem::take(&mut self.unsynced_images).par_iter().try_for_each(|path| {
            File::open(path)
                .and_then(|file| file.sync_all())
                .with_context(|| format!("cannot write image {} (is the disk full?)", path.display()))
        })?;
        match &mut self.folder {
            Aside::New(_) => Ok(()),
            #[cfg(feature = "import")]
            Aside::Kept(kept, _) => kept.note(),
        }
    }

    /// Appends a case.
    pub fn case(&mut self, case: &Case) -> Result<()> {
        append(&mut self.cases, case, CASES_FILE)
    }

    /// Appends a document.
    pub fn document(&mut self, document: &Document) -> Result<()> {
        append(&mut self.corpus, document, CORPUS_FILE)
    }

    /// Appends a line of the cases or the documents as it is.
    #[cfg(feature = "import")]
    pub fn line(&mut self, name: &str, line: &[u8]) -> Result<()> {
        let file = if name == CASES_FILE { &mut self.cases } else { &mut self.corpus };
        file.write_all(line)
            .and_then(|()| file.write_all(b"\n"))
            .with_context(|| format!("cannot write {name} (is the disk full?)"))
    }

    /// Writes `dataset.toml`, reads everything back line by line, and syncs it.
    ///
    /// # Errors
    /// Fails if a line is not valid, or the disk cannot be written.
    pub fn complete(&mut self, manifest: &Manifest) -> Result<()> {
        for (file, name) in [(&mut self.cases, CASES_FILE), (&mut self.corpus, CORPUS_FILE)] {
            file.flush()
                .and_then(|()| file.get_ref().sync_all())
                .with_context(|| format!("cannot write {name} (is the disk full?)"))?;
        }
        write_file(&self.path().join(MANIFEST_FILE), manifest.to_toml()?.as_bytes())?;
        check_written(self.path(), manifest)?;
        self.sync_images()?;
        match &mut self.folder {
            Aside::New(_) => Ok(()),
            #[cfg(feature = "import")]
            Aside::Kept(kept, _) => kept.remove_unused(),
        }
    }
}

impl Aside {
    fn path(&self) -> &Path {
        match self {
            Self::New(folder) => &folder.path,
            #[cfg(feature = "import")]
            Self::Kept(_, dataset) => dataset,
        }
    }
}

/// The folder that holds the target, which is created, and the target's name.
fn parent_and_name(target: &Path) -> Result<(&Path, String)> {
    let parent = target.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    make_folder(parent)?;
    let Some(name) = target.file_name() else {
        bail!("expected the name of a new folder, found {}", target.display());
    };
    Ok((parent, name.to_string_lossy().into_owned()))
}

/// Checks a dataset that was just written. The folder is removed after an error, so the message names lines of the dataset
/// but no path. Lines are not kept: a corpus of millions need not fit into memory.
fn check_written(folder: &Path, manifest: &Manifest) -> Result<()> {
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

fn append(file: &mut BufWriter<File>, line: &impl Serialize, name: &str) -> Result<()> {
    let mut text = serde_json::to_vec(line)?;
    text.push(b'\n');
    file.write_all(&text).with_context(|| format!("cannot write {name} (is the disk full?)"))
}

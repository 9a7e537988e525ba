//! Pictures that an import copies. They are kept in a hidden folder beside the dataset until the dataset is complete, so that an
//! import that was killed goes on from them.
//!
//! ```text
//! .NAME.copying/lock      held while an import is at work
//!               copied    a line for each picture that is wholly on disk, and what it was copied from
//!               dataset/  what becomes the dataset; pictures in it that are not in `copied` may be half-made
//! ```
//!
//! Rows are read anew each time, and no flag of the command is stored: a picture is taken over if this import copies the same
//! unchanged file to the same name. Pictures of files that have changed are copied anew, pictures that no row names are removed.

use super::files_aside::IMAGES;
use crate::files::archive_member::on_disk;
use crate::files::durable::make_folder;
use crate::files::fingerprint::Fingerprint;
use anyhow::{Context, Result, bail};
use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};
use std::fs::{self, File, TryLockError};
use std::io::{BufRead, BufReader, Seek, Write};
use std::path::{Component, Path, PathBuf};
use std::time::UNIX_EPOCH;
use uuid::Uuid;

const LOCK: &str = "lock";
const COPIED: &str = "copied";
const DATASET: &str = "dataset";
/// First line of `copied`; another one, of another version, means to start over.
const HEADER: &str = "dissent: pictures copied, 1\n";
/// Number of tries to lock the folder; a try only fails if another import finishes at the same moment.
const TRIES: usize = 10;
/// Pictures, and their bytes, that are synced and then noted together: what a kill costs at most.
const NOTED_AT_ONCE: usize = 256;
const NOTED_BYTES: u64 = 16 << 20;

/// Where a picture is copied from: a hash of its path, and length and time of the file on disk, which may be an archive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct CopySource(u64);

impl CopySource {
    /// # Errors
    /// Fails if the file is not there.
    pub fn of(path: &Path) -> Result<Self> {
        let path = std::path::absolute(path)?;
        let file = on_disk(&path);
        let found = fs::metadata(&file).with_context(|| format!("cannot read {}", file.display()))?;
        let changed = found.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok()).unwrap_or_default();
        let (length, nanoseconds) = (found.len(), changed.as_nanos());
        Ok(Self(Fingerprint::number_of(format!("{}\0{length}\0{nanoseconds}", path.display()).as_bytes())))
    }
}

/// A line of `copied`.
#[derive(Serialize, Deserialize)]
struct Line {
    name: String,
    bytes: u64,
    /// `None` takes the earlier lines of this name back, because another file will have it.
    source: Option<CopySource>,
}

/// A picture that was copied before and that no row has named yet.
#[derive(Clone, Copy)]
struct Kept {
    bytes: u64,
    source: CopySource,
}

/// How many pictures were copied, and when.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct CopyCounts {
    /// Pictures of this import that an earlier one copied.
    pub before: usize,
    pub now: usize,
    /// Those of `now` whose file has changed since an earlier import copied it.
    pub changed: usize,
    /// Pictures that an earlier import copied and that are not in this one.
    pub removed: usize,
}

/// The folder of an import that copies pictures, locked while this value lives. It outlives the value if a picture is noted in
/// it, unless the dataset was moved out.
pub(super) struct KeptCopies {
    folder: PathBuf,
    copied: File,
    /// By the hash of the name; names themselves are not kept, because a corpus has millions.
    before: FxHashMap<u64, Kept>,
    unnoted: Vec<Line>,
    unnoted_bytes: u64,
    counts: CopyCounts,
    has_noted: bool,
    is_done: bool,
    /// The owner of the lock may change and remove the folder. It is let go last.
    _lock: File,
}

impl KeptCopies {
    /// Opens or creates the folder for a dataset `name` in `parent`, and removes what is half-made in it; `None` if the file
    /// system has no locks, because two imports might then write into one folder.
    ///
    /// # Errors
    /// Fails if another import holds the folder, or the disk cannot be written.
    pub fn open(parent: &Path, name: &str) -> Result<Option<Self>> {
        let folder = folder_of(parent, name);
        let Some(lock) = lock(&folder)? else {
            let _ = fs::remove_dir_all(&folder);
            return Ok(None);
        };
        let cannot_write = || format!("cannot write in {}", folder.display());
        let path = folder.join(COPIED);
        let mut copied = File::options()
            .create(true)
            .truncate(false)
            .read(true)
            .write(true)
            .open(&path)
            .with_context(cannot_write)?;
        let mut before = FxHashMap::default();
        let length = read_lines(&path, &mut |line| {
            let key = Fingerprint::number_of(line.name.as_bytes());
            match line.source {
                Some(source) => drop(before.insert(key, Kept { bytes: line.bytes, source })),
                None => drop(before.remove(&key)),
            }
        })
        .with_context(cannot_write)?;
        // A line that a kill cut short must not run into the next one.
        copied.set_len(length).and_then(|()| copied.seek(std::io::SeekFrom::End(0))).with_context(cannot_write)?;
        if length == 0 {
            copied.write_all(HEADER.as_bytes()).with_context(cannot_write)?;
        }
        make_folder(&folder.join(DATASET))?;
        let mut there = FxHashMap::default();
        tidy(&folder.join(DATASET), &before, &mut there).with_context(cannot_write)?;
        Ok(Some(Self {
            has_noted: !there.is_empty(),
            folder,
            copied,
            before: there,
            unnoted: Vec::new(),
            unnoted_bytes: 0,
            counts: CopyCounts::default(),
            is_done: false,
            _lock: lock,
        }))
    }

    /// The folder that becomes the dataset.
    pub fn dataset(&self) -> PathBuf {
        self.folder.join(DATASET)
    }

    /// Whether an earlier import copied this file to `images/NAME`. A picture of another file is removed.
    ///
    /// # Errors
    /// Fails if the picture cannot be removed.
    pub fn has(&mut self, name: &str, source: CopySource) -> Result<bool> {
        let Some(kept) = self.before.remove(&Fingerprint::number_of(name.as_bytes())) else { return Ok(false) };
        if kept.source == source {
            self.counts.before += 1;
            return Ok(true);
        }
        self.counts.changed += 1;
        let path = self.dataset().join(IMAGES).join(name);
        self.write_lines(&[Line { name: name.into(), bytes: 0, source: None }])?;
        fs::remove_file(&path).with_context(|| format!("cannot replace {}", path.display()))?;
        Ok(false)
    }

    /// Says that `images/NAME` is written, but not synced; returns whether enough is written to be synced and noted.
    pub fn written(&mut self, name: &str, bytes: u64, source: CopySource) -> bool {
        self.counts.now += 1;
        self.unnoted.push(Line { name: name.into(), bytes, source: Some(source) });
        self.unnoted_bytes += bytes;
        self.unnoted.len() >= NOTED_AT_ONCE || self.unnoted_bytes >= NOTED_BYTES
    }

    /// Notes the pictures that were written, which are synced now.
    ///
    /// # Errors
    /// Fails if the disk cannot be written.
    pub fn note(&mut self) -> Result<()> {
        let lines = std::mem::take(&mut self.unnoted);
        self.unnoted_bytes = 0;
        self.has_noted |= !lines.is_empty();
        self.write_lines(&lines)
    }

    fn write_lines(&mut self, lines: &[Line]) -> Result<()> {
        let mut text = Vec::new();
        for line in lines {
            serde_json::to_writer(&mut text, line)?;
            text.push(b'\n');
        }
        self.copied
            .write_all(&text)
            .and_then(|()| self.copied.sync_data())
            .with_context(|| format!("cannot write in {} (is the disk full?)", self.folder.display()))
    }

    /// Removes the pictures that no row has named; nothing more is copied after that.
    ///
    /// # Errors
    /// Fails if one cannot be removed.
    pub fn remove_unused(&mut self) -> Result<()> {
        if self.before.is_empty() {
            return Ok(());
        }
        let images = self.dataset().join(IMAGES);
        let before = std::mem::take(&mut self.before);
        self.counts.removed = before.len();
        let mut failed = None;
        read_lines(&self.folder.join(COPIED), &mut |line| {
            let is_inside = Path::new(&line.name).components().all(|part| matches!(part, Component::Normal(_)));
            if !is_inside || !before.contains_key(&Fingerprint::number_of(line.name.as_bytes())) {
                return;
            }
            let path = images.join(&line.name);
            if let Err(error) = fs::remove_file(&path)
                && path.exists()
            {
                failed = Some(error);
            }
            // Folders that are empty now; the first that is not ends this.
            let _ = path.ancestors().skip(1).take_while(|above| *above != self.folder).try_for_each(fs::remove_dir);
        })
        .and_then(|_| failed.map_or(Ok(()), Err))
        .with_context(|| format!("cannot remove pictures in {}", images.display()))
    }

    pub fn counts(&self) -> CopyCounts {
        self.counts
    }

    /// Says that the dataset was moved out: nothing has to be kept.
    pub fn done(&mut self) {
        self.is_done = true;
    }
}

impl Drop for KeptCopies {
    fn drop(&mut self) {
        if self.is_done || !self.has_noted {
            // What cannot be removed is tidied by the next import.
            let _ = fs::remove_dir_all(&self.folder);
        }
    }
}

/// The folder with pictures that an import of the dataset `target` copied before it was stopped, if there is one.
pub fn kept_copies_of(target: &Path) -> Option<PathBuf> {
    let name = target.file_name()?.to_string_lossy();
    let folder = folder_of(target.parent().unwrap_or(Path::new("")), &name);
    let noted = fs::metadata(folder.join(COPIED)).ok()?;
    (noted.len() > HEADER.len() as u64).then_some(folder)
}

/// Removes that folder, unless an import is at work in it; returns whether it did.
pub(super) fn remove_kept_copies_of(target: &Path) -> bool {
    let Some(folder) = kept_copies_of(target) else { return false };
    // `_lock` is held until the folder is gone.
    let Ok(Some(_lock)) = lock(&folder) else { return false };
    fs::remove_dir_all(&folder).is_ok()
}

fn folder_of(parent: &Path, name: &str) -> PathBuf {
    parent.join(format!(".{name}.copying"))
}

/// Creates and locks the folder; `None` if the file system has no locks.
fn lock(folder: &Path) -> Result<Option<File>> {
    let path = folder.join(LOCK);
    for _ in 0..TRIES {
        make_folder(folder)?;
        // The folder may be removed by another import that is done.
        let Ok(mut file) = File::options().create(true).truncate(false).write(true).open(&path) else { continue };
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                bail!("another import is copying pictures into {}; expected one at a time", folder.display())
            }
            Err(TryLockError::Error(_)) => return Ok(None),
        }
        // The lock counts only if its file is still the one in the folder.
        let own = Uuid::now_v7().to_string();
        let is_written = file.set_len(0).and_then(|()| file.write_all(own.as_bytes())).is_ok();
        if is_written && fs::read_to_string(&path).is_ok_and(|text| text == own) {
            return Ok(Some(file));
        }
    }
    bail!("cannot write in {}", folder.display())
}

/// Passes the whole lines to `visit` and returns their length with the header; 0 if there is no header of this version.
fn read_lines(path: &Path, visit: &mut dyn FnMut(Line)) -> std::io::Result<u64> {
    let mut reader = BufReader::with_capacity(1 << 18, File::open(path)?);
    let mut text = Vec::new();
    reader.read_until(b'\n', &mut text)?;
    if text != HEADER.as_bytes() {
        return Ok(0);
    }
    let mut length = text.len() as u64;
    loop {
        text.clear();
        reader.read_until(b'\n', &mut text)?;
        if !text.ends_with(b"\n") {
            return Ok(length);
        }
        let Ok(line) = serde_json::from_slice(&text) else { return Ok(length) };
        visit(line);
        length += text.len() as u64;
    }
}

/// Removes everything that is not a noted picture of its length, and puts the others into `there`.
fn tidy(dataset: &Path, noted: &FxHashMap<u64, Kept>, there: &mut FxHashMap<u64, Kept>) -> std::io::Result<()> {
    let images = dataset.join(IMAGES);
    for entry in fs::read_dir(dataset)? {
        let entry = entry?;
        if !entry.file_type()?.is_dir() {
            fs::remove_file(entry.path())?;
        } else if entry.path() != images {
            fs::remove_dir_all(entry.path())?;
        }
    }
    if images.is_dir() {
        tidy_folder(&images, "", noted, there)?;
        // The folder stays if there is a picture in it.
        let _ = fs::remove_dir(&images);
    }
    Ok(())
}

fn tidy_folder(
    folder: &Path,
    before: &str,
    noted: &FxHashMap<u64, Kept>,
    there: &mut FxHashMap<u64, Kept>,
) -> std::io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = format!("{before}{}", entry.file_name().to_string_lossy());
        if entry.file_type()?.is_dir() {
            tidy_folder(&entry.path(), &format!("{name}/"), noted, there)?;
            let _ = fs::remove_dir(entry.path());
            continue;
        }
        let key = Fingerprint::number_of(name.as_bytes());
        match noted.get(&key) {
            Some(kept) if entry.metadata()?.len() == kept.bytes => drop(there.insert(key, *kept)),
            _ => fs::remove_file(entry.path())?,
        }
    }
    Ok(())
}

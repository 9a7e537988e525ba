//! The documents of a large corpus are kept in a file that is mapped: `corpus.jsonl` is parsed once, not at each start.
//!
//! The file is in the user's folder of caches. It has the state of the `corpus.jsonl` that it was made of, so it is made anew
//! once that has changed, and its checksums, so it is made anew if it is damaged.

use super::super::jsonl::{for_each_document, is_cut_short};
use super::super::{Document, Problem};
use super::layout::{Layout, MAGIC};
use super::stored_documents::StoredDocuments;
use crate::files::archive_member::{MemberPath, on_disk};
use crate::files::durable::write_with;
use crate::files::file_state::{SETTLED, is_unchanged, state_now};
use crate::files::fingerprint::Fingerprint;
use crate::files::known_files::cache_folder;
use crate::files::mapped_bytes::MappedBytes;
use anyhow::{Context, Result, ensure};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Smaller files are parsed at each start, in less than a third of a second.
pub(super) const LARGE: u64 = 32 << 20;
/// A file that was begun so long ago was left by a program that was ended.
const ABANDONED: Duration = Duration::from_secs(3600);

/// What a file of documents was made of.
#[derive(Debug)]
pub(in crate::data) struct Kept {
    /// The file of documents.
    pub file: PathBuf,
    /// `corpus.jsonl`.
    corpus: PathBuf,
    /// State of `corpus.jsonl`.
    pub state: Fingerprint,
    /// Folders and containers of the images, relative to the dataset.
    pub image_places: Vec<PathBuf>,
}

/// What stands in the file besides the documents.
#[derive(Serialize, Deserialize)]
struct Notes {
    problems: Vec<Problem>,
    image_places: Vec<PathBuf>,
}

/// Why no file is there to use.
enum Unusable {
    Missing,
    /// It is of another `corpus.jsonl`.
    Outdated,
    Damaged,
}

/// Documents in a file, and what is known of them.
pub(super) struct Opened {
    pub documents: StoredDocuments,
    pub kept: Kept,
    pub problems: Vec<Problem>,
    /// What the user should know.
    pub remark: Option<String>,
}

/// The folder for what is kept of this dataset; `None` where the user has no folder for caches.
pub(super) fn folder_of(dataset: &Path) -> Option<PathBuf> {
    let full = dataset.canonicalize().ok()?;
    let name = full.file_name().map_or_else(|| "root".into(), |name| name.to_string_lossy().into_owned());
    let print = Fingerprint::of_bytes(full.as_os_str().as_encoded_bytes());
    Some(cache_folder()?.join("documents").join(format!("{name}-{print}")))
}

/// The documents of this `corpus.jsonl` in a file of this folder, which is written if there is no usable one.
///
/// # Errors
/// Fails if the file cannot be written, or `corpus.jsonl` cannot be read or is being changed.
pub(super) fn open_or_write(corpus: &Path, folder: &Path) -> Result<Opened> {
    let file = folder.join("documents");
    let full = corpus.canonicalize()?;
    let state = state_now(&full)?;
    let remark = match open(corpus, &full, &file, &state) {
        Ok(opened) => return Ok(opened),
        Err(Unusable::Missing) => "they are kept in",
        Err(Unusable::Outdated) => "corpus.jsonl has changed, so they are kept anew in",
        Err(Unusable::Damaged) => "the file of them was damaged, so they are kept anew in",
    };
    let state = settled_state(&full)?;
    write(&full, &file, &state).with_context(|| format!("cannot write {}", file.display()))?;
    let Ok(opened) = open(corpus, &full, &file, &state) else {
        anyhow::bail!("{} is not as it was written", file.display())
    };
    let remark = format!("{} documents: {remark} {} for the next start", opened.documents.len(), file.display());
    Ok(Opened { remark: Some(remark), ..opened })
}

fn open(corpus: &Path, full: &Path, file: &Path, state: &Fingerprint) -> Result<Opened, Unusable> {
    let bytes = MappedBytes::open(file).map_err(|error| match error.kind() {
        ErrorKind::NotFound => Unusable::Missing,
        _ => Unusable::Damaged,
    })?;
    let documents = StoredDocuments::map(bytes).map_err(|_| Unusable::Damaged)?;
    if documents.stamp() != state.number() {
        return Err(Unusable::Outdated);
    }
    let Notes { problems, image_places } = serde_json::from_slice(documents.notes()).map_err(|_| Unusable::Damaged)?;
    // The dataset may be named in another way today.
    let problems = problems.into_iter().map(|problem| Problem { path: corpus.into(), ..problem }).collect();
    let kept = Kept { file: file.into(), corpus: full.into(), state: state.clone(), image_places };
    Ok(Opened { documents, kept, problems, remark: None })
}

/// The state of a file that was not changed in the last seconds.
fn settled_state(path: &Path) -> Result<Fingerprint> {
    let state = state_now(path)?;
    if is_unchanged(path, &state)? {
        return Ok(state);
    }
    std::thread::sleep(SETTLED + Duration::from_millis(50));
    let state = state_now(path)?;
    ensure!(is_unchanged(path, &state)?, "{} is being changed, or its date is in the future", path.display());
    Ok(state)
}

fn write(corpus: &Path, file: &Path, state: &Fingerprint) -> Result<()> {
    file.parent().map_or(Ok(()), remove_abandoned)?;
    write_with(file, &mut |out| {
        out.write_all(MAGIC)?;
        let mut layout = Layout::new();
        let mut image_places = ImagePlaces::default();
        let mut written = Ok(());
        let problems = for_each_document(corpus, &mut |_, document| {
            if written.is_ok() {
                image_places.add(&document);
                written = out.write_all(layout.entry(&document.view()));
            }
        });
        written?;
        ensure!(!is_cut_short(&problems), "{} cannot be read", corpus.display());
        ensure!(is_unchanged(corpus, state)?, "{} was changed while it was read", corpus.display());
        let image_places = image_places.places.into_iter().collect();
        let notes = serde_json::to_vec(&Notes { problems, image_places })?;
        Ok(out.write_all(&layout.end(&notes, state.number()).0)?)
    })
}

/// Removes what programs that were ended have left, which may be large.
fn remove_abandoned(folder: &Path) -> Result<()> {
    let Ok(entries) = fs::read_dir(folder) else { return Ok(()) };
    for entry in entries.flatten().filter(|entry| entry.file_name().to_string_lossy().starts_with(".tmp")) {
        let age = entry.metadata().and_then(|metadata| metadata.modified())?.elapsed();
        if age.is_ok_and(|age| age > ABANDONED) {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

/// Folders and containers of images, as they come.
#[derive(Default)]
struct ImagePlaces {
    places: BTreeSet<PathBuf>,
    last: PathBuf,
}

impl ImagePlaces {
    fn add(&mut self, document: &Document) {
        let image = on_disk(&document.image);
        let is_member = MemberPath::of(&document.image).is_some();
        let place = if is_member { &*image } else { image.parent().unwrap_or(Path::new("")) };
        // Most images are where the last one was.
        if self.places.is_empty() || self.last != place {
            self.last = place.to_path_buf();
            self.places.insert(self.last.clone());
        }
    }
}

impl Kept {
    /// The documents read from `corpus.jsonl` again, because the file of them is damaged, which is removed; `None` if
    /// `corpus.jsonl` has changed since.
    pub(super) fn read_again(&self, rows: usize) -> Option<StoredDocuments> {
        // The next start makes a new one; this one goes on with what is in memory.
        let _ = fs::remove_file(&self.file);
        let is_same = || is_unchanged(&self.corpus, &self.state).ok().filter(|is_same| *is_same);
        is_same()?;
        let (documents, problems) = super::parse(&self.corpus);
        is_same()?;
        (!is_cut_short(&problems) && documents.len() == rows).then_some(documents)
    }
}

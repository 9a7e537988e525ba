//! Adds the rows of a source to a dataset that is there already (`--into`). Ids, groups and tasks of the source begin with its
//! name, so that patient 12 of one source is not patient 12 of another.

use crate::data::files_aside::{FilesAside, IMAGES};
use crate::data::kept_copies::CopyCounts;
use crate::data::{CASES_FILE, CORPUS_FILE, Case, Document, Existing, MANIFEST_FILE, Manifest, OnlyPart};
use crate::files::durable::{make_folder, replace_folder, write_file};
use crate::files::input_file;
use anyhow::{Context, Result, bail};
use serde::Deserialize;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

/// The name of a source before its ids: `roco:`.
pub(super) struct Prefix(String);

impl Prefix {
    /// # Errors
    /// Fails unless the name has letters, digits, `-`, `_` and `.` only.
    pub fn new(source: &str) -> Result<Self> {
        let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "-_.".contains(letter);
        if source.is_empty() || source.starts_with('.') || !source.chars().all(is_plain) {
            bail!("expected a name of letters, digits, -, _ and . for the source, found {source:?}");
        }
        Ok(Self(format!("{source}:")))
    }

    pub fn apply(&self, id: &mut String, group: Option<&mut String>) {
        id.insert_str(0, &self.0);
        if let Some(group) = group {
            group.insert_str(0, &self.0);
        }
    }

    /// The task's id; a task that is called like its source stays so.
    pub fn task(&self, task: &str) -> String {
        if task == self.0.trim_end_matches(':') || task.starts_with(&self.0) {
            task.into()
        } else {
            format!("{}{task}", self.0)
        }
    }
}

/// The id of any line.
#[derive(Deserialize)]
struct LineId {
    id: String,
}

/// A dataset with its new rows, written beside it until all is checked.
pub(super) struct MergedDataset {
    target: PathBuf,
    source: String,
    manifest: Manifest,
    existing: Existing,
    files: FilesAside,
    case_count: usize,
    document_count: usize,
    has_images: bool,
}

impl MergedDataset {
    /// Copies the rows of the dataset `target`, without those of the same source. With `keeps_copies`, pictures that are copied
    /// outlive a kill.
    ///
    /// # Errors
    /// Fails if there is no dataset, or it has rows of the source that may not be replaced.
    pub fn open(target: &Path, source: &str, existing: Existing, keeps_copies: bool) -> Result<Self> {
        let manifest_path = target.join(MANIFEST_FILE);
        if !manifest_path.is_file() {
            bail!("{}: expected a dataset to add to, found no {MANIFEST_FILE}", target.display());
        }
        let (manifest, problems) = Manifest::read(&manifest_path)?;
        if let Some(problem) = problems.into_iter().find(crate::data::Problem::is_error) {
            return Err(problem.into());
        }
        let mut files = if keeps_copies { FilesAside::keeping_copies(target)? } else { FilesAside::of(target)? };
        let prefix = Prefix::new(source)?;
        let (case_count, old_cases) = copy_others(target, &mut files, CASES_FILE, &prefix)?;
        let (document_count, old_documents) = copy_others(target, &mut files, CORPUS_FILE, &prefix)?;
        if existing == Existing::Refuse && old_cases + old_documents > 0 {
            bail!(
                "{} has {old_cases} cases and {old_documents} documents of the source {source:?} already; give --source \
                 another name, or --replace to replace them",
                target.display()
            );
        }
        let annotations = target.join(".dissent").join("annotations");
        if old_cases > 0 && fs::read_dir(&annotations).is_ok_and(|mut files| files.next().is_some()) {
            bail!("{} contains annotations; move them away before replacing cases", annotations.display());
        }
        Ok(Self {
            target: target.into(),
            source: source.into(),
            manifest,
            existing,
            files,
            case_count,
            document_count,
            has_images: false,
        })
    }

    /// The files that were written, for an image that will be `images/SOURCE/NAME`.
    pub fn image_files(&mut self) -> &mut FilesAside {
        self.has_images = true;
        &mut self.files
    }

    /// Where the image `NAME` will be.
    pub fn image_path(&self, name: &str) -> PathBuf {
        Path::new(IMAGES).join(&self.source).join(name)
    }

    pub fn case(&mut self, case: &Case) -> Result<()> {
        self.case_count += 1;
        self.files.case(case)
    }

    pub fn document(&mut self, document: &Document) -> Result<()> {
        self.document_count += 1;
        self.files.document(document)
    }

    /// Checks the whole, then moves it into place: images first, then one file after the other, such that the dataset is valid
    /// after each move.
    pub fn finish(mut self, added: &Manifest) -> Result<Option<CopyCounts>> {
        let before = self.manifest.only;
        let mut manifest = self.merged_manifest(added)?;
        self.files.complete(&manifest)?;
        if self.has_images {
            let folder = self.target.join(IMAGES).join(&self.source);
            make_folder(&self.target.join(IMAGES))?;
            replace_folder(&self.files.path().join(IMAGES), &folder)?;
        }
        let rename = |name: &str| {
            fs::rename(self.files.path().join(name), self.target.join(name))
                .with_context(|| format!("cannot replace {name} of {}", self.target.display()))
        };
        rename(CORPUS_FILE)?;
        // Until the cases are there, an empty file of cases must stay allowed.
        let after = std::mem::replace(&mut manifest.only, before);
        write_file(&self.target.join(MANIFEST_FILE), manifest.to_toml()?.as_bytes())?;
        rename(CASES_FILE)?;
        manifest.only = after;
        write_file(&self.target.join(MANIFEST_FILE), manifest.to_toml()?.as_bytes())?;
        self.files.moved();
        Ok(self.files.copy_counts())
    }

    /// Name, licence and note of the dataset stay; those of the source are added to licence and note.
    fn merged_manifest(&self, added: &Manifest) -> Result<Manifest> {
        let mut manifest = self.manifest.clone();
        for task in &added.tasks {
            match manifest.tasks.iter_mut().find(|known| known.id == task.id) {
                None => manifest.tasks.push(task.clone()),
                Some(known) if known == task => {}
                Some(known) if self.existing == Existing::Replace => *known = task.clone(),
                Some(_) => bail!("the dataset has another task {:?}; give --source another name", task.id),
            }
        }
        manifest.licence = joined(manifest.licence, &self.source, added.licence.as_deref());
        manifest.note = joined(manifest.note, &self.source, added.note.as_deref());
        manifest.only = match (self.case_count, self.document_count) {
            (0, _) => Some(OnlyPart::Corpus),
            (_, 0) => Some(OnlyPart::Cases),
            _ => None,
        };
        Ok(manifest)
    }
}

/// The text with that of the source, unless it is there already.
fn joined(before: Option<String>, source: &str, added: Option<&str>) -> Option<String> {
    let Some(added) = added else { return before };
    let added = format!("{source}: {added}");
    match before {
        None => Some(added),
        Some(text) if text.contains(&added) => Some(text),
        Some(text) => Some(format!("{text}; {added}")),
    }
}

/// Copies the lines whose ids have another prefix; returns the number of copied lines and of the others.
fn copy_others(target: &Path, files: &mut FilesAside, name: &str, prefix: &Prefix) -> Result<(usize, usize)> {
    let path = target.join(name);
    let cannot_read = || format!("cannot read {}", path.display());
    let mut reader = BufReader::new(input_file::open(&path).with_context(cannot_read)?);
    let (mut copied, mut left) = (0, 0);
    let mut line = Vec::new();
    loop {
        line.clear();
        reader.read_until(b'\n', &mut line).with_context(cannot_read)?;
        if line.is_empty() {
            return Ok((copied, left));
        }
        if line.trim_ascii().is_empty() {
            continue;
        }
        if serde_json::from_slice::<LineId>(&line).is_ok_and(|line| line.id.starts_with(&prefix.0)) {
            left += 1;
            continue;
        }
        copied += 1;
        files.line(name, line.strip_suffix(b"\n").unwrap_or(&line))?;
    }
}

//! One import at work: what an importer writes into. It counts what comes in and what is left out, and writes nothing in a dry
//! run.

use super::left_out::{LeftOut, leave_out};
use super::merge::{MergedDataset, Prefix};
use super::options::{ImportOptions, RowsAs, Target};
use super::{Imported, LONGEST_IMAGE};
use crate::data::files_aside::{FilesAside, IMAGES};
use crate::data::kept_copies::{CopyCounts, CopySource, remove_kept_copies_of};
use crate::data::summary::SummaryCounter;
use crate::data::{Case, DatasetWriter, Document, Manifest, OnlyPart, Picture, Split};
use crate::files::durable::linked;
use crate::files::fingerprint::Fingerprint;
use anyhow::{Context, Result, bail};
use image::{DynamicImage, ImageFormat};
use rustc_hash::FxHashSet;
use std::fmt::Display;
use std::io::Cursor;
use std::path::{Path, PathBuf};

/// Where the rows go.
enum Output {
    DryRun,
    New(DatasetWriter),
    Merged(Box<MergedDataset>),
}

/// An import at work. If dropped unfinished, nothing is left of it but pictures that were copied, in a hidden folder from which
/// the next import of this dataset goes on ([`crate::data::kept_copies_of`]).
pub struct ImportSession {
    target: PathBuf,
    output: Output,
    /// What precedes the ids and groups of a source that is merged into a dataset.
    prefix: Option<Prefix>,
    rows: RowsAs,
    splits: Vec<Split>,
    copies: bool,
    counter: SummaryCounter,
    left_out: Vec<LeftOut>,
    /// What to do if no row came in.
    help: Vec<String>,
    remarks: Vec<String>,
    /// Hashes of the ids so far.
    case_ids: FxHashSet<u64>,
    document_ids: FxHashSet<u64>,
}

impl ImportSession {
    /// Starts an import into the dataset `target`; `rows` is what the format makes unless the options say otherwise.
    ///
    /// # Errors
    /// Fails if the target may not be written as the options say.
    pub fn start(target: &Path, options: &ImportOptions, rows: RowsAs) -> Result<Self> {
        let target = linked(target)?;
        let output = match &options.target {
            _ if options.dry_run => Output::DryRun,
            Target::New(existing) if options.copy => Output::New(DatasetWriter::keeping_copies(&target, *existing)?),
            Target::New(existing) => Output::New(DatasetWriter::create(&target, *existing)?),
            Target::Into { source, existing } => {
                Output::Merged(Box::new(MergedDataset::open(&target, source, *existing, options.copy)?))
            }
        };
        let prefix = match &options.target {
            Target::New(_) => None,
            Target::Into { source, .. } => Some(Prefix::new(source)?),
        };
        Ok(Self {
            target,
            output,
            prefix,
            rows: options.rows.unwrap_or(rows),
            splits: options.splits.clone(),
            copies: options.copy,
            counter: SummaryCounter::default(),
            left_out: Vec::new(),
            help: Vec::new(),
            remarks: Vec::new(),
            case_ids: FxHashSet::default(),
            document_ids: FxHashSet::default(),
        })
    }

    /// What the rows become.
    pub fn rows(&self) -> RowsAs {
        self.rows
    }

    /// Whether rows become cases.
    pub fn wants_cases(&self) -> bool {
        self.rows != RowsAs::Corpus
    }

    /// Whether a row of this split becomes anything: in a benchmark, only training rows become documents.
    pub(super) fn wants(&self, split: Split) -> bool {
        self.wants_cases() || split == Split::Train
    }

    /// Whether only rows of some splits come in.
    pub(super) fn chooses_splits(&self) -> bool {
        !self.splits.is_empty()
    }

    /// Whether a row of this split comes in; `None` is a row whose split is not known. One that does not is counted, with its
    /// place.
    pub(super) fn takes_split(&mut self, split: Option<Split>, place: &dyn Display) -> bool {
        if self.splits.is_empty() || split.is_some_and(|split| self.splits.contains(&split)) {
            return true;
        }
        let reason = match split {
            Some(_) => "of another split than those of --splits",
            None => "its split is not known, and --splits takes only some",
        };
        self.leave_out(reason, place);
        false
    }

    /// Names an image file, or a member of an archive (`images.zip!/a.jpg`), for cases and documents. The file stays where it
    /// is unless the options copy it to `images/NAME`.
    ///
    /// # Errors
    /// Fails if the file cannot be copied, or its path is not UTF-8.
    pub fn image(&mut self, path: &Path, name: &str) -> Result<PathBuf> {
        if path.to_str().is_none() {
            bail!("{}: expected a path in UTF-8, because a dataset is UTF-8, found other bytes", path.display());
        }
        if !self.copies {
            return std::path::absolute(path).with_context(|| format!("cannot name {}", path.display()));
        }
        // Read before it is stamped, a file that changes meanwhile would seem unchanged.
        let source = CopySource::of(path)?;
        if let Some(files) = self.image_files()
            && files.has_copy(name, source)?
        {
            return Ok(self.image_path(name));
        }
        let bytes = Picture::read_bytes(path)?;
        check_length(name, &bytes)?;
        if let Some(files) = self.image_files() {
            files.copied(name, &bytes, source)?;
        }
        Ok(self.image_path(name))
    }

    /// Where the dataset has the image `NAME`.
    fn image_path(&self, name: &str) -> PathBuf {
        match &self.output {
            Output::DryRun | Output::New(_) => Path::new(IMAGES).join(name),
            Output::Merged(merged) => merged.image_path(name),
        }
    }

    /// The files that are written, for an image; `None` in a dry run.
    fn image_files(&mut self) -> Option<&mut FilesAside> {
        match &mut self.output {
            Output::DryRun => None,
            Output::New(writer) => Some(writer.files()),
            Output::Merged(merged) => Some(merged.image_files()),
        }
    }

    /// Writes an image of the source as `images/NAME`, for sources whose images are not files.
    ///
    /// # Errors
    /// Fails if the image is too long or cannot be written, or the name leads out of `images/`.
    pub fn image_bytes(&mut self, name: &str, bytes: &[u8]) -> Result<PathBuf> {
        check_length(name, bytes)?;
        if let Some(files) = self.image_files() {
            files.image(name, bytes)?;
        }
        Ok(self.image_path(name))
    }

    /// Encodes an image as PNG and writes it like [`ImportSession::image_bytes`].
    ///
    /// # Errors
    /// Fails like it, or if the image cannot be encoded.
    pub fn png(&mut self, name: &str, image: &DynamicImage) -> Result<PathBuf> {
        if matches!(self.output, Output::DryRun) {
            return Ok(self.image_path(name));
        }
        let mut bytes = Cursor::new(Vec::new());
        image.write_to(&mut bytes, ImageFormat::Png).with_context(|| format!("cannot encode image {name}"))?;
        self.image_bytes(name, bytes.get_ref())
    }

    /// Adds a case, unless rows become documents only. The id must be new.
    ///
    /// # Errors
    /// Fails if an earlier case has the id, or the disk is full.
    pub fn case(&mut self, mut case: Case) -> Result<()> {
        if self.rows == RowsAs::Corpus {
            return Ok(());
        }
        if let Some(prefix) = &self.prefix {
            prefix.apply(&mut case.id, case.group.as_mut());
            case.task = prefix.task(&case.task);
        }
        check_new(&mut self.case_ids, &case.id, "case")?;
        self.counter.case(&case);
        match &mut self.output {
            Output::DryRun => Ok(()),
            Output::New(writer) => writer.case(&case),
            Output::Merged(merged) => merged.case(&case),
        }
    }

    /// Adds a document, unless rows become cases only. The id must be new.
    ///
    /// # Errors
    /// Fails if an earlier document has the id, or the disk is full.
    pub fn document(&mut self, mut document: Document) -> Result<()> {
        if self.rows == RowsAs::Cases {
            return Ok(());
        }
        if let Some(prefix) = &self.prefix {
            prefix.apply(&mut document.id, document.group.as_mut());
        }
        check_new(&mut self.document_ids, &document.id, "document")?;
        self.write_document(&document)
    }

    /// Like [`ImportSession::document`], for a caller that gives no id twice. Its ids are not kept once more.
    ///
    /// # Errors
    /// Fails if the disk is full.
    pub(super) fn document_with_new_id(&mut self, mut document: Document) -> Result<()> {
        if self.rows == RowsAs::Cases {
            return Ok(());
        }
        if let Some(prefix) = &self.prefix {
            prefix.apply(&mut document.id, document.group.as_mut());
        }
        self.write_document(&document)
    }

    fn write_document(&mut self, document: &Document) -> Result<()> {
        self.counter.document(&document.view());
        match &mut self.output {
            Output::DryRun => Ok(()),
            Output::New(writer) => writer.document(document),
            Output::Merged(merged) => merged.document(document),
        }
    }

    /// Counts a row that cannot be used. `reason` is the same for all rows with it ("no image file"); `place` is the row's file
    /// and number.
    pub fn leave_out(&mut self, reason: &str, place: &dyn Display) {
        leave_out(&mut self.left_out, reason, place);
    }

    /// Tells the user why rows were left out and what to do; also if none came in.
    pub fn leave_out_help(&mut self, help: String) {
        self.help.push(help);
    }

    /// Whether a document with this id came in already.
    pub fn has_document(&self, id: &str) -> bool {
        let mut id = id.to_owned();
        if let Some(prefix) = &self.prefix {
            prefix.apply(&mut id, None);
        }
        self.document_ids.contains(&Fingerprint::number_of(id.as_bytes()))
    }

    /// Tells the user something about the source.
    pub fn remark(&mut self, remark: impl Into<String>) {
        self.remarks.push(remark.into());
    }

    /// Checks everything, and moves it into place unless this is a dry run.
    ///
    /// # Errors
    /// Fails if nothing came in, or an answer is not one of its task's labels; nothing is then left of the import.
    pub fn finish(mut self, mut manifest: Manifest) -> Result<Imported> {
        let (no_case, no_document) = self.counter.is_without();
        if no_case && no_document {
            let reasons: Vec<String> =
                self.left_out.iter().map(LeftOut::to_string).chain(self.help.iter().cloned()).collect();
            let found = if reasons.is_empty() { "no row".into() } else { reasons.join("; ") };
            bail!("expected rows that become cases or documents, found none: {found}");
        }
        if let Some(prefix) = &self.prefix {
            manifest.tasks.iter_mut().for_each(|task| task.id = prefix.task(&task.id));
        }
        if no_case {
            manifest.only = Some(OnlyPart::Corpus);
            manifest.tasks.clear();
        } else if no_document {
            manifest.only = Some(OnlyPart::Cases);
        }
        for (task, answer) in self.counter.answers() {
            let Some(task) = manifest.tasks.iter().find(|known| known.id == task) else {
                bail!("task {task:?} of the cases is not in the manifest");
            };
            if let Err(unknown) = task.spell(answer) {
                bail!("answer {answer:?}: expected labels of task {}, found {unknown:?}", task.id);
            }
        }
        // Reading back needs the memory of these.
        drop((self.case_ids, self.document_ids));
        self.remarks.append(&mut self.help);
        let summary = self.counter.finish(&manifest.name, &manifest.tasks)?;
        let is_dry_run = matches!(self.output, Output::DryRun);
        let copies = match self.output {
            Output::DryRun => None,
            Output::New(mut writer) => {
                writer.move_into_place(&manifest)?;
                writer.files().copy_counts()
            }
            Output::Merged(merged) => merged.finish(&manifest)?,
        };
        self.remarks.extend(copies.map(remarks_about).unwrap_or_default());
        if !self.copies && !is_dry_run && remove_kept_copies_of(&self.target) {
            self.remarks.push("pictures that a stopped import with --copy had copied were removed".into());
        }
        Ok(Imported { summary, left_out: self.left_out, remarks: self.remarks })
    }
}

fn check_length(name: &str, bytes: &[u8]) -> Result<()> {
    if bytes.len() as u64 > LONGEST_IMAGE {
        bail!("image {name}: expected at most {LONGEST_IMAGE} bytes, found {}", bytes.len());
    }
    Ok(())
}

/// What the user hears about pictures that an import which was stopped had copied.
fn remarks_about(copies: CopyCounts) -> Vec<String> {
    let CopyCounts { before, now, changed, removed } = copies;
    let mut remarks = Vec::new();
    if before > 0 {
        remarks
            .push(format!("{before} of {} pictures were copied before; this import went on from them", before + now));
    }
    if changed > 0 {
        remarks.push(format!("{changed} pictures were copied before, but their files have changed: copied again"));
    }
    if removed > 0 {
        remarks.push(format!("{removed} pictures were copied before, but are not in this import: removed"));
    }
    remarks
}

/// Only hashes are kept: two ids among millions that differ and share one are less likely than a damaged disk.
fn check_new(known: &mut FxHashSet<u64>, id: &str, what: &str) -> Result<()> {
    if !known.insert(Fingerprint::number_of(id.as_bytes())) {
        bail!("expected one {what} with the id {id:?}, found two");
    }
    Ok(())
}

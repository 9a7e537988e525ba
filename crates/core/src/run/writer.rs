//! Writes a run: appends and syncs whole cases, so that a kill or a full disk costs at most the current case, and the
//! run can be continued.

use super::checksum::seal;
use super::identity::RunIdentity;
use super::prediction_line::LineWriter;
use super::stored_cases::read_cases;
use super::{Ablation, CaseAnswer, PREDICTIONS_FILE, RUN_FILE, ShownCaptions, TokenUsage};
use crate::data::Dataset;
use crate::files::durable::make_folder;
use anyhow::{Context, Result, bail};
use std::collections::HashSet;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// Appends to the predictions of one run; a lock keeps other programs from writing to it.
#[derive(Debug)]
pub struct RunWriter {
    path: PathBuf,
    file: File,
    identity: RunIdentity,
    /// Ids of the cases that are whole in the file.
    done: HashSet<String>,
    /// Captions that the reader sees; loaded on first use.
    captions: Option<ShownCaptions>,
    /// Bytes of whole cases; anything that a failed write leaves after them is cut off.
    whole: u64,
}

impl RunWriter {
    /// Begins a run in `folder`, or continues the run that is there.
    ///
    /// # Errors
    /// Fails if the run there was made from other inputs (both fingerprints are named), another program writes it, or
    /// the folder cannot be written.
    pub fn open(folder: &Path, now: &RunIdentity) -> Result<Self> {
        make_folder(folder)?;
        let path = folder.join(PREDICTIONS_FILE);
        let mut file = OpenOptions::new()
            .create(true)
            .read(true)
            .write(true)
            .truncate(false)
            .open(&path)
            .with_context(|| format!("cannot write {}", path.display()))?;
        // Some network file systems have no locks; then nothing guards against a second writer.
        if let Err(TryLockError::WouldBlock) = file.try_lock() {
            bail!("another dissent is writing the run in {}", folder.display());
        }
        let identity_path = folder.join(RUN_FILE);
        let identity = if identity_path.exists() {
            let then = RunIdentity::read(&identity_path)?;
            let differences = then.differences(now);
            if !differences.is_empty() {
                bail!(
                    "the run in {} was made from other inputs: {}; choose another --run name, or remove that folder",
                    folder.display(),
                    differences.join(", ")
                );
            }
            then
        } else {
            let length = file.metadata().with_context(|| format!("cannot read {}", path.display()))?.len();
            if length > 0 {
                bail!("{} has predictions, but no {RUN_FILE} that names their inputs", folder.display());
            }
            now.write(&identity_path)?;
            now.clone()
        };
        let mut done = HashSet::new();
        let extent = read_cases(&path, &identity, &mut |case| {
            done.insert(case.id);
        })?;
        if extent.length > extent.whole {
            file.set_len(extent.whole).with_context(|| format!("cannot cut the torn tail of {}", path.display()))?;
        }
        file.seek(SeekFrom::End(0)).with_context(|| format!("cannot write {}", path.display()))?;
        Ok(Self { path, file, identity, done, captions: None, whole: extent.whole })
    }

    /// The inputs of the run.
    pub fn identity(&self) -> &RunIdentity {
        &self.identity
    }

    /// Adds to what the run has cost, in `run.toml`.
    ///
    /// # Errors
    /// Fails if the file cannot be written.
    pub fn add_usage(&mut self, usage: TokenUsage) -> Result<()> {
        if usage == TokenUsage::default() {
            return Ok(());
        }
        self.identity.reader_usage = Some(self.identity.reader_usage.unwrap_or_default().and(usage));
        let folder = self.path.parent().unwrap_or(Path::new("."));
        self.identity.write(&folder.join(RUN_FILE))
    }

    /// Is the case with this id already in the run?
    pub fn has(&self, case: &str) -> bool {
        self.done.contains(case)
    }

    /// Appends the answers of some cases and waits until they are on disk. If that fails (a full disk), the file still
    /// ends with the last whole case and the run can be continued later.
    ///
    /// # Errors
    /// Fails if the file cannot be written, or an answer does not belong to the dataset.
    pub fn append(&mut self, dataset: &Dataset, answers: &[CaseAnswer]) -> Result<()> {
        let ablation: Ablation = self.identity.ablation.parse().context("run.toml, field ablation")?;
        let captions = self.captions.get_or_insert_with(|| ShownCaptions::new(dataset, ablation.caption));
        let prints = &self.identity.fingerprints;
        let lines = LineWriter {
            dataset,
            reader: &prints.reader,
            retriever: prints.retriever.as_ref(),
            captions,
            without_image: ablation.without_image,
        };
        let mut text = Vec::new();
        let mut ids = Vec::new();
        for answer in answers {
            let mut checksum = None;
            for line in lines.lines_of(answer)? {
                let mut object = serde_json::to_vec(&line).context("cannot write a prediction as JSON")?;
                checksum = Some(seal(&mut object, checksum));
                text.extend_from_slice(&object);
                if line.document.is_none() {
                    ids.push(line.case.0.into_owned());
                }
            }
        }
        let written = self.file.write_all(&text).and_then(|()| self.file.sync_data());
        if let Err(error) = written {
            // Opening the run again cuts the tail too, so nothing is lost if this fails.
            let _ = self.file.set_len(self.whole);
            let _ = self.file.seek(SeekFrom::Start(self.whole));
            return Err(error).with_context(|| {
                format!(
                    "cannot write {} (is the disk full?); {} whole cases are kept, the same command goes on from there",
                    self.path.display(),
                    self.done.len()
                )
            });
        }
        self.whole += text.len() as u64;
        self.done.extend(ids);
        Ok(())
    }
}

impl Drop for RunWriter {
    /// Unlocks explicitly: a process that is just being started may still hold the inherited file for a moment, and
    /// with it the lock.
    fn drop(&mut self) {
        let _ = self.file.unlock();
    }
}

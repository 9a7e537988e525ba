//! The files of vectors that another program computed, and what the index records of them.

use super::VectorSide;
use anyhow::{Context, Result, ensure};
use dissent_core::data::vectors::{Lengths, MatchedRows, VectorTable, ids_beside, unit_row};
use dissent_core::files::fingerprint::Fingerprint;
use dissent_core::files::known_files::fingerprint_of_file;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// A file of vectors, and the list of its ids if that is a file of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VectorSource {
    pub path: PathBuf,
    pub ids: Option<PathBuf>,
}

/// The files of an index without an encoder.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GivenFiles {
    /// Vectors of the documents' images.
    pub image: Option<VectorSource>,
    /// Vectors of the documents' captions.
    pub caption: Option<VectorSource>,
    /// Vectors of the cases' images. Without them text is searched, and nothing is retrieved for a case.
    pub query: Option<VectorSource>,
}

/// What the index records of its files.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GivenStamp {
    /// The dataset's folder, for messages.
    pub dataset: PathBuf,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<GivenFile>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub caption: Option<GivenFile>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub query: Option<GivenFile>,
}

/// One file of [`GivenStamp`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GivenFile {
    pub path: PathBuf,
    pub content: Fingerprint,
    /// The list of ids, if it is a file of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ids: Option<PathBuf>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ids_content: Option<Fingerprint>,
    /// Whether rows are found by id; else they are in the order of the dataset's lines.
    pub by_id: bool,
    /// Number of vectors that were taken from it.
    pub vectors: usize,
    /// Vectors whose length was not 1.
    pub lengths: Lengths,
}

impl GivenStamp {
    /// The files in the order of their flags.
    pub fn files(&self) -> impl Iterator<Item = (&'static str, &GivenFile)> {
        let flags = [("image", &self.image), ("caption", &self.caption), ("query", &self.query)];
        flags.into_iter().filter_map(|(what, file)| Some((what, file.as_ref()?)))
    }

    /// The record of a side.
    pub(super) fn side(&mut self, side: VectorSide) -> &mut Option<GivenFile> {
        match side {
            VectorSide::Image => &mut self.image,
            VectorSide::Caption => &mut self.caption,
        }
    }

    /// The command that makes the index again.
    pub fn command(&self) -> String {
        let mut command = format!("dissent index {}", quoted(&self.dataset));
        for (what, file) in self.files() {
            command.push_str(&format!(" --{what}-vectors {}", quoted(&file.path)));
            // A list beside its vectors is found without a flag.
            if let Some(ids) = file.ids.as_ref().filter(|ids| **ids != ids_beside(&file.path)) {
                command.push_str(&format!(" --{what}-ids {}", quoted(ids)));
            }
        }
        command
    }

    /// The files, to read them again.
    pub fn sources(&self) -> GivenFiles {
        let source = |file: &Option<GivenFile>| {
            file.as_ref().map(|file| VectorSource { path: file.path.clone(), ids: file.ids.clone() })
        };
        GivenFiles { image: source(&self.image), caption: source(&self.caption), query: source(&self.query) }
    }

    /// The first file that is there and has another content now. One that is gone is no longer needed.
    pub fn changed_file(&self) -> Option<&Path> {
        let has_changed = |path: &Path, then: &Fingerprint| fingerprint_of_file(path).is_ok_and(|now| now != *then);
        for (_, file) in self.files() {
            if has_changed(&file.path, &file.content) {
                return Some(&file.path);
            }
            if let (Some(ids), Some(then)) = (&file.ids, &file.ids_content)
                && has_changed(ids, then)
            {
                return Some(ids);
            }
        }
        None
    }
}

/// The path as a shell takes it.
fn quoted(path: &Path) -> String {
    let text = path.display().to_string();
    let is_plain = text.chars().all(|letter| letter.is_alphanumeric() || "/._-+=:,@".contains(letter));
    if is_plain { text } else { format!("'{}'", text.replace('\'', r"'\''")) }
}

/// An open file with its rows matched to the documents or cases.
pub(super) struct OpenedVectors {
    table: VectorTable,
    matched: MatchedRows,
    stamp: GivenFile,
}

impl OpenedVectors {
    /// Opens a file and matches its rows to `wanted` ids.
    ///
    /// # Errors
    /// Fails if the file cannot be used, or its ids or the number of its rows do not fit.
    pub fn open(source: &VectorSource, wanted: &[&str], what: &str, in_file: &str) -> Result<Self> {
        // Absolute, because a later command may run in another folder.
        let absolute = |path: &Path| {
            std::path::absolute(path).with_context(|| format!("cannot find the folder of {}", path.display()))
        };
        let content_of =
            |path: &Path| fingerprint_of_file(path).with_context(|| format!("cannot read {}", path.display()));
        let content = content_of(&source.path)?;
        let table = VectorTable::open(&source.path, source.ids.as_deref())?;
        let matched = MatchedRows::of(&table, wanted, what, in_file)?;
        let stamp = GivenFile {
            path: absolute(&source.path)?,
            content,
            ids: table.ids_file().map(absolute).transpose()?,
            ids_content: table.ids_file().map(content_of).transpose()?,
            by_id: table.ids().is_some(),
            vectors: matched.count(),
            lengths: Lengths::default(),
        };
        Ok(Self { table, matched, stamp })
    }

    /// Length of the vectors.
    pub fn dimension(&self) -> usize {
        self.table.dimension()
    }

    /// Calls `take` with each position for which `is_wanted` holds and its vector at length 1. Returns the record of the file.
    /// `name` gives the id of a position.
    ///
    /// # Errors
    /// Fails with the id if a vector is missing, not finite or zero, if `take` fails, and if the file changed meanwhile.
    pub fn read(
        mut self,
        what: &str,
        name: &dyn Fn(usize) -> String,
        is_wanted: &dyn Fn(usize) -> bool,
        take: &mut dyn FnMut(usize, &[f32]) -> Result<()>,
    ) -> Result<GivenFile> {
        let mut vector = vec![0.0; self.dimension()];
        for position in 0..self.matched.rows.len() {
            if !is_wanted(position) {
                continue;
            }
            let row = self.matched.rows[position].with_context(|| {
                let missing = self.matched.rows.len() - self.matched.count();
                format!(
                    "{}: expected a vector for each {what}, found none for {} ({missing} have none)",
                    self.table.path().display(),
                    name(position)
                )
            })?;
            unit_row(&self.table, row, &mut vector, &mut self.stamp.lengths)?;
            take(position, &vector)?;
        }
        self.refuse_changed()?;
        Ok(self.stamp)
    }

    /// Like [`Self::read`], but only the vectors that are there, with their positions.
    ///
    /// # Errors
    /// Fails with the id if a vector is not finite or zero, and if the file changed meanwhile.
    pub fn read_those_there(mut self) -> Result<(Vec<usize>, Vec<f32>, GivenFile)> {
        let dimension = self.dimension();
        let (mut positions, mut values) = (Vec::new(), vec![0.0; self.matched.count() * dimension]);
        let there = self.matched.rows.iter().enumerate().filter_map(|(position, row)| Some((position, (*row)?)));
        for ((position, row), vector) in there.zip(values.chunks_exact_mut(dimension)) {
            unit_row(&self.table, row, vector, &mut self.stamp.lengths)?;
            positions.push(position);
        }
        self.refuse_changed()?;
        Ok((positions, values, self.stamp))
    }

    /// The file is mapped, and its content was fingerprinted before it was read.
    fn refuse_changed(&self) -> Result<()> {
        let path = self.table.path();
        let now = fingerprint_of_file(path).with_context(|| format!("cannot read {}", path.display()))?;
        ensure!(now == self.stamp.content, "{} changed while it was read; run the command again", path.display());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_is_one_that_a_shell_takes() {
        let file = |path: &str, ids: Option<&str>| GivenFile {
            path: path.into(),
            content: Fingerprint::of_bytes(b""),
            ids: ids.map(Into::into),
            ids_content: None,
            by_id: true,
            vectors: 1,
            lengths: Lengths::default(),
        };
        let stamp = GivenStamp {
            dataset: "my scans".into(),
            image: Some(file("/v/it's.npy", Some("/v/it's.npy.ids.txt"))),
            caption: None,
            query: Some(file("/v/q.npy", Some("/v/other.txt"))),
        };
        assert_eq!(
            stamp.command(),
            r"dissent index 'my scans' --image-vectors '/v/it'\''s.npy' --query-vectors /v/q.npy --query-ids /v/other.txt"
        );
    }
}

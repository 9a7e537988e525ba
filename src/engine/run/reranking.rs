//! Which document a reranker picked for each case of a run, beside its predictions.

use super::RunIdentity;
use crate::fingerprint::Fingerprint;
use anyhow::{Context, Result, anyhow, ensure};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

const PREFIX: &str = "rerank-";
/// Bytes of the longest file of choices: some million cases.
const LONGEST: u64 = 256 << 20;

/// The choices of one reranker; the answer of a case is the stored prediction with the document chosen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Reranking {
    /// Name in tables and of the file.
    pub name: String,
    /// Fingerprint of the run that it was made for.
    pub run: Fingerprint,
    /// Name and fingerprint of the reader that was asked.
    pub reader_name: String,
    pub reader: Fingerprint,
    /// What it was asked about each document; `{question}` is the case's.
    pub question: String,
    /// Case id to document id and the probability of Yes.
    pub choices: BTreeMap<String, Choice>,
}

/// What was picked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Choice {
    pub document: String,
    pub probability: f32,
}

impl Reranking {
    /// Writes the file into the run's folder, whole or not at all.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub fn write(&self, folder: &Path) -> Result<PathBuf> {
        let path = folder.join(format!("{PREFIX}{}.json", self.name));
        let text = serde_json::to_string_pretty(self).context("cannot write the choices as JSON")?;
        crate::durable::write_file(&path, text.as_bytes())?;
        Ok(path)
    }

    /// All rerankings in a run's folder, by name.
    ///
    /// # Errors
    /// Where a file cannot be read, is no reranking, or was made for another run.
    pub fn read_all(folder: &Path, identity: &RunIdentity) -> Result<Vec<Self>> {
        let entries = std::fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?;
        let mut paths: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
        paths.retain(|path| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            name.starts_with(PREFIX) && name.ends_with(".json")
        });
        paths.sort_unstable();
        let mut rerankings = Vec::new();
        for path in paths {
            let text = crate::input_file::read_text(&path, LONGEST)
                .with_context(|| format!("cannot read {}", path.display()))?;
            let reranking: Self = serde_json::from_str(&text)
                .map_err(|error| anyhow!("{}: expected the choices of a reranker, found: {error}", path.display()))?;
            let run = identity.fingerprint();
            ensure!(
                reranking.run == run,
                "{}: made for a run with fingerprint {}, this one has {run}; rerank again or remove the file",
                path.display(),
                reranking.run
            );
            rerankings.push(reranking);
        }
        Ok(rerankings)
    }
}

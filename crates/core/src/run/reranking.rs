//! A reranker's choice of one document for each case of a run, stored beside the predictions.

use super::RunIdentity;
use crate::files::fingerprint::Fingerprint;
use crate::text::single_keys::SingleKeys;
use anyhow::{Context, Result, anyhow, ensure};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

const PREFIX: &str = "rerank-";
/// Bytes of the longest file of choices, enough for some million cases.
const LONGEST: u64 = 256 << 20;

/// The choices of one reranker. The answer to a case is the stored prediction with the chosen document.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Reranking {
    /// Name in tables and in the file name.
    pub name: String,
    /// Fingerprint of the run that was reranked.
    pub run: Fingerprint,
    /// Name and fingerprint of the reader that was asked.
    pub reader_name: String,
    pub reader: Fingerprint,
    /// The question about each document; `{question}` stands for the question of the case.
    pub question: String,
    /// Case id to the chosen document's id and its probability of Yes.
    pub choices: BTreeMap<String, Choice>,
}

/// The chosen document.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Choice {
    pub document: String,
    pub probability: f32,
}

impl Reranking {
    /// Writes the file into the run's folder, whole or not at all.
    ///
    /// # Errors
    /// Fails if it cannot be written.
    pub fn write(&self, folder: &Path) -> Result<PathBuf> {
        let path = folder.join(format!("{PREFIX}{}.json", self.name));
        let text = serde_json::to_string_pretty(self).context("cannot write the choices as JSON")?;
        crate::files::durable::write_file(&path, text.as_bytes())?;
        Ok(path)
    }

    /// All rerankings in a run's folder, by name.
    ///
    /// # Errors
    /// Fails if a file cannot be read, is not a reranking, or belongs to another run.
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
            let text = crate::files::input_file::read_text(&path, LONGEST)
                .with_context(|| format!("cannot read {}", path.display()))?;
            let reranking = Self::parse(&text)
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

    /// Rejects a case that appears twice: a map would silently keep the last choice.
    fn parse(text: &str) -> serde_json::Result<Self> {
        let SingleKeys(value) = serde_json::from_str(text)?;
        serde_json::from_value(value)
    }
}

#[cfg(test)]
mod tests {
    use crate::run::reranking::*;

    #[test]
    fn a_case_that_is_there_twice_is_refused() {
        let print = Fingerprint::of_bytes(b"r");
        let (name, question) = ("n".to_string(), "q".to_string());
        let choices = BTreeMap::from([("a".to_string(), Choice { document: "x".into(), probability: 0.1 })]);
        let reader_name = "r".to_string();
        let reranking = Reranking { name, run: print.clone(), reader_name, reader: print, question, choices };
        let text = serde_json::to_string(&reranking).unwrap();
        assert_eq!(Reranking::parse(&text).unwrap(), reranking);
        let one = r#""a":{"document":"x""#;
        assert!(text.contains(one), "{text}");
        let twice = text.replace(one, &format!(r#""a":{{"document":"y","probability":0.1}},{one}"#));
        assert!(Reranking::parse(&twice).unwrap_err().to_string().contains("the key \"a\" appears twice"));
    }
}

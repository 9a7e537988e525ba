//! `index.toml`: what an index was built from and what is in it.

use super::{IndexError, VectorKind};
use crate::files::fingerprint::Fingerprint;
use crate::files::input_file;
use crate::text::toml_text;
use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::Path;

/// Raised when the files change their meaning; an index of another version is built again.
pub(super) const VERSION: u32 = 3;

/// A line of 1000 bytes for each of a million images that were left out.
const MOST: u64 = 1 << 30;

/// Content of `index.toml`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Manifest {
    pub version: u32,
    /// When it was built, RFC 3339 in UTC.
    pub date: String,
    /// Lines of the corpus.
    pub documents: usize,
    pub corpus: Fingerprint,
    /// How captions are cut into words, [`super::TOKENIZER`].
    pub tokenizer: String,
    /// How stored values become pixels, [`crate::data::CONVERSION_VERSION`].
    pub conversion: String,
    /// Of `contents.tsv`: what every image and caption held, and which images were left out.
    pub contents: Fingerprint,
    pub encoder: EncoderStamp,
    pub image: VectorKind,
    pub caption: VectorKind,
    /// Content of the files with vectors, by name: one that was cut, swapped or damaged is not read.
    #[serde(default)]
    pub files: BTreeMap<String, Fingerprint>,
    /// Documents without an image vector.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left_out: Vec<LeftOut>,
}

/// The encoder that made the vectors.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct EncoderStamp {
    pub name: String,
    pub fingerprint: Fingerprint,
    pub dimension: usize,
}

/// A document whose image could not be read: its caption is found, its image is not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeftOut {
    /// Row in the corpus.
    pub row: usize,
    /// Id of the document.
    pub document: String,
    pub reason: String,
}

impl Manifest {
    pub fn read(path: &Path) -> Result<Self, IndexError> {
        let text = match input_file::read_text(path, MOST) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Err(IndexError::Missing { path: path.parent().unwrap_or(path).into() });
            }
            Err(error) => return Err(IndexError::damaged(path, error)),
        };
        // The version is looked at first: another version may have other fields.
        let version = toml_text::parse::<toml::Table>(&text)
            .map_err(|error| IndexError::damaged(path, error))?
            .get("version")
            .and_then(toml::Value::as_integer);
        if version != Some(i64::from(VERSION)) {
            let found = version.map_or_else(|| "none".into(), |version| version.to_string());
            let folder = path.parent().unwrap_or(path).into();
            return Err(IndexError::OtherVersion { path: folder, expected: VERSION, found });
        }
        toml_text::parse(&text).map_err(|error| IndexError::damaged(path, error))
    }

    pub fn write(&self, path: &Path) -> Result<()> {
        let text = toml::to_string_pretty(self).context("cannot write index.toml")?;
        crate::files::durable::write_file(path, text.as_bytes())
    }

    /// Corpus rows with an image vector, ascending.
    pub fn image_rows(&self) -> Vec<u32> {
        let mut left_out = self.left_out.iter().map(|document| document.row).peekable();
        let mut rows = Vec::with_capacity(self.documents);
        for row in 0..self.documents {
            if left_out.next_if_eq(&row).is_none() {
                rows.push(row as u32);
            }
        }
        rows
    }

    /// All corpus rows: every document has a caption vector.
    pub fn caption_rows(&self) -> Vec<u32> {
        (0..self.documents as u32).collect()
    }
}

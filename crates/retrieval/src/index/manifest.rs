//! `index.toml`: the inputs and the content of an index.

use super::probes::MeasuredRecall;
use super::{Embedder, EncoderProbe, GivenStamp, IndexError, IndexSettings, VectorKind, VectorSide};
use anyhow::{Context, Result};
use dissent_core::files::fingerprint::Fingerprint;
use dissent_core::files::input_file;
use dissent_core::text::toml_text;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::Path;

/// Increased when the meaning of the files changes; an index of another version is rebuilt.
pub(super) const VERSION: u32 = 3;

/// Maximum size: a line of 1000 bytes for each of a million left-out images.
const MOST: u64 = 1 << 30;

/// Content of `index.toml`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Manifest {
    pub version: u32,
    /// Build date, RFC 3339 in UTC.
    pub date: String,
    /// Number of documents.
    pub documents: usize,
    pub corpus: Fingerprint,
    /// Tokenizer of the captions, [`super::TOKENIZER`].
    pub tokenizer: String,
    /// Version of the image conversion, [`dissent_core::data::CONVERSION_VERSION`].
    pub conversion: String,
    /// Fingerprint of `contents.tsv`: the contents of images and captions, and the left-out images.
    pub contents: Fingerprint,
    pub encoder: EncoderStamp,
    /// Where the vectors are from, if another program computed them. `encoder` then names the files, and its fingerprint is
    /// that of the vectors.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub given: Option<GivenStamp>,
    pub image: VectorKind,
    pub caption: VectorKind,
    /// What a person chose; absent in an index of an earlier version.
    #[serde(default)]
    pub settings: IndexSettings,
    /// The recall of approximate search, measured at the build.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image_recall: Option<MeasuredRecall>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub caption_recall: Option<MeasuredRecall>,
    /// Fingerprints of the files with vectors, by name, to detect damaged ones.
    #[serde(default)]
    pub files: BTreeMap<String, Fingerprint>,
    /// Documents without an image vector.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left_out: Vec<LeftOut>,
}

/// The encoder that made the vectors.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct EncoderStamp {
    pub name: String,
    pub fingerprint: Fingerprint,
    pub dimension: usize,
    /// The only side that it embeds; `None` if it embeds both.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub only: Option<VectorSide>,
    /// What a server is known by; `None` for an encoder in this process.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub probe: Option<EncoderProbe>,
}

impl EncoderStamp {
    pub fn of(encoder: &dyn Embedder) -> Self {
        Self {
            name: encoder.name().into(),
            fingerprint: encoder.fingerprint().clone(),
            dimension: encoder.dimension(),
            only: match (encoder.embeds_pictures(), encoder.embeds_texts()) {
                (true, false) => Some(VectorSide::Image),
                (false, true) => Some(VectorSide::Caption),
                _ => None,
            },
            probe: encoder.probe().cloned(),
        }
    }
}

/// A document whose image could not be read; only its caption can be found.
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
        // The version is checked first, because another version may have other fields.
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
        dissent_core::files::durable::write_file(path, text.as_bytes())
    }

    /// Whether documents have vectors on this side; most encoders make both.
    pub fn has_side(&self, side: VectorSide) -> bool {
        let is_embedded = self.encoder.only.is_none_or(|only| only == side);
        is_embedded
            && self.given.as_ref().is_none_or(|given| match side {
                VectorSide::Image => given.image.is_some(),
                VectorSide::Caption => given.caption.is_some(),
            })
    }

    /// The kind of index of a side.
    pub fn kind(&self, side: VectorSide) -> VectorKind {
        match side {
            VectorSide::Image => self.image,
            VectorSide::Caption => self.caption,
        }
    }

    /// Records what was measured.
    pub fn set_measured(&mut self, side: VectorSide, kind: VectorKind, recall: Option<MeasuredRecall>) {
        match side {
            VectorSide::Image => (self.image, self.image_recall) = (kind, recall),
            VectorSide::Caption => (self.caption, self.caption_recall) = (kind, recall),
        }
    }

    /// Corpus rows with an image vector, ascending.
    pub fn image_rows(&self) -> Vec<u32> {
        if !self.has_side(VectorSide::Image) {
            return Vec::new();
        }
        let mut left_out = self.left_out.iter().map(|document| document.row).peekable();
        let mut rows = Vec::with_capacity(self.documents);
        for row in 0..self.documents {
            if left_out.next_if_eq(&row).is_none() {
                rows.push(row as u32);
            }
        }
        rows
    }

    /// Corpus rows with a caption vector: all, or none.
    pub fn caption_rows(&self) -> Vec<u32> {
        if self.has_side(VectorSide::Caption) { (0..self.documents as u32).collect() } else { Vec::new() }
    }

    /// Rows of the tensors of `vectors.safetensors`: every document, or none.
    pub fn tensor_rows(&self, side: VectorSide) -> usize {
        if self.has_side(side) { self.documents } else { 0 }
    }
}

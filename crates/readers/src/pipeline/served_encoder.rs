//! An encoder on a server whose vectors are kept in the workspace, so that a build that was interrupted goes on and a case is
//! asked for once.

use super::vector_log::VectorLog;
use crate::reader::remote::{EmbeddingServer, ServedEncoder};
use anyhow::{Context, Result};
use dissent_core::files::fingerprint::Fingerprint;
use dissent_retrieval::index::{Embedder, EncoderProbe};
use image::RgbImage;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

/// A served encoder with its vectors on disk.
#[derive(Debug)]
pub struct CachedEncoder {
    server: EmbeddingServer,
    /// `None` if the file cannot be used.
    log: Mutex<Option<VectorLog>>,
}

impl CachedEncoder {
    /// Connects to the servers; `known` is the probe of the workspace's index, `folder` that of its caches.
    ///
    /// # Errors
    /// Fails as [`EmbeddingServer::connect`] does.
    pub fn connect(
        served: &ServedEncoder,
        known: Option<&EncoderProbe>,
        folder: &Path,
        progress: &dyn Fn(String),
    ) -> Result<Self> {
        let names: Vec<String> = served.addresses.iter().map(ToString::to_string).collect();
        progress(format!("asking the encoder at {}", names.join(", ")));
        let server = EmbeddingServer::connect(served, known, progress)?;
        let path = folder.join(format!("vectors-{}.bin", server.fingerprint()));
        let log = VectorLog::open(&path, server.dimension()).inspect_err(|error| {
            progress(format!("vectors of the encoder are not kept: {error:#}"));
        });
        progress(format!(
            "the encoder {} of {} embeds {} as vectors of {}",
            server.name(),
            server.engine(),
            match (server.embeds_texts(), server.embeds_pictures()) {
                (true, true) => "texts and images",
                (true, false) => "texts alone",
                (false, _) => "images alone",
            },
            server.dimension()
        ));
        Ok(Self { server, log: Mutex::new(log.ok()) })
    }

    /// Vectors under these keys: kept ones, and those that `ask` returns for the places of the others.
    fn kept_or(
        &self,
        keys: Vec<Fingerprint>,
        ask: impl FnOnce(&[usize]) -> Result<Vec<Vec<f32>>>,
    ) -> Result<Vec<Vec<f32>>> {
        let mut log = self.log.lock().unwrap_or_else(PoisonError::into_inner);
        let mut vectors = Vec::with_capacity(keys.len());
        let mut missing = Vec::new();
        for (place, key) in keys.iter().enumerate() {
            let kept = log.as_mut().and_then(|log| log.get(key).ok().flatten());
            if kept.is_none() {
                missing.push(place);
            }
            vectors.push(kept);
        }
        if !missing.is_empty() {
            let asked = ask(&missing)?;
            for (place, vector) in missing.into_iter().zip(asked) {
                // A full disk must not end the work: the vectors are not kept then.
                if log.as_mut().is_some_and(|log| log.insert(keys[place].clone(), &vector).is_err()) {
                    *log = None;
                }
                vectors[place] = Some(vector);
            }
        }
        vectors.into_iter().collect::<Option<Vec<_>>>().context("the server returned too few vectors")
    }

    fn key(&self, kind: &str, content: &Fingerprint) -> Fingerprint {
        Fingerprint::of_parts([self.server.fingerprint().as_str(), kind, content.as_str()])
    }
}

impl Embedder for CachedEncoder {
    fn embed_pictures(&self, pictures: &[&RgbImage]) -> Result<Vec<Vec<f32>>> {
        let key = |picture: &&RgbImage| {
            let size = format!("{}x{}", picture.width(), picture.height());
            self.key(&size, &Fingerprint::of_bytes(picture.as_raw()))
        };
        self.kept_or(pictures.iter().map(key).collect(), |places| {
            self.server.embed_pictures(&places.iter().map(|place| pictures[*place]).collect::<Vec<_>>())
        })
    }

    fn embed_texts(&self, texts: &[&str]) -> Result<Vec<Vec<f32>>> {
        let key = |text: &&str| self.key("text", &Fingerprint::of_bytes(text.as_bytes()));
        self.kept_or(texts.iter().map(key).collect(), |places| {
            self.server.embed_texts(&places.iter().map(|place| texts[*place]).collect::<Vec<_>>())
        })
    }

    fn dimension(&self) -> usize {
        self.server.dimension()
    }

    fn fingerprint(&self) -> &Fingerprint {
        self.server.fingerprint()
    }

    fn name(&self) -> &str {
        self.server.name()
    }

    fn embeds_pictures(&self) -> bool {
        self.server.embeds_pictures()
    }

    fn embeds_texts(&self) -> bool {
        self.server.embeds_texts()
    }

    fn probe(&self) -> Option<&EncoderProbe> {
        Some(self.server.probe())
    }

    fn forget_kept(&self) -> Result<()> {
        match self.log.lock().unwrap_or_else(PoisonError::into_inner).as_mut() {
            Some(log) => log.clear(),
            None => Ok(()),
        }
    }
}

//! An encoder on a server whose vectors are kept in the workspace, so that a build that was interrupted goes on and a case is
//! asked for once.

use super::kept_vectors::KeptVectors;
use crate::reader::remote::{EmbeddingServer, ServerConnection};
use anyhow::Result;
use dissent_core::files::fingerprint::Fingerprint;
use dissent_core::run::TokenUsage;
use dissent_retrieval::index::{Embedder, EncoderProbe, SAME_COSINE};
use image::RgbImage;
use std::path::Path;

/// A served encoder with its vectors on disk.
#[derive(Debug)]
pub struct CachedEncoder {
    server: EmbeddingServer,
    kept: KeptVectors,
}

impl CachedEncoder {
    /// Connects to the servers; `known` is the probe of the workspace's index, `folder` that of its caches.
    ///
    /// # Errors
    /// Fails as [`EmbeddingServer::connect`] does.
    pub fn connect(
        connection: &ServerConnection,
        known: Option<EncoderProbe>,
        folder: &Path,
        progress: &dyn Fn(String),
    ) -> Result<Self> {
        progress(format!("asking the encoder at {}", connection.names()));
        let index_fingerprint = known.as_ref().map(|known| known.fingerprint.clone());
        let kept = KeptVectors::probes_in(folder);
        let known: Vec<EncoderProbe> = known.into_iter().chain(kept).collect();
        let server = EmbeddingServer::connect(connection, &known, progress)?;
        if let Some(near) = known.iter().find(|known| known.fingerprint == *server.fingerprint())
            && Some(&near.fingerprint) != index_fingerprint.as_ref()
        {
            progress(format!(
                "vectors that this server gave earlier are used again: those of the test inputs have a cosine above \
                 {SAME_COSINE}; `dissent index --force` asks for all anew"
            ));
        }
        let kept = KeptVectors::open(folder, server.probe(), server.dimension());
        if let Some(remark) = kept.take_remark() {
            progress(remark);
        }
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
        Ok(Self { server, kept })
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
        let keys: Vec<Fingerprint> = pictures.iter().map(key).collect();
        self.kept.kept_or(&keys, |places| {
            self.server.embed_pictures(&places.iter().map(|place| pictures[*place]).collect::<Vec<_>>())
        })
    }

    fn embed_texts(&self, texts: &[&str]) -> Result<Vec<Vec<f32>>> {
        let key = |text: &&str| self.key("text", &Fingerprint::of_bytes(text.as_bytes()));
        let keys: Vec<Fingerprint> = texts.iter().map(key).collect();
        self.kept.kept_or(&keys, |places| {
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
        self.kept.clear()
    }

    fn hosted(&self) -> Option<String> {
        self.server.hosted()
    }

    fn requests_for(&self, pictures: usize, texts: usize) -> usize {
        self.server.requests_for(pictures, texts)
    }

    fn usage(&self) -> Option<TokenUsage> {
        Some(self.server.usage())
    }

    fn take_remark(&self) -> Option<String> {
        self.kept.take_remark()
    }
}

//! What makes the query vectors: an encoder in this process, or one on a server.

use crate::index::{Embedder, EncoderProbe};
use anyhow::Result;
use dissent_core::files::fingerprint::Fingerprint;
use dissent_core::run::TokenUsage;
use dissent_models::model::dual_encoder::DualEncoder;
use image::RgbImage;

/// The encoder of a retriever.
pub enum Encoder {
    Local(Box<DualEncoder>),
    /// Only its vectors are known, neither tower nor weights.
    Served(Box<dyn Embedder + Send + Sync>),
}

impl Encoder {
    fn embedder(&self) -> &dyn Embedder {
        match self {
            Self::Local(encoder) => &**encoder,
            Self::Served(encoder) => &**encoder,
        }
    }

    /// The encoder in this process, if it is one.
    pub fn local(&self) -> Option<&DualEncoder> {
        match self {
            Self::Local(encoder) => Some(encoder),
            Self::Served(_) => None,
        }
    }
}

impl From<DualEncoder> for Encoder {
    fn from(encoder: DualEncoder) -> Self {
        Self::Local(Box::new(encoder))
    }
}

impl Embedder for Encoder {
    fn embed_pictures(&self, pictures: &[&RgbImage]) -> Result<Vec<Vec<f32>>> {
        self.embedder().embed_pictures(pictures)
    }

    fn embed_texts(&self, texts: &[&str]) -> Result<Vec<Vec<f32>>> {
        self.embedder().embed_texts(texts)
    }

    fn dimension(&self) -> usize {
        self.embedder().dimension()
    }

    fn fingerprint(&self) -> &Fingerprint {
        self.embedder().fingerprint()
    }

    fn name(&self) -> &str {
        self.embedder().name()
    }

    fn embeds_pictures(&self) -> bool {
        self.embedder().embeds_pictures()
    }

    fn embeds_texts(&self) -> bool {
        self.embedder().embeds_texts()
    }

    fn probe(&self) -> Option<&EncoderProbe> {
        self.embedder().probe()
    }

    fn forget_kept(&self) -> Result<()> {
        self.embedder().forget_kept()
    }

    fn hosted(&self) -> Option<String> {
        self.embedder().hosted()
    }

    fn requests_for(&self, pictures: usize, texts: usize) -> usize {
        self.embedder().requests_for(pictures, texts)
    }

    fn usage(&self) -> Option<TokenUsage> {
        self.embedder().usage()
    }

    fn take_remark(&self) -> Option<String> {
        self.embedder().take_remark()
    }
}

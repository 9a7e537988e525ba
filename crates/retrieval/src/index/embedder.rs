//! The index's interface to a dual encoder.

use super::EncoderProbe;
use anyhow::Result;
use dissent_core::files::fingerprint::Fingerprint;
use dissent_core::run::TokenUsage;
use dissent_models::model::dual_encoder::DualEncoder;
use image::RgbImage;

/// Embeds pictures and texts as unit vectors of one space.
pub trait Embedder {
    /// Unit vectors of the pictures, in their order.
    ///
    /// # Errors
    /// Fails if the network cannot be run.
    fn embed_pictures(&self, pictures: &[&RgbImage]) -> Result<Vec<Vec<f32>>>;

    /// Unit vectors of the texts, in their order.
    ///
    /// # Errors
    /// Fails if the network cannot be run.
    fn embed_texts(&self, texts: &[&str]) -> Result<Vec<Vec<f32>>>;

    /// Length of the vectors.
    fn dimension(&self) -> usize;

    /// Fingerprint of everything that affects a vector.
    fn fingerprint(&self) -> &Fingerprint;

    /// Short name for status lines.
    fn name(&self) -> &str;

    /// Whether it embeds pictures.
    fn embeds_pictures(&self) -> bool {
        true
    }

    /// Whether it embeds texts.
    fn embeds_texts(&self) -> bool {
        true
    }

    /// What a server is known by; `None` for an encoder in this process.
    fn probe(&self) -> Option<&EncoderProbe> {
        None
    }

    /// Forgets vectors that are kept for later, so that all are computed anew.
    ///
    /// # Errors
    /// Fails if the file of kept vectors cannot be changed.
    fn forget_kept(&self) -> Result<()> {
        Ok(())
    }

    /// Address of its server, if that is outside this machine and its network and may cost money.
    fn hosted(&self) -> Option<String> {
        None
    }

    /// Requests to a server for this many pictures and texts, at most.
    fn requests_for(&self, _pictures: usize, _texts: usize) -> usize {
        0
    }

    /// What was asked of its server so far; `None` for an encoder in this process.
    fn usage(&self) -> Option<TokenUsage> {
        None
    }

    /// Takes what a person should know of vectors that are no longer kept; it is returned once.
    fn take_remark(&self) -> Option<String> {
        None
    }
}

impl Embedder for DualEncoder {
    fn embed_pictures(&self, pictures: &[&RgbImage]) -> Result<Vec<Vec<f32>>> {
        DualEncoder::embed_pictures(self, pictures)
    }

    fn embed_texts(&self, texts: &[&str]) -> Result<Vec<Vec<f32>>> {
        DualEncoder::embed_texts(self, texts)
    }

    fn dimension(&self) -> usize {
        DualEncoder::dimension(self)
    }

    fn fingerprint(&self) -> &Fingerprint {
        DualEncoder::fingerprint(self)
    }

    fn name(&self) -> &str {
        DualEncoder::name(self)
    }

    fn embeds_texts(&self) -> bool {
        DualEncoder::embeds_texts(self)
    }
}

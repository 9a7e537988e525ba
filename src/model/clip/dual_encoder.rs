//! A CLIP checkpoint ready to use: pictures and texts to unit vectors.

use super::config::ClipConfig;
use super::image_processor::ClipImageProcessor;
use super::model::ClipModel;
use crate::fingerprint::Fingerprint;
use crate::model::checkpoint::{Weights, fingerprint_of, folder_name};
use crate::model::layers::Mode;
use crate::model::tokenizer::Tokenizer;
use anyhow::{Context, Result};
use candle_core::{D, DType, Device, Tensor};
use image::RgbImage;
use std::path::{Path, PathBuf};

/// Most pictures or texts in one forward pass; more are taken in several.
const LARGEST_BATCH: usize = 64;

/// Image tower, text tower, tokenizer and image processor of one checkpoint folder, for inference.
#[derive(Clone, Debug)]
pub struct DualEncoder {
    model: ClipModel,
    config: ClipConfig,
    tokenizer: Tokenizer,
    processor: ClipImageProcessor,
    device: Device,
    dtype: DType,
    name: String,
    folder: PathBuf,
    checkpoint_fingerprint: Fingerprint,
    fingerprint: Fingerprint,
}

impl DualEncoder {
    /// Loads the checkpoint `folder`.
    ///
    /// # Errors
    /// A missing or broken file, a tensor that is missing, of the wrong shape or not finite; each is named.
    pub fn load(folder: &Path, device: &Device, dtype: DType) -> Result<Self> {
        let in_folder = || format!("cannot load the dual encoder {}", folder.display());
        let config = ClipConfig::read(folder).with_context(in_folder)?;
        let processor = ClipImageProcessor::read(folder).with_context(in_folder)?;
        let text = &config.text_config;
        let tokenizer =
            Tokenizer::read(folder, text.max_position_embeddings, text.pad_token_id).with_context(in_folder)?;
        let weights = Weights::read(folder).with_context(in_folder)?;
        let model = ClipModel::new(&config, &weights.builder(dtype, device), Mode::Infer).with_context(in_folder)?;
        let name = folder_name(folder);
        // Half types round: their vectors are others.
        let checkpoint_fingerprint = fingerprint_of(folder).with_context(in_folder)?;
        let fingerprint = Fingerprint::of_parts([checkpoint_fingerprint.as_str(), dtype.as_str()]);
        Ok(Self {
            model,
            config,
            tokenizer,
            processor,
            device: device.clone(),
            dtype,
            name,
            folder: folder.into(),
            checkpoint_fingerprint,
            fingerprint,
        })
    }

    /// Unit vectors of `pictures`, in their order.
    pub fn embed_pictures(&self, pictures: &[&RgbImage]) -> Result<Vec<Vec<f32>>> {
        let mut vectors = Vec::with_capacity(pictures.len());
        for batch in pictures.chunks(LARGEST_BATCH) {
            vectors.extend(self.unit(&self.model.image_features(&self.pixels(batch)?)?)?.to_vec2()?);
        }
        Ok(vectors)
    }

    /// Unit vectors of `texts`, in their order; a text that is too long is cut.
    pub fn embed_texts(&self, texts: &[&str]) -> Result<Vec<Vec<f32>>> {
        let mut vectors = Vec::with_capacity(texts.len());
        for batch in texts.chunks(LARGEST_BATCH) {
            vectors.extend(self.text_vectors(batch)?.to_vec2()?);
        }
        Ok(vectors)
    }

    /// Pixels [B, 3, side, side] of `pictures` on the encoder's device.
    pub fn pixels(&self, pictures: &[&RgbImage]) -> Result<Tensor> {
        Ok(self.processor.pixels(pictures)?.to_device(&self.device)?)
    }

    /// Unit vectors [B, D] of `texts` in f32; a text that is too long is cut.
    pub fn text_vectors(&self, texts: &[&str]) -> Result<Tensor> {
        let ids = self.tokenizer.pad(&self.tokenizer.encode(texts)?, &self.device)?;
        self.unit(&self.model.text_features(&ids)?)
    }

    /// Rows of `features` [B, D] at length 1, in f32.
    pub fn unit(&self, features: &Tensor) -> Result<Tensor> {
        let features = features.to_dtype(DType::F32)?;
        let lengths = features.sqr()?.sum_keepdim(D::Minus1)?.sqrt()?;
        Ok(features.broadcast_div(&lengths)?)
    }

    /// Length of the vectors.
    pub fn dimension(&self) -> usize {
        self.config.projection_dim
    }

    /// Of the weights, every file that decides a vector, and the number type.
    pub fn fingerprint(&self) -> &Fingerprint {
        &self.fingerprint
    }

    /// Of the weights and every file that decides a vector, whatever the number type.
    pub fn checkpoint_fingerprint(&self) -> &Fingerprint {
        &self.checkpoint_fingerprint
    }

    /// Where it was loaded from.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The folder's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The network, for heads that are built on its states.
    pub fn model(&self) -> &ClipModel {
        &self.model
    }

    /// The network's configuration.
    pub fn config(&self) -> &ClipConfig {
        &self.config
    }

    /// Number type of the weights.
    pub fn dtype(&self) -> DType {
        self.dtype
    }

    /// Where it runs.
    pub fn device(&self) -> &Device {
        &self.device
    }

    /// How texts become tokens.
    pub fn tokenizer(&self) -> &Tokenizer {
        &self.tokenizer
    }

    /// How pictures become pixels.
    pub fn processor(&self) -> &ClipImageProcessor {
        &self.processor
    }
}

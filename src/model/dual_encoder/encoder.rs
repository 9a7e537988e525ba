//! A checkpoint ready to use: pictures and texts to unit vectors.

use super::{Architecture, ImageTower, PictureProcessor, Pixels, TextTower, architecture_of, image_projection};
use crate::files::fingerprint::Fingerprint;
use crate::model::checkpoint::{CheckpointError, Weights, fingerprint_of, folder_name};
use crate::model::layers::{Linear, Mode};
use crate::model::settings_notes::notes_of_encoder;
use crate::model::tokenizer::Tokenizer;
use anyhow::{Context, Result};
use candle_core::{DType, Device, Tensor};
use candle_nn::Module;
use candle_transformers::models::clip::div_l2_norm;
use image::RgbImage;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Most texts in one forward pass; more are taken in several.
const MOST_TEXTS: usize = 64;
/// Most tokens of texts in one forward pass, padding included: what 64 of CLIP's longest texts have.
const MOST_TOKENS: usize = 64 * 77;

/// Image tower, text tower, tokenizer and image processor of one checkpoint folder, for inference.
#[derive(Clone, Debug)]
pub struct DualEncoder {
    architecture: Arc<dyn Architecture>,
    image_tower: Arc<dyn ImageTower>,
    projection: Linear,
    text_tower: Arc<dyn TextTower>,
    tokenizer: Tokenizer,
    processor: PictureProcessor,
    device: Device,
    dtype: DType,
    name: String,
    folder: PathBuf,
    checkpoint_fingerprint: Fingerprint,
    fingerprint: Fingerprint,
    notes: Vec<String>,
}

/// The tokenizer of another checkpoint has ids that the text tower has no row for.
fn check_ids(folder: &Path, tokenizer: &Tokenizer, vocabulary: usize) -> Result<(), CheckpointError> {
    let path = folder.join("tokenizer.json");
    tokenizer.check_fits(vocabulary).map_err(|reason| CheckpointError::BadJson { path, reason })
}

impl DualEncoder {
    /// Loads the checkpoint `folder`, of whichever known family.
    ///
    /// # Errors
    /// A family that is not known; a missing or broken file; a tensor that is missing, of the wrong shape, not finite or
    /// of no use to the family's network; each is named.
    pub fn load(folder: &Path, device: &Device, dtype: DType) -> Result<Self> {
        Self::load_parts(folder, device, dtype)
            .with_context(|| format!("cannot load the dual encoder {}", folder.display()))
    }

    fn load_parts(folder: &Path, device: &Device, dtype: DType) -> Result<Self> {
        let architecture = architecture_of(folder)?;
        let processor = architecture.processor(folder)?;
        let tokenizer = architecture.tokenizer(folder)?;
        check_ids(folder, &tokenizer, architecture.vocabulary())?;
        let weights = architecture.weights(folder)?;
        let vars = weights.clone().builder(dtype, device);
        let image_tower = architecture.image_tower(&vars, Mode::Infer)?;
        let projection = image_projection(&*architecture, &vars)?;
        let text_tower = architecture.text_tower(&vars, Mode::Infer)?;
        weights.check_all_used(false)?;
        // Half types round: their vectors are others.
        let checkpoint_fingerprint = fingerprint_of(folder)?;
        let fingerprint = Fingerprint::of_parts([checkpoint_fingerprint.as_str(), dtype.as_str()]);
        Ok(Self {
            architecture,
            image_tower,
            projection,
            text_tower,
            tokenizer,
            processor,
            device: device.clone(),
            dtype,
            name: folder_name(folder),
            folder: folder.into(),
            checkpoint_fingerprint,
            fingerprint,
            notes: notes_of_encoder(folder)?,
        })
    }

    /// What the user should know about it.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// Unit vectors of `pictures`, in their order.
    pub fn embed_pictures(&self, pictures: &[&RgbImage]) -> Result<Vec<Vec<f32>>> {
        let mut vectors = Vec::with_capacity(pictures.len());
        for batch in pictures.chunks(self.processor.pictures_per_batch()) {
            let features = self.project(&self.pooled(&self.pixels(batch)?)?)?;
            vectors.extend(self.unit(&features)?.to_vec2()?);
        }
        Ok(vectors)
    }

    /// Unit vectors of `texts`, in their order; a text that is too long is cut.
    pub fn embed_texts(&self, texts: &[&str]) -> Result<Vec<Vec<f32>>> {
        let mut vectors = Vec::with_capacity(texts.len());
        for batch in texts.chunks(MOST_TEXTS) {
            vectors.extend(self.text_vectors(batch)?.to_vec2()?);
        }
        Ok(vectors)
    }

    /// What the image tower takes of `pictures`, on the encoder's device.
    pub fn pixels(&self, pictures: &[&RgbImage]) -> Result<Pixels> {
        Ok(self.processor.pixels(pictures)?.to_device(&self.device)?)
    }

    /// The same of pictures that the processor has resized.
    pub fn pixels_of_resized(&self, pictures: &[&RgbImage]) -> Result<Pixels> {
        Ok(self.processor.pixels_of_resized(pictures)?.to_device(&self.device)?)
    }

    /// The image tower's pooled output [B, H] of `pixels`.
    pub fn pooled(&self, pixels: &Pixels) -> Result<Tensor> {
        Ok(self.image_tower.pooled(pixels)?)
    }

    /// Projects pooled outputs [B, H] to embeddings [B, D], not normalised.
    pub fn project(&self, pooled: &Tensor) -> Result<Tensor> {
        Ok(self.projection.forward(pooled)?)
    }

    /// Unit vectors [B, D] of `texts` in f32; a text that is too long is cut.
    pub fn text_vectors(&self, texts: &[&str]) -> Result<Tensor> {
        let rows = self.tokenizer.encode(texts)?;
        let longest = rows.iter().map(Vec::len).max().unwrap_or(0).max(1);
        let mut vectors = Vec::new();
        for batch in rows.chunks((MOST_TOKENS / longest).max(1)) {
            let ids = self.tokenizer.pad(batch, &self.device)?;
            vectors.push(self.unit(&self.text_tower.features(&ids)?)?);
        }
        Ok(Tensor::cat(&vectors, 0)?)
    }

    /// Rows of `features` [B, D] at length 1, in f32.
    pub fn unit(&self, features: &Tensor) -> Result<Tensor> {
        Ok(div_l2_norm(&features.to_dtype(DType::F32)?)?)
    }

    /// The weights on disk under the names that heads use, see [`Architecture`].
    ///
    /// # Errors
    /// Where the file cannot be read any more.
    pub fn weights(&self) -> Result<Weights, CheckpointError> {
        self.architecture.weights(&self.folder)
    }

    /// Length of the vectors.
    pub fn dimension(&self) -> usize {
        self.architecture.dimension()
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

    /// What family it is of, for heads that are built like its image side.
    pub fn architecture(&self) -> &dyn Architecture {
        &*self.architecture
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
    pub fn processor(&self) -> &PictureProcessor {
        &self.processor
    }
}

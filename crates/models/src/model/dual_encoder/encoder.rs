//! A loaded dual encoder: images and texts to unit vectors.

use super::{Architecture, ImageTower, PictureProcessor, Pixels, TextTower, architecture_of, image_projection};
use crate::model::checkpoint::{CheckpointError, Weights, fingerprint_of, folder_name};
use crate::model::device_error::explained;
use crate::model::layers::{Linear, Mode};
use crate::model::settings_notes::notes_of_encoder;
use crate::model::tokenizer::Tokenizer;
use anyhow::{Context, Result, bail};
use candle_core::{DType, Device, Tensor};
use candle_nn::Module;
use candle_transformers::models::clip::div_l2_norm;
use dissent_core::files::fingerprint::Fingerprint;
use image::RgbImage;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Maximum number of texts in one forward pass.
const MOST_TEXTS: usize = 64;
/// Maximum number of tokens in one forward pass, including padding: 64 of CLIP's longest texts.
const MOST_TOKENS: usize = 64 * 77;

/// Image tower, text tower, tokenizer and image processor of a checkpoint folder, for inference. An encoder of images alone
/// has neither text tower nor tokenizer.
#[derive(Clone, Debug)]
pub struct DualEncoder {
    architecture: Arc<dyn Architecture>,
    image_tower: Arc<dyn ImageTower>,
    projection: Linear,
    text: Option<TextSide>,
    processor: PictureProcessor,
    device: Device,
    dtype: DType,
    name: String,
    folder: PathBuf,
    checkpoint_fingerprint: Fingerprint,
    fingerprint: Fingerprint,
    notes: Vec<String>,
}

/// The text side of an encoder.
#[derive(Clone, Debug)]
struct TextSide {
    tower: Arc<dyn TextTower>,
    tokenizer: Tokenizer,
}

/// Checks that all token ids are within the text tower's vocabulary.
fn check_ids(folder: &Path, tokenizer: &Tokenizer, vocabulary: usize) -> Result<(), CheckpointError> {
    let path = folder.join("tokenizer.json");
    tokenizer.check_fits(vocabulary).map_err(|reason| CheckpointError::BadJson { path, reason })
}

impl DualEncoder {
    /// Loads the checkpoint `folder` of any known family.
    ///
    /// # Errors
    /// Fails if the family is unknown, a file is missing or broken, or a tensor is missing, has the wrong shape, is not
    /// finite or is not used by the network. The message names the file or tensor.
    pub fn load(folder: &Path, device: &Device, dtype: DType) -> Result<Self> {
        Self::load_parts(folder, device, dtype)
            .map_err(explained)
            .with_context(|| format!("cannot load the dual encoder {}", folder.display()))
    }

    fn load_parts(folder: &Path, device: &Device, dtype: DType) -> Result<Self> {
        let architecture = architecture_of(folder)?;
        let processor = architecture.processor(folder)?;
        let tokenizer = match architecture.text() {
            None => None,
            Some(text) => {
                let tokenizer = text.tokenizer(folder)?;
                check_ids(folder, &tokenizer, text.vocabulary())?;
                Some((text, tokenizer))
            }
        };
        let weights = architecture.weights(folder)?;
        let vars = weights.clone().builder(dtype, device);
        let image_tower = architecture.image_tower(&vars, Mode::Infer)?;
        let projection = image_projection(&*architecture, &vars)?;
        let text = match tokenizer {
            None => None,
            Some((text, tokenizer)) => Some(TextSide { tower: text.text_tower(&vars, Mode::Infer)?, tokenizer }),
        };
        weights.check_all_used(false)?;
        // Half precision gives different vectors.
        let checkpoint_fingerprint = fingerprint_of(folder)?;
        let fingerprint = Fingerprint::of_parts([checkpoint_fingerprint.as_str(), dtype.as_str()]);
        Ok(Self {
            image_tower,
            projection,
            text,
            architecture,
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

    /// Remarks for the user about the checkpoint.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// Unit vectors of `pictures`, in order.
    pub fn embed_pictures(&self, pictures: &[&RgbImage]) -> Result<Vec<Vec<f32>>> {
        let mut vectors = Vec::with_capacity(pictures.len());
        for batch in pictures.chunks(self.processor.pictures_per_batch()) {
            vectors.extend(self.picture_vectors(batch).map_err(explained)?);
        }
        Ok(vectors)
    }

    /// Unit vectors of one batch.
    fn picture_vectors(&self, batch: &[&RgbImage]) -> Result<Vec<Vec<f32>>> {
        let features = self.project(&self.pooled(&self.pixels(batch)?)?)?;
        Ok(self.unit(&features)?.to_vec2()?)
    }

    /// Unit vectors of `texts`, in order; long texts are truncated.
    ///
    /// # Errors
    /// Fails if the encoder embeds images alone or the network cannot be run.
    pub fn embed_texts(&self, texts: &[&str]) -> Result<Vec<Vec<f32>>> {
        let mut vectors = Vec::with_capacity(texts.len());
        for batch in texts.chunks(MOST_TEXTS) {
            vectors.extend(self.text_vectors(batch).map_err(explained)?.to_vec2()?);
        }
        Ok(vectors)
    }

    /// Preprocesses `pictures` and moves the pixels to the encoder's device.
    pub fn pixels(&self, pictures: &[&RgbImage]) -> Result<Pixels> {
        Ok(self.processor.pixels(pictures)?.to_device(&self.device)?)
    }

    /// [`Self::pixels`] of pictures that the processor has already resized.
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

    /// Unit vectors [B, D] of `texts` in f32; long texts are truncated.
    ///
    /// # Errors
    /// Fails like [`Self::embed_texts`].
    pub fn text_vectors(&self, texts: &[&str]) -> Result<Tensor> {
        let Some(TextSide { tower, tokenizer }) = &self.text else {
            bail!("the encoder {} embeds images alone: it has no text tower", self.name);
        };
        let rows = tokenizer.encode(texts)?;
        let longest = rows.iter().map(Vec::len).max().unwrap_or(0).max(1);
        let mut vectors = Vec::new();
        for batch in rows.chunks((MOST_TOKENS / longest).max(1)) {
            let ids = tokenizer.pad(batch, &self.device)?;
            vectors.push(self.unit(&tower.features(&ids)?)?);
        }
        Ok(Tensor::cat(&vectors, 0)?)
    }

    /// L2-normalises the rows of `features` [B, D], in f32.
    pub fn unit(&self, features: &Tensor) -> Result<Tensor> {
        Ok(div_l2_norm(&features.to_dtype(DType::F32)?)?)
    }

    /// Opens the stored weights under the common names of [`Architecture`].
    ///
    /// # Errors
    /// Fails if the file can no longer be read.
    pub fn weights(&self) -> Result<Weights, CheckpointError> {
        self.architecture.weights(&self.folder)
    }

    /// Length of the embeddings.
    pub fn dimension(&self) -> usize {
        self.architecture.dimension()
    }

    /// Hash of the weights, of every file that influences an embedding, and of the dtype.
    pub fn fingerprint(&self) -> &Fingerprint {
        &self.fingerprint
    }

    /// [`Self::fingerprint`] without the dtype.
    pub fn checkpoint_fingerprint(&self) -> &Fingerprint {
        &self.checkpoint_fingerprint
    }

    /// The folder it was loaded from.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The folder's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The architecture, for heads that are built like its image tower.
    pub fn architecture(&self) -> &dyn Architecture {
        &*self.architecture
    }

    /// dtype of the weights.
    pub fn dtype(&self) -> DType {
        self.dtype
    }

    /// The device of the weights.
    pub fn device(&self) -> &Device {
        &self.device
    }

    /// Whether it has a text tower.
    pub fn embeds_texts(&self) -> bool {
        self.text.is_some()
    }

    /// The tokenizer; `None` for an encoder of images alone.
    pub fn tokenizer(&self) -> Option<&Tokenizer> {
        self.text.as_ref().map(|text| &text.tokenizer)
    }

    /// The image processor.
    pub fn processor(&self) -> &PictureProcessor {
        &self.processor
    }
}

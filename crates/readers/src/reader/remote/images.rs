//! Encodes images for requests: PNG in a data URI, resized like the model's own processor does.

use anyhow::{Context, Result};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use dissent_core::data::Picture;
use dissent_core::files::fingerprint::Fingerprint;
use dissent_core::lru::LruCache;
use dissent_models::model::vlm::{ImageGrid, PromptProcessor};
use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::{ImageEncoder, RgbImage};
use std::sync::{Arc, Mutex, PoisonError};

/// Capacity of the cache of encoded images in bytes.
const CAPACITY: usize = 128 << 20;
/// Side of a patch in pixels in most vision models, for an estimate.
const USUAL_PATCH: u32 = 14;

/// An image that is ready to be sent.
#[derive(Clone, Debug)]
pub(super) struct SentImage {
    /// `data:image/png;base64,…`.
    pub uri: Arc<str>,
    /// Grid of its patches, if the processor is known.
    pub grid: Option<ImageGrid>,
    /// Rough number of its tokens, if the processor is not known.
    pub tokens: usize,
}

/// Encodes each image once.
pub(super) struct ImageEncoding {
    processor: Option<Arc<dyn PromptProcessor>>,
    recent: Mutex<LruCache<Fingerprint, SentImage>>,
}

impl ImageEncoding {
    /// Uses the processor of the served model, if there is one on this machine.
    pub fn new(processor: Option<Arc<dyn PromptProcessor>>) -> Self {
        Self { processor, recent: Mutex::new(LruCache::new(CAPACITY)) }
    }

    /// The encoded picture.
    ///
    /// # Errors
    /// Fails if it has no pixels.
    pub fn of(&self, picture: &Picture) -> Result<SentImage> {
        let lock = || self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = lock().get(&picture.fingerprint) {
            return Ok(known.clone());
        }
        let sent = self.encode(&picture.to_rgb8());
        let sent = sent.with_context(|| format!("cannot send {}", picture.path.display()))?;
        lock().insert(picture.fingerprint.clone(), sent.clone(), sent.uri.len());
        Ok(sent)
    }

    fn encode(&self, picture: &RgbImage) -> Result<SentImage> {
        let Some(processor) = &self.processor else {
            let patches = picture.width().div_ceil(USUAL_PATCH) * picture.height().div_ceil(USUAL_PATCH);
            return Ok(SentImage { uri: data_uri(picture)?.into(), grid: None, tokens: patches as usize });
        };
        let (resized, grid) = processor.resized(picture)?;
        // The tokens are counted later, with the whole prompt.
        Ok(SentImage { uri: data_uri(&resized)?.into(), grid: Some(grid), tokens: 0 })
    }
}

/// The picture as PNG in a data URI.
pub(super) fn data_uri(picture: &RgbImage) -> Result<String> {
    let mut png = Vec::new();
    let encoder = PngEncoder::new_with_quality(&mut png, CompressionType::Fast, FilterType::Adaptive);
    let (width, height) = picture.dimensions();
    encoder.write_image(picture.as_raw(), width, height, image::ExtendedColorType::Rgb8)?;
    let mut uri = String::from("data:image/png;base64,");
    STANDARD.encode_string(&png, &mut uri);
    Ok(uri)
}

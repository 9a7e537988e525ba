//! A cache of image features by content, so that each image is encoded once.

use super::data_parallel::DataParallel;
use anyhow::{Context, Result};
use candle_core::{DType, Tensor};
use dissent_core::data::Picture;
use dissent_core::files::fingerprint::Fingerprint;
use dissent_core::lru::LruCache;
use dissent_models::model::vlm::{ImageGrid, PreparedImage, VisionLanguageModel};
use std::collections::HashMap;

/// Capacity of the cache in bytes.
const CAPACITY: usize = 128 << 20;

/// Features of one picture.
#[derive(Clone, Debug)]
pub(super) struct ImageFeatures {
    pub grid: ImageGrid,
    /// The result of [`VisionLanguageModel::vision_features`].
    pub features: Tensor,
}

/// The features of recent pictures.
pub(super) struct VisionCache {
    recent: LruCache<Fingerprint, ImageFeatures>,
}

impl VisionCache {
    pub fn new() -> Self {
        Self { recent: LruCache::new(CAPACITY) }
    }

    /// Features of these pictures by fingerprint; unknown pictures are encoded in one batch.
    pub fn features_of(
        &mut self,
        model: &dyn VisionLanguageModel,
        dtype: DType,
        data_parallel: &DataParallel,
        pictures: &[&Picture],
    ) -> Result<HashMap<Fingerprint, ImageFeatures>> {
        let mut found = HashMap::new();
        let mut unknown = Vec::new();
        let mut images = Vec::new();
        let device = model.decoder().device();
        for picture in pictures {
            let print = &picture.fingerprint;
            if found.contains_key(print) || unknown.iter().any(|(known, _)| known == print) {
                continue;
            }
            if let Some(features) = self.recent.get(print) {
                found.insert(print.clone(), features.clone());
                continue;
            }
            let prepared = model
                .prepare(&picture.to_rgb8())
                .with_context(|| format!("cannot prepare {} for the reader", picture.path.display()))?;
            unknown.push((print.clone(), prepared.grid));
            let pixels = prepared.pixels.to_device(device)?.to_dtype(dtype)?;
            images.push(PreparedImage { pixels, grid: prepared.grid });
        }
        let encoded = data_parallel.run(&images, |share| model.vision_features(share))?;
        for ((print, grid), features) in unknown.into_iter().zip(encoded) {
            // Copied, because a view would keep the features of the whole batch in memory.
            let features = features.copy()?;
            let size = features.elem_count() * features.dtype().size_in_bytes();
            let features = ImageFeatures { grid, features };
            self.recent.insert(print.clone(), features.clone(), size);
            found.insert(print, features);
        }
        Ok(found)
    }
}

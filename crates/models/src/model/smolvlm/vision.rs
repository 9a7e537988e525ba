//! The SigLIP vision tower of SmolVLM: learned positions are assigned by relative position, so images may have any size.

use super::config::VisionConfig;
use crate::model::layers::{Encoder, EncoderShape, LayerNorm, Linear, Matrix, Mode, layer_norm};
use candle_core::{Module, Result, Tensor};
use candle_nn::VarBuilder;

/// The vision tower; weights under `vision_model.`.
#[derive(Clone, Debug)]
pub(super) struct VisionTower {
    /// The patch embedding: a convolution whose stride is its kernel size is a linear layer over patches.
    patches: Linear,
    /// Learned position embeddings `[side², width]`.
    positions: Tensor,
    encoder: Encoder,
    norm: LayerNorm,
    config: VisionConfig,
}

impl VisionTower {
    pub fn new(config: &VisionConfig, weights: &VarBuilder) -> Result<Self> {
        let embeddings = weights.pp("embeddings");
        let (width, patch) = (config.width, config.patch);
        let kernel = embeddings.get((width, 3, patch, patch), "patch_embedding.weight")?;
        let shape = EncoderShape {
            width,
            inner_width: config.inner_width,
            layers: config.layers,
            heads: config.heads,
            activation: config.activation,
            epsilon: config.norm_epsilon,
            factor: 1.0,
        };
        Ok(Self {
            patches: Linear::new(
                Matrix::Plain(kernel.reshape((width, 3 * patch * patch))?),
                Some(embeddings.get(width, "patch_embedding.bias")?),
            ),
            positions: embeddings.get((config.side * config.side, width), "position_embedding.weight")?,
            encoder: Encoder::new(&shape, Mode::Infer, &weights.pp("encoder"))?,
            norm: layer_norm(width, config.norm_epsilon, Mode::Infer, &weights.pp("post_layernorm"))?,
            config: config.clone(),
        })
    }

    /// Maps pixels `[B, 3, H, W]` to features `[B, patches, width]` in row-major order; a rest of pixels smaller than a patch
    /// is dropped.
    pub fn forward(&self, pixels: &Tensor) -> Result<Tensor> {
        let (batch, channels, height, width) = pixels.dims4()?;
        let patch = self.config.patch;
        let (rows, columns) = (height / patch, width / patch);
        let patches = pixels
            .narrow(2, 0, rows * patch)?
            .narrow(3, 0, columns * patch)?
            .contiguous()?
            .reshape(vec![batch, channels, rows, patch, columns, patch])?
            .permute(vec![0, 2, 4, 1, 3, 5])?
            .reshape((batch, rows * columns, channels * patch * patch))?;
        let embedded = self.patches.forward(&patches)?;
        let ids = position_ids(rows, columns, self.config.side);
        let positions = self.positions.index_select(&Tensor::new(ids.as_slice(), pixels.device())?, 0)?;
        let states = self.encoder.forward(&embedded.broadcast_add(&positions)?, None)?;
        self.norm.forward(&states)
    }
}

/// The learned position, out of `side` × `side`, of each of `rows` × `columns` patches, by the patch's relative position in
/// the image (`SmolVLMVisionEmbeddings`). Computed in f32 like transformers, since rounding decides at boundaries.
pub(super) fn position_ids(rows: usize, columns: usize, side: usize) -> Vec<u32> {
    let of_rows = buckets(rows, side);
    let of_columns = buckets(columns, side);
    let mut ids = Vec::with_capacity(rows * columns);
    for row in &of_rows {
        ids.extend(of_columns.iter().map(|column| row * side as u32 + column));
    }
    ids
}

/// `torch.bucketize`: for each of `count` patches, the number of boundaries k / `side` (k ≥ 1) at or before its start.
fn buckets(count: usize, side: usize) -> Vec<u32> {
    let step = 1.0 / side as f64;
    let boundaries: Vec<f32> = (0..side)
        .map(|number| step + number as f64 * step)
        .take_while(|boundary| *boundary < 1.0)
        .map(|boundary| boundary as f32)
        .collect();
    let patch_fraction = 1.0 / count as f32;
    (0..count)
        .map(|patch| {
            let start = (patch as f32 * patch_fraction).min(1.0 - 1e-6);
            boundaries.iter().take_while(|boundary| **boundary <= start).count() as u32
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_whole_image_has_each_position_once() {
        assert_eq!(position_ids(4, 4, 4), (0..16).collect::<Vec<_>>());
    }

    /// Against tests/fixtures/readers/generate.py, also for sides where 1 / side is not exact.
    #[test]
    fn positions_match_transformers() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/fixtures/readers/smolvlm/expected.json");
        let expected: serde_json::Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
        for case in expected["positions"].as_array().unwrap() {
            let number = |name: &str| case[name].as_u64().unwrap() as usize;
            let theirs: Vec<u32> = serde_json::from_value(case["positions"].clone()).unwrap();
            assert_eq!(buckets(number("count"), number("side")), theirs, "{case}");
        }
    }

    #[test]
    fn a_smaller_image_spreads_over_the_positions() {
        assert_eq!(position_ids(2, 3, 4), [0, 1, 2, 8, 9, 10]);
    }
}

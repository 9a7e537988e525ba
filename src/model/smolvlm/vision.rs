//! The SigLIP tower of SmolVLM: patches with learned positions that stretch over an image of any size.

use super::config::VisionConfig;
use crate::model::layers::{Encoder, EncoderShape, LayerNorm, Linear, Matrix, Mode, layer_norm};
use candle_core::{Module, Result, Tensor};
use candle_nn::VarBuilder;

/// Weights under `vision_model.`.
#[derive(Clone, Debug)]
pub(super) struct VisionTower {
    /// From channels, rows and columns of a patch: a convolution whose stride is its kernel is a matrix product over
    /// patches.
    patches: Linear,
    /// `[side * side, width]`.
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

    /// `[B, 3, H, W]` to `[B, patches, width]`, row by row; pixels that fill no patch are left out.
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
        let places = position_ids(rows, columns, self.config.side);
        let positions = self.positions.index_select(&Tensor::new(places.as_slice(), pixels.device())?, 0)?;
        let states = self.encoder.forward(&embedded.broadcast_add(&positions)?, None)?;
        self.norm.forward(&states)
    }
}

/// The learned position of each of `rows` × `columns` patches, out of `side` × `side`: where the patch lies as a share of
/// the image, in f32 as in the reference, whose rounding decides at the borders.
pub(super) fn position_ids(rows: usize, columns: usize, side: usize) -> Vec<u32> {
    let of_rows = buckets(rows, side);
    let of_columns = buckets(columns, side);
    let mut ids = Vec::with_capacity(rows * columns);
    for row in &of_rows {
        ids.extend(of_columns.iter().map(|column| row * side as u32 + column));
    }
    ids
}

/// For each of `count` patches the number of borders `k / side` (k from 1) that are at or before its start.
fn buckets(count: usize, side: usize) -> Vec<u32> {
    let step = 1.0 / side as f64;
    let borders: Vec<f32> = (0..side)
        .map(|number| step + number as f64 * step)
        .take_while(|border| *border < 1.0)
        .map(|border| border as f32)
        .collect();
    let share = 1.0 / count as f32;
    (0..count)
        .map(|patch| {
            let start = (patch as f32 * share).min(1.0 - 1e-6);
            borders.iter().take_while(|border| **border <= start).count() as u32
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

    /// Against tests/fixtures/readers/generate.py, also where 1 / side has no exact form.
    #[test]
    fn positions_equal_those_of_transformers() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/readers/smolvlm/expected.json");
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

//! From patches to the decoder's embedding space: pixel shuffle and a linear layer (`Idefics3Connector`).

use super::config::SmolVlmConfig;
use crate::model::layers::{Linear, linear_without_bias};
use candle_core::{Module, Result, Tensor};
use candle_nn::VarBuilder;

/// The connector; weights under `connector.`.
#[derive(Clone, Debug)]
pub(super) struct Connector {
    projection: Linear,
    merge: usize,
}

impl Connector {
    pub fn new(config: &SmolVlmConfig, weights: &VarBuilder) -> Result<Self> {
        let inputs = config.vision.width * config.merge * config.merge;
        let weights = weights.pp("modality_projection.proj");
        Ok(Self { projection: linear_without_bias(inputs, config.text.hidden, 0.02, &weights)?, merge: config.merge })
    }

    /// Maps patches `[B, side², width]` to tokens `[B, tokens, text hidden]`; the patches of a group are concatenated in
    /// row-major order.
    pub fn forward(&self, patches: &Tensor) -> Result<Tensor> {
        let (batch, count, width) = patches.dims3()?;
        let (side, merge) = (count.isqrt(), self.merge);
        if side * side != count || side % merge != 0 {
            candle_core::bail!(
                "expected a square grid of patches with a side divisible by {merge}, found {count} patches"
            )
        }
        let small = side / merge;
        let squares = patches
            .reshape(vec![batch, small, merge, small, merge, width])?
            .permute(vec![0, 1, 3, 2, 4, 5])?
            .reshape((batch, small * small, merge * merge * width))?;
        self.projection.forward(&squares)
    }
}

//! From patches to the decoder's embedding space: pixel shuffle and a small network (`InternVLMultiModalProjector`).

use super::config::InternVlConfig;
use crate::model::layers::{Activation, LayerNorm, Linear, Mode, layer_norm, linear};
use candle_core::{Module, Result, Tensor};
use candle_nn::VarBuilder;

/// The epsilon of PyTorch's layer norm, which the configuration does not change.
const NORM_EPSILON: f64 = 1e-5;

/// The projector; weights under `multi_modal_projector.`.
#[derive(Clone, Debug)]
pub(super) struct Projector {
    norm: LayerNorm,
    linear_1: Linear,
    activation: Activation,
    linear_2: Linear,
    merge: usize,
}

impl Projector {
    pub fn new(config: &InternVlConfig, weights: &VarBuilder) -> Result<Self> {
        let (inputs, hidden) = (config.vision.width * config.merge * config.merge, config.text.hidden);
        Ok(Self {
            norm: layer_norm(inputs, NORM_EPSILON, Mode::Infer, &weights.pp("layer_norm"))?,
            linear_1: linear(inputs, hidden, 0.02, &weights.pp("linear_1"))?,
            activation: config.projector_activation,
            linear_2: linear(hidden, hidden, 0.02, &weights.pp("linear_2"))?,
            merge: config.merge,
        })
    }

    /// Maps patches `[B, count, width]` of square tiles to tokens `[B, tokens, text hidden]`; the patches of a group are
    /// concatenated in row-major order.
    pub fn forward(&self, patches: &Tensor) -> Result<Tensor> {
        let (batch, count, width) = patches.dims3()?;
        let merge = self.merge;
        let small = count.isqrt() / merge;
        let groups = patches
            .reshape(vec![batch, small, merge, small, merge, width])?
            .permute(vec![0, 1, 3, 2, 4, 5])?
            .reshape((batch, small * small, merge * merge * width))?;
        let hidden = self.linear_1.forward(&self.norm.forward(&groups)?)?;
        self.linear_2.forward(&self.activation.apply(&hidden)?)
    }
}

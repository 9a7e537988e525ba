//! The multimodal projector (`LlavaMultiModalProjector`): linear, activation, linear.

use super::config::PixtralConfig;
use crate::model::decoder::layers::init_std;
use crate::model::layers::{Activation, Linear, linear, linear_without_bias};
use candle_core::{Module, Result, Tensor};
use candle_nn::VarBuilder;

/// Maps image features to the decoder's embedding space; weights under `multi_modal_projector.`.
#[derive(Clone, Debug)]
pub(super) struct Projector {
    first: Linear,
    second: Linear,
    activation: Activation,
}

impl Projector {
    pub fn new(config: &PixtralConfig, weights: &VarBuilder) -> Result<Self> {
        let layer = |name: &str, input: usize| {
            let (output, weights) = (config.text.hidden, weights.pp(name));
            if config.projector_bias {
                linear(input, output, init_std(input), &weights)
            } else {
                linear_without_bias(input, output, init_std(input), &weights)
            }
        };
        Ok(Self {
            first: layer("linear_1", config.vision.hidden)?,
            second: layer("linear_2", config.text.hidden)?,
            activation: config.projector_activation,
        })
    }

    /// Maps `[.., vision hidden]` to `[.., text hidden]`.
    pub fn forward(&self, features: &Tensor) -> Result<Tensor> {
        self.second.forward(&self.activation.apply(&self.first.forward(features)?)?)
    }
}

//! The multimodal projector (`LlavaMultiModalProjector`): linear, activation, linear.

use crate::model::decoder::layers::init_std;
use crate::model::layers::{Activation, Linear, linear, linear_without_bias};
use candle_core::{Module, Result, Tensor};
use candle_nn::VarBuilder;

/// Sizes of a projector.
#[derive(Clone, Copy, Debug)]
pub(in crate::model) struct ProjectorShape {
    /// Values of an image feature.
    pub inputs: usize,
    /// The decoder's hidden size.
    pub hidden: usize,
    pub activation: Activation,
    pub bias: bool,
}

/// Maps image features to the decoder's embedding space; weights under `multi_modal_projector.`.
#[derive(Clone, Debug)]
pub(in crate::model) struct Projector {
    first: Linear,
    second: Linear,
    activation: Activation,
}

impl Projector {
    pub fn new(shape: &ProjectorShape, weights: &VarBuilder) -> Result<Self> {
        let layer = |name: &str, input: usize| {
            let (output, weights) = (shape.hidden, weights.pp(name));
            if shape.bias {
                linear(input, output, init_std(input), &weights)
            } else {
                linear_without_bias(input, output, init_std(input), &weights)
            }
        };
        Ok(Self {
            first: layer("linear_1", shape.inputs)?,
            second: layer("linear_2", shape.hidden)?,
            activation: shape.activation,
        })
    }

    /// Maps `[.., inputs]` to `[.., hidden]`.
    pub fn forward(&self, features: &Tensor) -> Result<Tensor> {
        self.second.forward(&self.activation.apply(&self.first.forward(features)?)?)
    }
}

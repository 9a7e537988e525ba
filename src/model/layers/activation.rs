//! Activation functions by their Hugging Face names.

use candle_core::{Result, Tensor};
use serde::{Deserialize, Serialize};

/// `hidden_act` of a Hugging Face configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Activation {
    /// x · sigmoid(1.702 x), as OpenAI trained CLIP.
    QuickGelu,
    /// The exact GELU, by the error function.
    Gelu,
    /// GELU by its tanh approximation.
    GeluPytorchTanh,
    /// x · sigmoid(x).
    Silu,
}

impl Activation {
    /// Applies the function to every element; differentiable.
    pub fn apply(self, values: &Tensor) -> Result<Tensor> {
        match self {
            Self::QuickGelu => values * candle_nn::ops::sigmoid(&(values * 1.702)?)?,
            Self::Gelu => values.gelu_erf(),
            Self::GeluPytorchTanh => values.gelu(),
            Self::Silu => values.silu(),
        }
    }
}

//! Layer normalisation over the last dimension (Ba, Kiros, Hinton 2016).

use super::Mode;
use super::cpu_storage::{is_fusible, is_wide_half};
use super::half_norms::norm_half;
use super::layer_norm_fused::FusedLayerNorm;
use super::per_channel::{add_per_channel, multiply_per_channel};
use candle_core::{D, DType, Result, Tensor};
use candle_nn::{Init, VarBuilder};

/// Layer normalisation with `weight` and `bias`.
#[derive(Clone, Debug)]
pub struct LayerNorm {
    weight: Tensor,
    bias: Tensor,
    epsilon: f64,
    mode: Mode,
}

/// A layer norm over `width` features; new weights are 1, new biases 0.
pub fn layer_norm(width: usize, epsilon: f64, mode: Mode, vars: &VarBuilder) -> Result<LayerNorm> {
    let weight = vars.get_with_hints(width, "weight", Init::Const(1.0))?;
    let bias = vars.get_with_hints(width, "bias", Init::Const(0.0))?;
    Ok(LayerNorm { weight, bias, epsilon, mode })
}

impl LayerNorm {
    /// Normalises the last dimension of `values`; keeps shape and type.
    pub fn forward(&self, values: &Tensor) -> Result<Tensor> {
        let epsilon = self.epsilon as f32;
        match self.mode {
            Mode::Infer if is_wide_half(values, values.dim(D::Minus1)?) => {
                norm_half(values, &self.weight, Some(&self.bias), epsilon)
            }
            Mode::Infer => candle_nn::ops::layer_norm(&values.contiguous()?, &self.weight, &self.bias, epsilon),
            Mode::Train if is_fusible(values) => {
                values.contiguous()?.apply_op3(&self.weight, &self.bias, FusedLayerNorm { epsilon })
            }
            Mode::Train => self.composed(values),
        }
    }

    fn composed(&self, values: &Tensor) -> Result<Tensor> {
        let dtype = values.dtype();
        let values = match dtype {
            DType::F16 | DType::BF16 => values.to_dtype(DType::F32)?,
            _ => values.clone(),
        };
        let centred = values.broadcast_sub(&values.mean_keepdim(D::Minus1)?)?;
        let variance = centred.sqr()?.mean_keepdim(D::Minus1)?;
        let normalised = centred.broadcast_div(&(variance + self.epsilon)?.sqrt()?)?.to_dtype(dtype)?;
        add_per_channel(&multiply_per_channel(&normalised, &self.weight)?, &self.bias)
    }
}

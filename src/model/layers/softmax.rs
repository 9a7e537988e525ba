//! Softmax over the last dimension.

use super::Mode;
use candle_core::{D, DType, Result, Tensor};

/// Softmax over the last dimension. Half types are computed in f32 and cast back, as transformers does.
pub fn softmax_last_dim(scores: &Tensor, mode: Mode) -> Result<Tensor> {
    let dtype = scores.dtype();
    if matches!(dtype, DType::F16 | DType::BF16) {
        return softmax_last_dim(&scores.to_dtype(DType::F32)?, mode)?.to_dtype(dtype);
    }
    match mode {
        Mode::Infer => candle_nn::ops::softmax_last_dim(&scores.contiguous()?),
        Mode::Train => differentiable(scores),
    }
}

/// The shift by the maximum changes nothing in exact arithmetic, so no gradient needs to pass through it.
fn differentiable(scores: &Tensor) -> Result<Tensor> {
    let maximum = scores.detach().max_keepdim(D::Minus1)?;
    let powers = scores.broadcast_sub(&maximum)?.exp()?;
    powers.broadcast_div(&powers.sum_keepdim(D::Minus1)?)
}

//! Softmax over the last dimension.

use super::Mode;
use super::cpu_storage::{floats, is_fusible, row_length};
use candle_core::{CpuStorage, CustomOp1, CustomOp2, D, DType, Layout, Result, Shape, Tensor};

/// Softmax over the last dimension. bf16 and f16 are computed in f32 and cast back, as transformers does.
///
/// Each row must have an entry above -inf.
pub fn softmax_last_dim(scores: &Tensor, mode: Mode) -> Result<Tensor> {
    let dtype = scores.dtype();
    if matches!(dtype, DType::F16 | DType::BF16) {
        return softmax_last_dim(&scores.to_dtype(DType::F32)?, mode)?.to_dtype(dtype);
    }
    match mode {
        Mode::Infer => candle_nn::ops::softmax_last_dim(&scores.contiguous()?),
        Mode::Train if is_fusible(scores) => scores.contiguous()?.apply_op1(Softmax),
        Mode::Train => composed(scores),
    }
}

/// Subtracting the maximum does not change the softmax, so the maximum is detached from the graph.
fn composed(scores: &Tensor) -> Result<Tensor> {
    let maximum = scores.detach().max_keepdim(D::Minus1)?;
    let powers = scores.broadcast_sub(&maximum)?.exp()?;
    powers.broadcast_div(&powers.sum_keepdim(D::Minus1)?)
}

struct Softmax;

impl CustomOp1 for Softmax {
    fn name(&self) -> &'static str {
        "softmax"
    }

    fn cpu_fwd(&self, scores: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let mut shares = floats(scores, layout)?.to_vec();
        for row in shares.chunks_exact_mut(row_length(layout)) {
            let maximum = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
            let mut total = 0.0;
            for share in row.iter_mut() {
                *share = (*share - maximum).exp();
                total += *share;
            }
            let factor = 1.0 / total;
            for share in row {
                *share *= factor;
            }
        }
        Ok((CpuStorage::F32(shares), layout.shape().clone()))
    }

    fn bwd(&self, _scores: &Tensor, shares: &Tensor, gradient: &Tensor) -> Result<Option<Tensor>> {
        Ok(Some(shares.apply_op2_no_bwd(&gradient.contiguous()?, &SoftmaxGradient)?))
    }
}

/// p · (gradient - Σ p · gradient) for each row of probabilities p.
struct SoftmaxGradient;

impl CustomOp2 for SoftmaxGradient {
    fn name(&self) -> &'static str {
        "softmax-gradient"
    }

    fn cpu_fwd(
        &self,
        shares: &CpuStorage,
        shares_layout: &Layout,
        gradient: &CpuStorage,
        layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let shares = floats(shares, shares_layout)?;
        let mut result = floats(gradient, layout)?.to_vec();
        let length = row_length(layout);
        for (row, shares) in result.chunks_exact_mut(length).zip(shares.chunks_exact(length)) {
            let mean: f32 = row.iter().zip(shares).map(|(value, share)| value * share).sum();
            for (value, share) in row.iter_mut().zip(shares) {
                *value = share * (*value - mean);
            }
        }
        Ok((CpuStorage::F32(result), layout.shape().clone()))
    }
}

//! A weight matrix: a dense tensor, or quantised in blocks along its rows.

use candle_core::quantized::{GgmlDType, QTensor};
use candle_core::{Result, Tensor};
use std::sync::Arc;

/// A weight matrix `[outputs, inputs]`.
#[derive(Clone, Debug)]
pub enum Matrix {
    Plain(Tensor),
    /// GGUF block quantisation; results are f32, gradients are not tracked.
    Quantised(Arc<QTensor>),
}

impl Matrix {
    /// A matrix read from a GGUF file; floating-point types are converted to a dense f32 tensor.
    pub(crate) fn of_stored(stored: Arc<QTensor>) -> Result<Self> {
        match stored.dtype() {
            GgmlDType::F32 | GgmlDType::F16 | GgmlDType::BF16 => Ok(Self::Plain(stored.dequantize(&stored.device())?)),
            _ => Ok(Self::Quantised(stored)),
        }
    }

    /// Number of rows, which is the layer's output size.
    pub(crate) fn outputs(&self) -> Result<usize> {
        match self {
            Self::Plain(weight) => weight.dim(0),
            Self::Quantised(weight) => Ok(weight.shape().dims2()?.0),
        }
    }

    /// `rows · selfᵀ`: `[N, inputs]` to `[N, outputs]`.
    pub fn matmul(&self, rows: &Tensor) -> Result<Tensor> {
        match self {
            Self::Plain(weight) => rows.matmul(&weight.t()?),
            Self::Quantised(weight) => rows.contiguous()?.apply_op1_no_bwd(weight.as_ref()),
        }
    }

    /// The rows with these indices: `[N]` to `[N, inputs]` (an embedding look-up).
    pub fn rows(&self, indices: &Tensor) -> Result<Tensor> {
        match self {
            Self::Plain(weight) => weight.index_select(indices, 0),
            Self::Quantised(weight) => weight.embedding(indices),
        }
    }
}

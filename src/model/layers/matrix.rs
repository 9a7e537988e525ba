//! A matrix of weights: plain, or quantised in blocks along its rows.

use candle_core::quantized::{GgmlDType, QTensor};
use candle_core::{Result, Tensor};
use std::sync::Arc;

/// `[outputs, inputs]`.
#[derive(Clone, Debug)]
pub enum Matrix {
    Plain(Tensor),
    /// Products and rows are in f32. No gradient passes.
    Quantised(Arc<QTensor>),
}

impl Matrix {
    /// A stored matrix; one of floating-point numbers becomes plain, in f32.
    pub fn of_stored(stored: Arc<QTensor>) -> Result<Self> {
        match stored.dtype() {
            GgmlDType::F32 | GgmlDType::F16 | GgmlDType::BF16 => Ok(Self::Plain(stored.dequantize(&stored.device())?)),
            _ => Ok(Self::Quantised(stored)),
        }
    }

    /// Number of rows.
    pub fn outputs(&self) -> Result<usize> {
        match self {
            Self::Plain(weight) => weight.dim(0),
            Self::Quantised(weight) => Ok(weight.shape().dims2()?.0),
        }
    }

    /// `[N, inputs]` to `[N, outputs]`.
    pub fn product(&self, rows: &Tensor) -> Result<Tensor> {
        match self {
            Self::Plain(weight) => rows.matmul(&weight.t()?),
            Self::Quantised(weight) => rows.contiguous()?.apply_op1_no_bwd(weight.as_ref()),
        }
    }

    /// The rows of these numbers: `[N]` to `[N, inputs]`.
    pub fn rows(&self, numbers: &Tensor) -> Result<Tensor> {
        match self {
            Self::Plain(weight) => weight.index_select(numbers, 0),
            Self::Quantised(weight) => weight.embedding(numbers),
        }
    }
}

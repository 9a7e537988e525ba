//! Mapping stored tensors to a network's tensors: renamed, split or transposed, so that one network can be loaded from
//! checkpoints with different layouts.

use candle_core::{DType, Device, Result, Tensor};

/// A part of a stored tensor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    Whole,
    /// One third of the first dimension: query, key and value weights are often stored in one tensor.
    Third(usize),
    /// The transposed matrix.
    Transposed,
}

impl Part {
    /// The shape of this part of a tensor of shape `stored`; `None` if it has no such part.
    pub(super) fn shape(self, stored: &[usize]) -> Option<Vec<usize>> {
        match (self, stored) {
            (Self::Whole, _) => Some(stored.to_vec()),
            (Self::Third(place), [first, rest @ ..]) if place < 3 && first % 3 == 0 => {
                Some([&[first / 3], rest].concat())
            }
            (Self::Transposed, [rows, columns]) => Some(vec![*columns, *rows]),
            _ => None,
        }
    }

    /// This part of `stored`; [`Self::shape`] must have returned `Some` for its shape.
    pub(super) fn of(self, stored: &Tensor) -> Result<Tensor> {
        match self {
            Self::Whole => Ok(stored.clone()),
            Self::Third(place) => {
                let count = stored.dim(0)? / 3;
                stored.narrow(0, place * count, count)?.contiguous()
            }
            Self::Transposed => stored.t()?.contiguous(),
        }
    }
}

/// A tensor of the network: its name and its part of the stored tensor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TargetTensor {
    pub name: String,
    pub part: Part,
}

impl TargetTensor {
    /// The whole stored tensor as `name`.
    pub fn whole(name: impl Into<String>) -> Self {
        Self { name: name.into(), part: Part::Whole }
    }

    /// A part of the stored tensor as `name`.
    pub fn part(name: impl Into<String>, part: Part) -> Self {
        Self { name: name.into(), part }
    }
}

/// The identity matrix [size, size].
pub(super) fn identity(size: usize) -> Result<Tensor> {
    Tensor::eye(size, DType::F32, &Device::Cpu)
}

//! Tensors under other names, cut or turned, so that checkpoints of several layouts fill one network.

use candle_core::{DType, Device, Result, Tensor};

/// What a network's tensor is of a stored one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    Whole,
    /// One of three equal parts of the first dimension: query, key and value are often stored as one.
    Third(usize),
    /// A matrix with rows and columns exchanged.
    Transposed,
}

impl Part {
    /// The shape of this part of a tensor of shape `stored`; `None` where it has no such part.
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

    /// This part of `stored`, whose shape [`Self::shape`] has approved.
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

/// A tensor of the network: its name there and which part of the stored one it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    pub name: String,
    pub part: Part,
}

impl Place {
    /// The whole stored tensor under another name.
    pub fn whole(name: impl Into<String>) -> Self {
        Self { name: name.into(), part: Part::Whole }
    }

    /// A part of it.
    pub fn part(name: impl Into<String>, part: Part) -> Self {
        Self { name: name.into(), part }
    }
}

/// The matrix that changes nothing, [size, size].
pub(super) fn identity(size: usize) -> Result<Tensor> {
    Tensor::eye(size, DType::F32, &Device::Cpu)
}

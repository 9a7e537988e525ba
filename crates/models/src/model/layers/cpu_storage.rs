//! Access to the elements of CPU tensors, for the fused operations of training and of wide models.
//!
//! candle's composed softmax takes about ten passes over memory, and its sums over leading dimensions do an integer
//! division per element: together they cost more than the matrix multiplications of a small model. The fused operations
//! here have a backward pass, unlike those of candle-nn.

use candle_core::{CpuStorage, DType, Layout, Result, Storage, Tensor, WithDType};

/// True if the fused training operations support this tensor; for others candle's composed operations are used.
pub(super) fn is_fusible(values: &Tensor) -> bool {
    values.device().is_cpu() && values.dtype() == DType::F32
}

/// Hidden size from which the kernels for wide models are used. Narrower models run data-parallel (in the readers
/// crate), one thread per part of a batch, with candle's own kernels.
const WIDE: usize = 512;

/// True if the inference kernels for wide models support this f32 tensor of a model with `columns` features. They have
/// no backward pass.
pub(super) fn is_wide(values: &Tensor, columns: usize) -> bool {
    columns >= WIDE && is_fusible(values) && !values.track_op()
}

/// [`is_wide`] for bf16 and f16, whose kernels accumulate in f32.
pub(super) fn is_wide_half(values: &Tensor, columns: usize) -> bool {
    let is_half = matches!(values.dtype(), DType::F16 | DType::BF16);
    is_half && columns >= WIDE && values.device().is_cpu() && !values.track_op()
}

/// The elements of a contiguous f32 tensor.
pub(super) fn floats<'a>(storage: &'a CpuStorage, layout: &Layout) -> Result<&'a [f32]> {
    numbers(storage, layout)
}

/// The elements of a contiguous tensor of type `T`.
pub(super) fn numbers<'a, T: WithDType>(storage: &'a CpuStorage, layout: &Layout) -> Result<&'a [T]> {
    match layout.contiguous_offsets() {
        Some((start, end)) => Ok(&storage.as_slice::<T>()?[start..end]),
        None => candle_core::bail!("a fused operation was given a tensor that is not contiguous"),
    }
}

/// The storage of a CPU tensor.
pub(super) fn on_cpu(storage: &Storage) -> Result<&CpuStorage> {
    match storage {
        Storage::Cpu(storage) => Ok(storage),
        _ => candle_core::bail!("a fused CPU operation was given a tensor on another device"),
    }
}

/// Size of the last dimension, at least 1 as `chunks` requires.
pub(super) fn row_length(layout: &Layout) -> usize {
    layout.dims().last().copied().unwrap_or(1).max(1)
}

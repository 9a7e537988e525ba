//! Access to the numbers of CPU tensors, for the fused operations of training and of wide models.
//!
//! candle's composed operations take about ten passes for a softmax, and its sums over leading dimensions divide once
//! per element: together they cost more than the matrix products of a small model. The fused operations have a
//! backward pass, which candle-nn's own do not.

use candle_core::{CpuStorage, DType, Layout, Result, Storage, Tensor, WithDType};

/// Whether the fused operations take this tensor; elsewhere candle's composed operations do.
pub(super) fn is_fusible(values: &Tensor) -> bool {
    values.device().is_cpu() && values.dtype() == DType::F32
}

/// Narrower models run in shards of one thread each ([`reader`](crate::reader)), with candle's own products.
const WIDE: usize = 512;

/// Whether the operations for wide models on a CPU take this tensor of a model with so many columns; they have no
/// backward pass.
pub(super) fn is_wide(values: &Tensor, columns: usize) -> bool {
    columns >= WIDE && is_fusible(values) && !values.track_op()
}

/// The same for half types, whose sums are formed in f32.
pub(super) fn is_wide_half(values: &Tensor, columns: usize) -> bool {
    let is_half = matches!(values.dtype(), DType::F16 | DType::BF16);
    is_half && columns >= WIDE && values.device().is_cpu() && !values.track_op()
}

/// The numbers of a contiguous f32 tensor.
pub(super) fn floats<'a>(storage: &'a CpuStorage, layout: &Layout) -> Result<&'a [f32]> {
    numbers(storage, layout)
}

/// The numbers of a contiguous tensor of this type.
pub(super) fn numbers<'a, T: WithDType>(storage: &'a CpuStorage, layout: &Layout) -> Result<&'a [T]> {
    match layout.contiguous_offsets() {
        Some((start, end)) => Ok(&storage.as_slice::<T>()?[start..end]),
        None => candle_core::bail!("a fused operation was given a tensor that is not contiguous"),
    }
}

/// What a tensor of the CPU holds.
pub(super) fn on_cpu(storage: &Storage) -> Result<&CpuStorage> {
    match storage {
        Storage::Cpu(storage) => Ok(storage),
        _ => candle_core::bail!("a fused operation on the CPU was given what is elsewhere"),
    }
}

/// Length of the last dimension, at least 1 so that rows can be cut.
pub(super) fn row_length(layout: &Layout) -> usize {
    layout.dims().last().copied().unwrap_or(1).max(1)
}

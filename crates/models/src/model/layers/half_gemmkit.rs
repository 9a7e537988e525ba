//! Half-precision matrix multiplication by gemmkit, which selects the kernels at run time (AVX-512 BF16 if the processor has it,
//! else f32).

use super::cpu_storage::{numbers, on_cpu};
use super::half_convert::Half;
use candle_core::{DType, Result, Tensor};
use gemmkit::{Bias, FusedScalar, MatMut, MatRef, Parallelism, gemm_fused};
use half::{bf16, f16};

/// See [`super::half_matmul::matmul_half`].
pub(super) fn matmul_half_by_gemmkit(values: &Tensor, weight: &Tensor, bias: Option<&Tensor>) -> Result<Tensor> {
    match values.dtype() {
        DType::BF16 => matmul::<bf16>(values, weight, bias),
        DType::F16 => matmul::<f16>(values, weight, bias),
        other => candle_core::bail!("expected bf16 or f16, found {other:?}"),
    }
}

fn matmul<T: Half + FusedScalar>(values: &Tensor, weight: &Tensor, bias: Option<&Tensor>) -> Result<Tensor> {
    let (outputs, inputs) = weight.dims2()?;
    let rows = values.elem_count() / inputs.max(1);
    let bias = bias.map(Tensor::to_vec1::<T>).transpose()?;
    let values = values.contiguous()?;
    let (value_guard, value_layout) = values.storage_and_layout();
    let (weight_guard, weight_layout) = weight.storage_and_layout();
    let left = numbers::<T>(on_cpu(&value_guard)?, value_layout)?;
    let right = numbers::<T>(on_cpu(&weight_guard)?, weight_layout)?;
    if left.len() != rows * inputs || bias.as_ref().is_some_and(|bias| bias.len() != outputs) {
        candle_core::bail!(
            "cannot multiply {:?} by the transpose of {:?} with this bias",
            values.shape(),
            weight.shape()
        )
    }
    let mut result = vec![T::zero(); rows * outputs];
    gemm_fused(
        T::one(),
        MatRef::from_row_major(left, rows, inputs),
        MatRef::from_col_major(right, inputs, outputs),
        T::zero(),
        MatMut::from_row_major(&mut result, rows, outputs),
        bias.as_deref().map(Bias::PerCol),
        None,
        Parallelism::Rayon(rayon::current_num_threads()),
    );
    Tensor::from_vec(result, (rows, outputs), weight.device())
}

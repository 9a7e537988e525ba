//! Matrix multiplication in half precision by gemmkit, which selects the kernels at run time (AVX-512 BF16 if the processor has
//! it, else f32): sums are accumulated in f32, the bias is added, and the result is rounded once.

use super::cpu_storage::{numbers, on_cpu};
use super::half_convert::Half;
use candle_core::{DType, Result, Tensor};
use gemmkit::{Bias, FusedScalar, MatMut, MatRef, Parallelism, gemm_fused};
use half::{bf16, f16};

/// `values · weightᵀ + bias`, all bf16 or all f16: `[.., inputs]` to `[rows, outputs]`.
pub(super) fn matmul_half(values: &Tensor, weight: &Tensor, bias: Option<&Tensor>) -> Result<Tensor> {
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

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::Device;

    /// Against f64, with odd sizes and from one row to more rows than a kernel's block.
    #[test]
    fn matmul_matches_the_definition_up_to_one_rounding() {
        for (rows, inputs, outputs) in [(1, 513, 37), (3, 1, 520), (21, 130, 515), (200, 999, 67)] {
            let random = |shape: (usize, usize)| Tensor::randn(0.0_f32, 1.0, shape, &Device::Cpu).unwrap();
            let (values, weight, bias) = (random((rows, inputs)), random((outputs, inputs)), random((1, outputs)));
            for (dtype, unit) in [(DType::BF16, 1.0 / 256.0), (DType::F16, 1.0 / 2048.0)] {
                let half = |tensor: &Tensor| tensor.to_dtype(dtype).unwrap();
                let exact = |tensor: &Tensor| half(tensor).to_dtype(DType::F64).unwrap();
                let (values, weight, bias) = (half(&values), half(&weight), half(&bias));
                let (without, with) = (None, Some(bias.squeeze(0).unwrap()));
                for bias in [without, with] {
                    let found = matmul_half(&values, &weight, bias.as_ref()).unwrap();
                    assert_eq!(found.dims(), [rows, outputs]);
                    let mut expected = exact(&values).matmul(&exact(&weight).t().unwrap()).unwrap();
                    if let Some(bias) = &bias {
                        expected = expected.broadcast_add(&exact(bias)).unwrap();
                    }
                    let found: Vec<Vec<f64>> = found.to_dtype(DType::F64).unwrap().to_vec2().unwrap();
                    let expected: Vec<Vec<f64>> = expected.to_vec2().unwrap();
                    for (found, expected) in found.iter().flatten().zip(expected.iter().flatten()) {
                        // One rounding to the half type, and f32 rounding of up to a thousand additions.
                        let allowed = expected.abs() * unit + 1e-4;
                        assert!((found - expected).abs() <= allowed, "{dtype:?}: {found} is not {expected}");
                    }
                }
            }
        }
    }

    #[test]
    fn mismatched_shapes_are_refused() {
        let zeros = |shape: (usize, usize), dtype| Tensor::zeros(shape, dtype, &Device::Cpu).unwrap();
        let (values, weight) = (zeros((4, 6), DType::BF16), zeros((5, 6), DType::BF16));
        let short = zeros((1, 4), DType::BF16).squeeze(0).unwrap();
        assert!(matmul_half(&values, &weight, Some(&short)).is_err());
        assert!(matmul_half(&values, &zeros((5, 7), DType::BF16), None).is_err());
        assert!(matmul_half(&values, &zeros((5, 6), DType::F16), None).is_err());
        assert!(matmul_half(&values, &weight.t().unwrap(), None).is_err());
        let none = matmul_half(&zeros((0, 6), DType::F16), &zeros((5, 6), DType::F16), None).unwrap();
        assert_eq!(none.dims(), [0, 5]);
    }
}

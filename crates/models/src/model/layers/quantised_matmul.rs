//! Products of prompts with a quantised matrix: its rows are dequantised to f32 a part at a time, on all threads, and multiplied
//! like any other matrix. For many tokens that is faster than candle's products of quantised blocks, which multiply one token by
//! one row at a time, and activations are not rounded to 8 bits.

use super::cpu_storage::{floats, on_cpu};
use super::float_matmul::{Accumulate, MatrixView, matmul_into_columns};
use candle_core::quantized::QTensor;
use candle_core::{Device, Result, Tensor};
use rayon::prelude::*;

/// Most values that are dequantised at once: 32 MB, so that a large decoder needs little memory beside its blocks.
const VALUES_AT_ONCE: usize = 8 << 20;
/// Rows of a parallel task.
const ROWS_PER_TASK: usize = 32;

/// `values · weightᵀ + bias` in f32 with contiguous `values` `[.., inputs]`, on the CPU: `[rows, outputs]`.
pub(super) fn matmul_dequantised(values: &Tensor, weight: &QTensor, bias: Option<&Tensor>) -> Result<Tensor> {
    matmul_in_parts(values, weight, bias, VALUES_AT_ONCE)
}

fn matmul_in_parts(values: &Tensor, weight: &QTensor, bias: Option<&Tensor>, at_once: usize) -> Result<Tensor> {
    let (outputs, inputs) = weight.shape().dims2()?;
    let rows = values.elem_count() / inputs.max(1);
    let mut result = match bias {
        None => vec![0.0; rows * outputs],
        Some(bias) => bias.to_vec1::<f32>()?.repeat(rows),
    };
    let accumulate = if bias.is_some() { Accumulate::Yes } else { Accumulate::No };
    let (storage, layout) = values.storage_and_layout();
    let left = MatrixView::new(floats(on_cpu(&storage)?, layout)?, rows, inputs, inputs)?;
    let rows_at_once = (at_once / inputs.max(1)).max(1).next_multiple_of(ROWS_PER_TASK).min(outputs.max(1));
    let mut dequantised = vec![0.0; rows_at_once * inputs];
    for first in (0..outputs).step_by(rows_at_once) {
        let count = rows_at_once.min(outputs - first);
        let part = &mut dequantised[..count * inputs];
        dequantise_rows(weight, first, inputs, part)?;
        let right = MatrixView::new(part, count, inputs, inputs)?;
        matmul_into_columns(left, right, accumulate, &mut result, outputs, first)?;
    }
    Tensor::from_vec(result, (rows, outputs), &Device::Cpu)
}

/// Writes the rows from `first` on, as many as fit, into `part`.
fn dequantise_rows(weight: &QTensor, first: usize, inputs: usize, part: &mut [f32]) -> Result<()> {
    part.par_chunks_mut((ROWS_PER_TASK * inputs).max(1)).enumerate().try_for_each(|(task, part)| {
        let start = (first + task * ROWS_PER_TASK) as u32;
        let rows = Tensor::arange(start, start + (part.len() / inputs) as u32, &Device::Cpu)?;
        let values = weight.embedding(&rows)?;
        let (storage, layout) = values.storage_and_layout();
        part.copy_from_slice(floats(on_cpu(&storage)?, layout)?);
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::quantized::GgmlDType;
    use candle_core::{D, DType};

    /// Against candle's product with the dequantised matrix, whole and in parts of 32 rows with a rest.
    #[test]
    fn products_are_those_of_the_dequantised_matrix() {
        let random = |shape: (usize, usize)| Tensor::randn(0.0_f32, 1.0, shape, &Device::Cpu).unwrap();
        let (values, bias) = (random((14, 256)), random((1, 75)).squeeze(0).unwrap());
        for kind in [GgmlDType::Q4_0, GgmlDType::Q8_0, GgmlDType::Q4K, GgmlDType::Q6K] {
            let weight = QTensor::quantize(&random((75, 256)), kind).unwrap();
            let expected = values.matmul(&weight.dequantize(&Device::Cpu).unwrap().t().unwrap()).unwrap();
            for bias in [None, Some(&bias)] {
                let expected = bias.map_or(expected.clone(), |bias| expected.broadcast_add(bias).unwrap());
                for at_once in [1, 20_000, VALUES_AT_ONCE] {
                    let found = matmul_in_parts(&values, &weight, bias, at_once).unwrap();
                    assert_eq!((found.dims(), found.dtype()), ([14, 75].as_slice(), DType::F32));
                    let difference = (found - &expected).unwrap().abs().unwrap().flatten_all().unwrap();
                    let largest = difference.max(D::Minus1).unwrap().to_scalar::<f32>().unwrap();
                    assert!(largest < 1e-4, "{kind:?}, {at_once}: {largest}");
                }
            }
        }
    }
}

//! RMSNorm and LayerNorm in half precision: computed in f32 and rounded once.

use super::cpu_storage::{is_wide_half, numbers, on_cpu};
use super::half_convert::Half;
use super::simd;
use candle_core::{D, DType, Result, Tensor};
use half::{bf16, f16};
use rayon::prelude::*;

/// RMSNorm (Zhang, Sennrich 2019): `values / √(mean(values²) + epsilon) · weight` over the last dimension. It is
/// computed in the type of `weight` if `values` have another. Gradients are not tracked.
pub fn rms_norm(values: &Tensor, weight: &Tensor, epsilon: f32) -> Result<Tensor> {
    if is_wide_half(values, values.dim(D::Minus1)?) {
        return norm_half(values, weight, None, epsilon);
    }
    if values.dtype() != weight.dtype() {
        let normalised = candle_nn::ops::rms_norm(&values.to_dtype(weight.dtype())?.contiguous()?, weight, epsilon)?;
        return normalised.to_dtype(values.dtype());
    }
    candle_nn::ops::rms_norm(&values.contiguous()?, weight, epsilon)
}

/// LayerNorm if there is a bias, otherwise RMSNorm, of bf16 or f16 `values`.
pub(super) fn norm_half(values: &Tensor, weight: &Tensor, bias: Option<&Tensor>, epsilon: f32) -> Result<Tensor> {
    match values.dtype() {
        DType::BF16 => norm::<bf16>(values, weight, bias, epsilon),
        DType::F16 => norm::<f16>(values, weight, bias, epsilon),
        other => candle_core::bail!("expected bf16 or f16, found {other:?}"),
    }
}

fn norm<T: Half>(values: &Tensor, weight: &Tensor, bias: Option<&Tensor>, epsilon: f32) -> Result<Tensor> {
    let width = values.dim(D::Minus1)?;
    let parameter = |tensor: &Tensor| tensor.to_dtype(DType::F32)?.to_vec1::<f32>();
    let (weight, bias) = (parameter(weight)?, bias.map(parameter).transpose()?);
    if weight.len() != width || bias.as_ref().is_some_and(|bias| bias.len() != width) {
        candle_core::bail!("a norm over {width} features has {} weights", weight.len())
    }
    let values = values.contiguous()?;
    let (storage, layout) = values.storage_and_layout();
    let halves = numbers::<T>(on_cpu(&storage)?, layout)?;
    let mut result = vec![T::zero(); halves.len()];
    let rows = result.par_chunks_mut(width.max(1)).zip(halves.par_chunks(width.max(1)));
    rows.for_each_init(
        || vec![0.0; width],
        |floats, (result, halves)| {
            T::to_f32(halves, floats);
            if bias.is_some() {
                let mean = simd::sum_of(floats, |value| value) / width as f32;
                for value in floats.iter_mut() {
                    *value -= mean;
                }
            }
            let mean_square = simd::sum_of(floats, |value| value * value) / width as f32;
            let inverse = 1.0 / (mean_square + epsilon).sqrt();
            for (value, weight) in floats.iter_mut().zip(&weight) {
                *value *= inverse * weight;
            }
            if let Some(bias) = &bias {
                for (value, bias) in floats.iter_mut().zip(bias) {
                    *value += bias;
                }
            }
            T::from_f32(floats, result);
        },
    );
    Tensor::from_vec(result, values.shape(), values.device())
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::Device;

    #[test]
    fn norms_match_the_definition_up_to_one_rounding() {
        for width in [1, 515, 768] {
            let random = |rows: usize| Tensor::randn(0.5_f32, 2.0, (rows, width), &Device::Cpu).unwrap();
            let (values, parameters) = (random(5), random(2));
            for (dtype, unit) in [(DType::BF16, 1.0 / 256.0), (DType::F16, 1.0 / 2048.0)] {
                let half = |tensor: Tensor| tensor.to_dtype(dtype).unwrap();
                let exact = |tensor: &Tensor| tensor.to_dtype(DType::F64).unwrap().to_vec1::<f64>().unwrap();
                let weight = half(parameters.get(0).unwrap());
                let bias = half(parameters.get(1).unwrap());
                for bias in [None, Some(bias)] {
                    let values = half(values.clone());
                    let found = norm_half(&values, &weight, bias.as_ref(), 1e-5).unwrap();
                    let shifts = bias.as_ref().map(exact);
                    for row in 0..5 {
                        let mut line = exact(&values.get(row).unwrap());
                        if shifts.is_some() {
                            let mean = line.iter().sum::<f64>() / width as f64;
                            for value in &mut line {
                                *value -= mean;
                            }
                        }
                        let mean_square = line.iter().map(|value| value * value).sum::<f64>() / width as f64;
                        for (column, found) in exact(&found.get(row).unwrap()).iter().enumerate() {
                            let shift = shifts.as_ref().map_or(0.0, |shifts| shifts[column]);
                            let expected = line[column] / (mean_square + 1e-5).sqrt() * exact(&weight)[column] + shift;
                            let allowed = expected.abs() * unit + 1e-5;
                            assert!((found - expected).abs() <= allowed, "{dtype:?}: {found} is not {expected}");
                        }
                    }
                }
            }
        }
    }
}

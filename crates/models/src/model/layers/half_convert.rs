//! Half precision (bf16, f16) on a CPU: elements are converted in the same pass that computes with them in f32, on all
//! threads. candle converts on one thread, and its composed operations round after every step.

use super::cpu_storage::{numbers, on_cpu};
use super::simd;
use candle_core::{DType, Result, Tensor, WithDType};
use half::slice::HalfFloatSliceExt;
use half::{bf16, f16};
use rayon::prelude::*;

/// Elements per parallel task; as f32 they fit into the L1 cache.
const CHUNK: usize = 1 << 12;

/// A 16-bit floating-point type.
pub(super) trait Half: WithDType {
    /// Converts all elements; both slices have the same length.
    fn to_f32(halves: &[Self], floats: &mut [f32]);
    /// Rounds all elements to nearest, ties to even; both slices have the same length.
    fn from_f32(floats: &[f32], halves: &mut [Self]);
}

impl Half for bf16 {
    fn to_f32(halves: &[Self], floats: &mut [f32]) {
        for (floats, halves) in floats.iter_mut().zip(halves) {
            *floats = f32::from_bits(u32::from(halves.to_bits()) << 16);
        }
    }

    fn from_f32(floats: &[f32], halves: &mut [Self]) {
        for (halves, floats) in halves.iter_mut().zip(floats) {
            // Round to nearest, ties to even: add half a unit of the last bit kept, minus one if that bit is 0.
            // `Self::from_f32` does the same with branches that the processor cannot predict.
            let bits = floats.to_bits();
            let nearest = bits.wrapping_add(0x7fff + ((bits >> 16) & 1)) >> 16;
            *halves = if floats.is_nan() { Self::NAN } else { Self::from_bits(nearest as u16) };
        }
    }
}

impl Half for f16 {
    fn to_f32(halves: &[Self], floats: &mut [f32]) {
        halves.convert_to_f32_slice(floats);
    }

    fn from_f32(floats: &[f32], halves: &mut [Self]) {
        halves.convert_from_f32_slice(floats);
    }
}

/// Converts a bf16 or f16 tensor to f32. Attention heads `[B, heads, T, d]` may be stored as `[B, T, heads, d]`; the
/// result has the same strides.
pub(super) fn to_f32(values: &Tensor) -> Result<Tensor> {
    to_f32_times(values, 1.0)
}

/// [`to_f32`], multiplied by `factor`.
pub(super) fn to_f32_times(values: &Tensor, factor: f32) -> Result<Tensor> {
    keeping_strides(values, |values| match values.dtype() {
        DType::BF16 => to_f32_from::<bf16>(values, factor),
        DType::F16 => to_f32_from::<f16>(values, factor),
        other => candle_core::bail!("expected bf16 or f16, found {other:?}"),
    })
}

/// Converts an f32 tensor to bf16 or f16; strides are kept as in [`to_f32`].
pub(super) fn from_f32(values: &Tensor, dtype: DType) -> Result<Tensor> {
    keeping_strides(values, |values| match dtype {
        DType::BF16 => from_f32_to::<bf16>(values),
        DType::F16 => from_f32_to::<f16>(values),
        other => candle_core::bail!("expected bf16 or f16, found {other:?}"),
    })
}

fn keeping_strides(values: &Tensor, convert: impl Fn(&Tensor) -> Result<Tensor>) -> Result<Tensor> {
    if values.rank() == 4 && !values.is_contiguous() {
        return convert(&values.transpose(1, 2)?.contiguous()?)?.transpose(1, 2);
    }
    convert(&values.contiguous()?)
}

fn to_f32_from<T: Half>(values: &Tensor, factor: f32) -> Result<Tensor> {
    let (storage, layout) = values.storage_and_layout();
    let halves = numbers::<T>(on_cpu(&storage)?, layout)?;
    let mut floats = vec![0.0_f32; halves.len()];
    floats.par_chunks_mut(CHUNK).zip(halves.par_chunks(CHUNK)).for_each(|(floats, halves)| {
        T::to_f32(halves, floats);
        for value in floats {
            *value *= factor;
        }
    });
    Tensor::from_vec(floats, values.shape(), values.device())
}

fn from_f32_to<T: Half>(values: &Tensor) -> Result<Tensor> {
    let (storage, layout) = values.storage_and_layout();
    let floats = numbers::<f32>(on_cpu(&storage)?, layout)?;
    let mut halves = vec![T::zero(); floats.len()];
    halves.par_chunks_mut(CHUNK).zip(floats.par_chunks(CHUNK)).for_each(|(halves, floats)| T::from_f32(floats, halves));
    Tensor::from_vec(halves, values.shape(), values.device())
}

/// [`simd::gated_activation`] computed in f32 and rounded once.
pub(super) fn gated_activation<T: Half>(values: &[T], slope: f32, cubic: f32, factors: Option<&[T]>) -> Vec<T> {
    let mut gated = vec![T::zero(); values.len()];
    gated.par_chunks_mut(CHUNK).enumerate().for_each(|(number, gated)| {
        let (start, count) = (number * CHUNK, gated.len());
        let mut floats = [0.0; CHUNK];
        let floats = &mut floats[..count];
        T::to_f32(&values[start..start + count], floats);
        simd::gated_activation_chunk(floats, slope, cubic);
        if let Some(factors) = factors {
            let mut f32_factors = [0.0; CHUNK];
            T::to_f32(&factors[start..start + count], &mut f32_factors[..count]);
            for (value, factor) in floats.iter_mut().zip(&f32_factors) {
                *value *= factor;
            }
        }
        T::from_f32(floats, gated);
    });
    gated
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::Device;

    #[test]
    fn conversions_match_candle_for_any_strides() {
        let values = Tensor::randn(0.0_f32, 3.0, (2, 70, 5, 33), &Device::Cpu).unwrap();
        for dtype in [DType::BF16, DType::F16] {
            for tensor in [values.clone(), values.transpose(1, 2).unwrap()] {
                let halves = from_f32(&tensor, dtype).unwrap();
                assert_eq!(halves.stride(), tensor.stride());
                let expected = tensor.to_dtype(dtype).unwrap();
                let bits = |tensor: &Tensor| {
                    tensor.to_dtype(DType::F32).unwrap().flatten_all().unwrap().to_vec1::<f32>().unwrap()
                };
                assert_eq!(bits(&halves), bits(&expected));
                let floats = to_f32(&halves).unwrap();
                assert_eq!(floats.stride(), tensor.stride());
                assert_eq!(floats.flatten_all().unwrap().to_vec1::<f32>().unwrap(), bits(&expected));
            }
        }
        let odd = [f32::NAN, f32::INFINITY, -0.0, 1.0 + 1.0 / 256.0, 1.0 + 3.0 / 256.0];
        let mut halves = [bf16::ZERO; 5];
        <bf16 as Half>::from_f32(&odd, &mut halves);
        let mut floats = [0.0; 5];
        <bf16 as Half>::to_f32(&halves, &mut floats);
        assert!(floats[0].is_nan() && floats[2].is_sign_negative());
        assert_eq!(floats[1..], [f32::INFINITY, -0.0, 1.0, 1.0 + 4.0 / 256.0]);
    }

    #[test]
    fn gated_activation_matches_the_definition_up_to_one_rounding() {
        let values: Vec<bf16> = (0..9001).map(|number| bf16::from_f32((number % 2001) as f32 * 0.01 - 10.0)).collect();
        let factors: Vec<bf16> = values.iter().map(|value| bf16::from_f32(value.to_f32() * 0.5 + 1.0)).collect();
        for factors in [None, Some(factors.as_slice())] {
            for (place, found) in gated_activation(&values, 1.5, 0.07, factors).iter().enumerate() {
                let x = f64::from(values[place].to_f32());
                let factor = factors.map_or(1.0, |factors| f64::from(factors[place].to_f32()));
                let exact = x / (1.0 + (-(1.5 * x + 0.07 * x.powi(3))).exp()) * factor;
                // Half a unit in the last place of bf16.
                let error = (f64::from(found.to_f32()) - exact).abs();
                assert!(error < exact.abs() / 255.0 + 1e-6, "{found} is not {exact}");
            }
        }
    }
}

//! Half types on a CPU: numbers are read and rounded in the pass that computes with them in f32, on all threads. candle
//! converts on one thread, and its own operations round after every step.

use super::cpu_storage::{numbers, on_cpu};
use super::simd;
use candle_core::{DType, Result, Tensor, WithDType};
use gemmkit::FusedScalar;
use half::slice::HalfFloatSliceExt;
use half::{bf16, f16};
use rayon::prelude::*;

/// Numbers that one thread takes at a time: in f32 they fit into the nearest cache.
const SHARE: usize = 1 << 12;

/// A type of sixteen bits.
pub(super) trait Half: WithDType + FusedScalar {
    /// `wide` is as long as `narrow`.
    fn to_f32(narrow: &[Self], wide: &mut [f32]);
    /// To the nearest number, to the even one of two; `narrow` is as long as `wide`.
    fn from_f32(wide: &[f32], narrow: &mut [Self]);
}

impl Half for bf16 {
    fn to_f32(narrow: &[Self], wide: &mut [f32]) {
        for (wide, narrow) in wide.iter_mut().zip(narrow) {
            *wide = f32::from_bits(u32::from(narrow.to_bits()) << 16);
        }
    }

    fn from_f32(wide: &[f32], narrow: &mut [Self]) {
        for (narrow, wide) in narrow.iter_mut().zip(wide) {
            // Half of the last bit that stays, less one where that bit is even. `Self::from_f32` does the same in
            // branches that nothing can foresee.
            let bits = wide.to_bits();
            let nearest = bits.wrapping_add(0x7fff + ((bits >> 16) & 1)) >> 16;
            *narrow = if wide.is_nan() { Self::NAN } else { Self::from_bits(nearest as u16) };
        }
    }
}

impl Half for f16 {
    fn to_f32(narrow: &[Self], wide: &mut [f32]) {
        narrow.convert_to_f32_slice(wide);
    }

    fn from_f32(wide: &[f32], narrow: &mut [Self]) {
        narrow.convert_from_f32_slice(wide);
    }
}

/// A tensor of a half type in f32. Heads of attention `[B, heads, T, d]` may lie as `[B, T, heads, d]`, and stay so.
pub(super) fn to_f32(values: &Tensor) -> Result<Tensor> {
    to_f32_times(values, 1.0)
}

/// As [`to_f32`], times `factor`.
pub(super) fn to_f32_times(values: &Tensor, factor: f32) -> Result<Tensor> {
    by_rows(values, |values| match values.dtype() {
        DType::BF16 => to_f32_from::<bf16>(values, factor),
        DType::F16 => to_f32_from::<f16>(values, factor),
        other => candle_core::bail!("{other:?} is no half type"),
    })
}

/// A tensor of f32 in a half type; where its heads lie as with [`to_f32`].
pub(super) fn from_f32(values: &Tensor, dtype: DType) -> Result<Tensor> {
    by_rows(values, |values| match dtype {
        DType::BF16 => from_f32_to::<bf16>(values),
        DType::F16 => from_f32_to::<f16>(values),
        other => candle_core::bail!("{other:?} is no half type"),
    })
}

fn by_rows(values: &Tensor, convert: impl Fn(&Tensor) -> Result<Tensor>) -> Result<Tensor> {
    if values.rank() == 4 && !values.is_contiguous() {
        return convert(&values.transpose(1, 2)?.contiguous()?)?.transpose(1, 2);
    }
    convert(&values.contiguous()?)
}

fn to_f32_from<T: Half>(values: &Tensor, factor: f32) -> Result<Tensor> {
    let (storage, layout) = values.storage_and_layout();
    let narrow = numbers::<T>(on_cpu(&storage)?, layout)?;
    let mut wide = vec![0.0_f32; narrow.len()];
    wide.par_chunks_mut(SHARE).zip(narrow.par_chunks(SHARE)).for_each(|(wide, narrow)| {
        T::to_f32(narrow, wide);
        for value in wide {
            *value *= factor;
        }
    });
    Tensor::from_vec(wide, values.shape(), values.device())
}

fn from_f32_to<T: Half>(values: &Tensor) -> Result<Tensor> {
    let (storage, layout) = values.storage_and_layout();
    let wide = numbers::<f32>(on_cpu(&storage)?, layout)?;
    let mut narrow = vec![T::zero(); wide.len()];
    narrow.par_chunks_mut(SHARE).zip(wide.par_chunks(SHARE)).for_each(|(narrow, wide)| T::from_f32(wide, narrow));
    Tensor::from_vec(narrow, values.shape(), values.device())
}

/// As [`simd::gated_activation`], rounded once.
pub(super) fn gated_activation<T: Half>(values: &[T], slope: f32, cubic: f32, factors: Option<&[T]>) -> Vec<T> {
    let mut gated = vec![T::zero(); values.len()];
    gated.par_chunks_mut(SHARE).enumerate().for_each(|(number, gated)| {
        let (start, count) = (number * SHARE, gated.len());
        let mut wide = [0.0; SHARE];
        let wide = &mut wide[..count];
        T::to_f32(&values[start..start + count], wide);
        simd::gated_activation_share(wide, slope, cubic);
        if let Some(factors) = factors {
            let mut wide_factors = [0.0; SHARE];
            T::to_f32(&factors[start..start + count], &mut wide_factors[..count]);
            for (value, factor) in wide.iter_mut().zip(&wide_factors) {
                *value *= factor;
            }
        }
        T::from_f32(wide, gated);
    });
    gated
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::Device;

    #[test]
    fn conversions_are_those_of_candle_however_the_heads_lie() {
        let values = Tensor::randn(0.0_f32, 3.0, (2, 70, 5, 33), &Device::Cpu).unwrap();
        for dtype in [DType::BF16, DType::F16] {
            for tensor in [values.clone(), values.transpose(1, 2).unwrap()] {
                let narrow = from_f32(&tensor, dtype).unwrap();
                assert_eq!(narrow.stride(), tensor.stride());
                let expected = tensor.to_dtype(dtype).unwrap();
                let bits = |tensor: &Tensor| {
                    tensor.to_dtype(DType::F32).unwrap().flatten_all().unwrap().to_vec1::<f32>().unwrap()
                };
                assert_eq!(bits(&narrow), bits(&expected));
                let wide = to_f32(&narrow).unwrap();
                assert_eq!(wide.stride(), tensor.stride());
                assert_eq!(wide.flatten_all().unwrap().to_vec1::<f32>().unwrap(), bits(&expected));
            }
        }
        let odd = [f32::NAN, f32::INFINITY, -0.0, 1.0 + 1.0 / 256.0, 1.0 + 3.0 / 256.0];
        let mut narrow = [bf16::ZERO; 5];
        <bf16 as Half>::from_f32(&odd, &mut narrow);
        let mut wide = [0.0; 5];
        <bf16 as Half>::to_f32(&narrow, &mut wide);
        assert!(wide[0].is_nan() && wide[2].is_sign_negative());
        assert_eq!(wide[1..], [f32::INFINITY, -0.0, 1.0, 1.0 + 4.0 / 256.0]);
    }

    #[test]
    fn gates_are_those_of_the_definition_but_for_one_rounding() {
        let values: Vec<bf16> = (0..9001).map(|number| bf16::from_f32((number % 2001) as f32 * 0.01 - 10.0)).collect();
        let factors: Vec<bf16> = values.iter().map(|value| bf16::from_f32(value.to_f32() * 0.5 + 1.0)).collect();
        for factors in [None, Some(factors.as_slice())] {
            for (place, found) in gated_activation(&values, 1.5, 0.07, factors).iter().enumerate() {
                let x = f64::from(values[place].to_f32());
                let factor = factors.map_or(1.0, |factors| f64::from(factors[place].to_f32()));
                let exact = x / (1.0 + (-(1.5 * x + 0.07 * x.powi(3))).exp()) * factor;
                // Half a unit in the last of eight bits.
                let error = (f64::from(found.to_f32()) - exact).abs();
                assert!(error < exact.abs() / 255.0 + 1e-6, "{found} is not {exact}");
            }
        }
    }
}

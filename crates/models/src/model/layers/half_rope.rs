//! Applying rotary position embeddings (RoPE); in half precision it is computed in f32 and rounded once.

use super::cpu_storage::{is_wide_half, numbers, on_cpu};
use super::half_convert::Half;
use candle_core::{DType, Result, Tensor};
use half::{bf16, f16};
use rayon::prelude::*;

/// Applies RoPE to `heads` `[B, heads, T, d]`, pairing each element of a head's first half with one of its second half
/// (`rotate_half` in transformers). `cos` and `sin` are `[T, d / 2]` or `[B, T, d / 2]`. Computes in the type of `cos` and
/// returns the type of `heads`. Gradients are not tracked.
pub fn apply_rope(heads: &Tensor, cos: &Tensor, sin: &Tensor) -> Result<Tensor> {
    let (_, count, _, size) = heads.dims4()?;
    if is_wide_half(heads, count * size) {
        return match heads.dtype() {
            DType::BF16 => apply_rope_half::<bf16>(heads, cos, sin),
            _ => apply_rope_half::<f16>(heads, cos, sin),
        };
    }
    candle_nn::rotary_emb::rope(&heads.to_dtype(cos.dtype())?, cos, sin)?.to_dtype(heads.dtype())
}

fn apply_rope_half<T: Half>(heads: &Tensor, cos: &Tensor, sin: &Tensor) -> Result<Tensor> {
    let (batch, count, length, size) = heads.dims4()?;
    let pairs = size / 2;
    let angles = |angles: &Tensor| angles.to_dtype(DType::F32)?.flatten_all()?.to_vec1::<f32>();
    let (cos, sin) = (angles(cos)?, angles(sin)?);
    let per_row = length * pairs;
    if size % 2 != 0 || cos.len() != sin.len() || cos.len() != per_row && cos.len() != batch * per_row {
        candle_core::bail!("RoPE: {} angles do not fit {batch} × {length} tokens with {pairs} pairs", cos.len())
    }
    let heads = heads.contiguous()?;
    let (storage, layout) = heads.storage_and_layout();
    let halves = numbers::<T>(on_cpu(&storage)?, layout)?;
    let mut result = vec![T::zero(); halves.len()];
    let all = (length * size).max(1);
    result.par_chunks_mut(all).zip(halves.par_chunks(all)).enumerate().for_each(|(number, (result, halves))| {
        let first = if cos.len() == per_row { 0 } else { number / count * per_row };
        let mut floats = vec![0.0; size];
        for (place, (result, halves)) in result.chunks_mut(size).zip(halves.chunks(size)).enumerate() {
            T::to_f32(halves, &mut floats);
            let start = first + place * pairs;
            let (left, right) = floats.split_at_mut(pairs);
            for pair in 0..pairs {
                let (cos, sin) = (cos[start + pair], sin[start + pair]);
                let (x, y) = (left[pair], right[pair]);
                left[pair] = x * cos - y * sin;
                right[pair] = y * cos + x * sin;
            }
            T::from_f32(&floats, result);
        }
    });
    Tensor::from_vec(result, heads.shape(), heads.device())
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::Device;

    #[test]
    fn half_precision_matches_f32_up_to_one_rounding() {
        let (batch, heads, length, size) = (2, 7, 5, 76);
        let heads = Tensor::randn(0.0_f32, 1.0, (batch, length, heads, size), &Device::Cpu).unwrap();
        let angles = Tensor::randn(0.0_f32, 3.0, (batch, length, size / 2), &Device::Cpu).unwrap();
        for (dtype, unit) in [(DType::BF16, 1.0 / 256.0), (DType::F16, 1.0 / 2048.0)] {
            let heads = heads.to_dtype(dtype).unwrap().transpose(1, 2).unwrap();
            for angles in [angles.clone(), angles.get(1).unwrap()] {
                let (cos, sin) = (angles.cos().unwrap(), angles.sin().unwrap());
                let floats = heads.to_dtype(DType::F32).unwrap().contiguous().unwrap();
                let expected = candle_nn::rotary_emb::rope(&floats, &cos, &sin).unwrap();
                let found = apply_rope(&heads, &cos, &sin).unwrap();
                assert_eq!((found.dtype(), found.dims()), (dtype, expected.dims()));
                let flat = |tensor: &Tensor| {
                    tensor.to_dtype(DType::F32).unwrap().flatten_all().unwrap().to_vec1::<f32>().unwrap()
                };
                for (found, expected) in flat(&found).iter().zip(&flat(&expected)) {
                    assert!((found - expected).abs() <= expected.abs() * unit + 1e-6, "{found} is not {expected}");
                }
            }
        }
        let cos = Tensor::zeros((4, 38), DType::F32, &Device::Cpu).unwrap();
        assert!(apply_rope(&heads.to_dtype(DType::BF16).unwrap(), &cos, &cos).is_err());
    }
}

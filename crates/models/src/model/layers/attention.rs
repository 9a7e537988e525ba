//! Scaled dot-product attention (Vaswani et al. 2017).

use super::attention_blocks::attend_in_blocks;
use super::cpu_storage::{is_wide, is_wide_half};
use super::half_convert::{from_f32, to_f32, to_f32_times};
use super::{Mode, softmax_last_dim};
use candle_core::{DType, Result, Tensor};

/// Attention of `queries` [B, heads, T, d] over `keys` and `values` [B, heads / n, S, d]; n consecutive query heads share
/// one key and value head (grouped-query attention, Ainslie et al. 2023). Returns [B, heads, T, d].
///
/// `mask` is added to the scores and must broadcast to [B, heads, T, S]: 0 for visible keys, -inf for hidden ones.
pub(crate) fn attend(
    queries: &Tensor,
    keys: &Tensor,
    values: &Tensor,
    mask: Option<&Tensor>,
    mode: Mode,
) -> Result<Tensor> {
    let size = queries.dim(3)?;
    attend_scaled(queries, keys, values, mask, (size as f64).powf(-0.5), mode)
}

/// [`attend`] with another factor on the scores.
pub(crate) fn attend_scaled(
    queries: &Tensor,
    keys: &Tensor,
    values: &Tensor,
    mask: Option<&Tensor>,
    scale: f64,
    mode: Mode,
) -> Result<Tensor> {
    let (_, heads, _, size) = queries.dims4()?;
    // Scaling the queries is cheaper than scaling the scores.
    let is_half = |tensor: &Tensor| is_wide_half(tensor, heads * size);
    if [queries, keys, values].into_iter().all(is_half) && mode == Mode::Infer {
        let mask = mask.map(|mask| mask.to_dtype(DType::F32)).transpose()?;
        let wide_queries = to_f32_times(queries, scale as f32)?;
        let (keys, values) = (to_f32(keys)?, to_f32(values)?);
        return from_f32(&attend_unscaled(&wide_queries, &keys, &values, mask.as_ref(), mode)?, queries.dtype());
    }
    let scaled = match queries.dtype() {
        // A scale rounded to half precision would shift every score, by 0.2 % for a head size of 112.
        dtype @ (DType::F16 | DType::BF16) => (queries.to_dtype(DType::F32)? * scale)?.to_dtype(dtype)?,
        _ => (queries * scale)?,
    };
    attend_unscaled(&scaled, keys, values, mask, mode)
}

/// Attention of queries that are already scaled.
fn attend_unscaled(
    queries: &Tensor,
    keys: &Tensor,
    values: &Tensor,
    mask: Option<&Tensor>,
    mode: Mode,
) -> Result<Tensor> {
    let (batch, heads, length, size) = queries.dims4()?;
    let tensors = [queries, keys, values];
    let is_tracked_or_narrow = |tensor: &&Tensor| !is_wide(tensor, heads * size);
    let has_contiguous_rows = |tensor: &&Tensor| tensor.stride().last() == Some(&1);
    if !tensors.iter().any(is_tracked_or_narrow) && tensors.iter().all(has_contiguous_rows) {
        return attend_in_blocks(queries, keys, values, mask.map(Tensor::contiguous).transpose()?.as_ref());
    }
    let key_heads = keys.dim(1)?;
    let groups = heads / key_heads.max(1);
    // Query heads that share a key head are viewed as one longer head, so that keys need not be repeated.
    let queries = queries.contiguous()?.reshape((batch, key_heads, groups * length, size))?;
    // The matmul reads the transposed view; copying the keys would cost more.
    let scores = queries.matmul(&keys.contiguous()?.transpose(2, 3)?)?;
    let scores = match mask {
        Some(mask) => {
            let slots = keys.dim(2)?;
            let by_head = scores.reshape((batch, heads, length, slots))?;
            by_head.broadcast_add(&mask.to_dtype(scores.dtype())?)?.reshape(scores.shape())?
        }
        None => scores,
    };
    softmax_last_dim(&scores, mode)?.matmul(&values.contiguous()?)?.reshape((batch, heads, length, size))
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::{Device, IndexOp};

    /// Queries `[1, 8, 3, size]`, each constant, and keys `[1, 4, 2, size]`: one of ones and one of zeros.
    fn queries_and_keys(size: usize, of_queries: [f32; 3], dtype: DType) -> (Tensor, Tensor) {
        let expand = |rows: &[f32], heads: usize| {
            let rows = Tensor::new(rows, &Device::Cpu).unwrap().reshape((1, 1, rows.len(), 1)).unwrap();
            rows.broadcast_as((1, heads, rows.dim(2).unwrap(), size)).unwrap().to_dtype(dtype).unwrap()
        };
        (expand(&of_queries, 8), expand(&[1.0, 0.0], 4))
    }

    fn values(size: usize, second: f64, dtype: DType) -> Tensor {
        let second = (Tensor::ones((1, 4, 1, size), DType::F32, &Device::Cpu).unwrap() * second).unwrap();
        Tensor::cat(&[&second.ones_like().unwrap(), &second], 2).unwrap().to_dtype(dtype).unwrap()
    }

    /// The two values nearly cancel (sum 2e-3), so that scores too small by 0.15 % would be seen: they give -1e-2.
    #[test]
    fn half_precision_uses_an_unrounded_scale() {
        let of_queries = [1.0, 0.75, -0.5];
        for (size, second) in [(72, -4832.0), (112, -39_424.0)] {
            for dtype in [DType::BF16, DType::F16] {
                let (queries, keys) = queries_and_keys(size, of_queries, dtype);
                let attended = attend(&queries, &keys, &values(size, second, dtype), None, Mode::Infer).unwrap();
                assert_eq!((attended.dims(), attended.dtype()), ([1, 8, 3, size].as_slice(), dtype));
                let found = attended.to_dtype(DType::F64).unwrap().transpose(2, 3).unwrap().reshape(((), 3)).unwrap();
                for found in found.to_vec2::<f64>().unwrap() {
                    for (query, found) in of_queries.iter().zip(found) {
                        let power = (f64::from(*query) * (size as f64).sqrt()).exp();
                        let exact = (power + second) / (power + 1.0);
                        // Half a unit in the last place of bf16.
                        let tolerance = exact.abs() / 256.0 + 2e-5;
                        assert!((found - exact).abs() < tolerance, "{size}, {dtype:?}: {found} is not {exact}");
                    }
                }
            }
        }
    }

    #[test]
    fn overflowed_queries_give_nan() {
        for dtype in [DType::F16, DType::BF16, DType::F32] {
            for bad in [f32::INFINITY, f32::NAN] {
                // Sixteen keys: two SIMD vectors of eight.
                let (queries, keys) = queries_and_keys(64, [1.0, bad, 0.5], dtype);
                let [keys, values] = [keys, values(64, 2.0, dtype)].map(|two| Tensor::cat(&[&two; 8], 2).unwrap());
                let attended = attend(&queries, &keys, &values, None, Mode::Infer).unwrap();
                let rows = attended.to_dtype(DType::F32).unwrap().i((0, 0)).unwrap().to_vec2::<f32>().unwrap();
                assert!(rows[1].iter().all(|value| value.is_nan()), "{dtype:?}: {bad} gives {}", rows[1][0]);
                assert!([0, 2].iter().all(|row| rows[*row].iter().all(|value| value.is_finite())));
            }
        }
    }
}

//! Scaled dot-product attention (Vaswani et al. 2017).

use super::attention_blocks::attend_in_blocks;
use super::half_numbers::{rounded, widened};
use super::slices::{is_wide, is_wide_half};
use super::{Mode, softmax_last_dim};
use candle_core::{DType, Device, Result, Tensor};

/// Attention of `queries` [B, heads, T, d] over `keys` and `values` [B, heads, S, d]; gives [B, heads, T, d].
///
/// `mask` is added to the scores and must broadcast to [B, heads, T, S]: 0 where a query may look, -inf where not.
pub fn attend(queries: &Tensor, keys: &Tensor, values: &Tensor, mask: Option<&Tensor>, mode: Mode) -> Result<Tensor> {
    let scale = (queries.dim(3)? as f64).powf(-0.5);
    attend_scaled(&(queries * scale)?, keys, values, mask, mode)
}

/// The same of queries that are scaled already, over keys and values of which several neighbouring heads of queries may
/// share one: `[B, heads / n, S, d]`.
pub fn attend_scaled(
    queries: &Tensor,
    keys: &Tensor,
    values: &Tensor,
    mask: Option<&Tensor>,
    mode: Mode,
) -> Result<Tensor> {
    let (batch, heads, length, size) = queries.dims4()?;
    let tensors = [queries, keys, values];
    let is_tracked_or_narrow = |tensor: &&Tensor| !is_wide(tensor, heads * size);
    let lies_in_rows = |tensor: &&Tensor| tensor.stride().last() == Some(&1);
    if !tensors.iter().any(is_tracked_or_narrow) && tensors.iter().all(lies_in_rows) {
        return attend_in_blocks(queries, keys, values, mask.map(Tensor::contiguous).transpose()?.as_ref());
    }
    if tensors.iter().all(|tensor| is_wide_half(tensor, heads * size)) && mode == Mode::Infer {
        let mask = mask.map(|mask| mask.to_dtype(DType::F32)).transpose()?;
        let (wide_queries, keys, values) = (widened(queries)?, widened(keys)?, widened(values)?);
        let attended = attend_scaled(&wide_queries, &keys, &values, mask.as_ref(), mode)?;
        return rounded(&attended, queries.dtype());
    }
    let key_heads = keys.dim(1)?;
    let groups = heads / key_heads.max(1);
    // The queries of the heads that share keys are read as one longer head: nothing is repeated.
    let queries = queries.contiguous()?.reshape((batch, key_heads, groups * length, size))?;
    // The product reads transposed keys as they lie; copying them would cost more.
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

/// The mask [1, 1, length, length] under which a position sees itself and what came before.
pub fn causal_mask(length: usize, device: &Device) -> Result<Tensor> {
    let mut cells = vec![0.0_f32; length * length];
    for (row, line) in cells.chunks_mut(length.max(1)).enumerate() {
        line[row + 1..].fill(f32::NEG_INFINITY);
    }
    Tensor::from_vec(cells, (1, 1, length, length), device)
}

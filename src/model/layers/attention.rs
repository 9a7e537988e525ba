//! Scaled dot-product attention (Vaswani et al. 2017).

use super::{Mode, softmax_last_dim};
use candle_core::{Device, Result, Tensor};

/// Attention of `queries` [B, heads, T, d] over `keys` and `values` [B, heads, S, d]; gives [B, heads, T, d].
///
/// `mask` is added to the scores and must broadcast to [B, heads, T, S]: 0 where a query may look, -inf where not.
pub fn attend(queries: &Tensor, keys: &Tensor, values: &Tensor, mask: Option<&Tensor>, mode: Mode) -> Result<Tensor> {
    let scale = (queries.dim(3)? as f64).powf(-0.5);
    let queries = (queries * scale)?.contiguous()?;
    // The product reads transposed keys as they lie; copying them would cost more.
    let scores = queries.matmul(&keys.contiguous()?.transpose(2, 3)?)?;
    let scores = match mask {
        Some(mask) => scores.broadcast_add(&mask.to_dtype(scores.dtype())?)?,
        None => scores,
    };
    softmax_last_dim(&scores, mode)?.matmul(&values.contiguous()?)
}

/// The mask [1, 1, length, length] under which a position sees itself and what came before.
pub fn causal_mask(length: usize, device: &Device) -> Result<Tensor> {
    let mut cells = vec![0.0_f32; length * length];
    for (row, line) in cells.chunks_mut(length.max(1)).enumerate() {
        line[row + 1..].fill(f32::NEG_INFINITY);
    }
    Tensor::from_vec(cells, (1, 1, length, length), device)
}

//! Attention of wide models on a CPU, one block of queries at a time: a block's scores stay in the core's cache and are
//! never written to memory (the idea of FlashAttention, Dao et al. 2022, but with complete rows of scores).

use super::cpu_storage::floats;
use super::float_matmul::{Accumulate, MatrixView, Transpose, matmul};
use super::simd;
use candle_core::{CpuStorage, Layout, Result, Storage, Tensor};
use rayon::prelude::*;

/// Queries per block: with a thousand keys their scores take 256 KB.
const QUERIES: usize = 64;

/// A view of a tensor `[B, heads, T, d]` with any strides, except that the last dimension is contiguous.
struct Heads<'a> {
    values: &'a [f32],
    strides: [usize; 3],
    /// T or S.
    length: usize,
    size: usize,
}

impl<'a> Heads<'a> {
    fn new(storage: &'a Storage, layout: &Layout) -> Result<Self> {
        let (_, _, length, size) = layout.shape().dims4()?;
        let (Storage::Cpu(storage), [batch, head, row, 1]) = (storage, layout.stride()) else {
            candle_core::bail!("attention heads have unsupported strides {:?}", layout.stride())
        };
        let values = &storage.as_slice::<f32>()?[layout.start_offset()..];
        Ok(Self { values, strides: [*batch, *head, *row], length, size })
    }

    fn matrix(&self, batch: usize, head: usize, start: usize, rows: usize) -> Result<MatrixView<'a>> {
        let [batch_stride, head_stride, row_stride] = self.strides;
        let offset = batch * batch_stride + head * head_stride + start * row_stride;
        MatrixView::new(self.values.get(offset..).unwrap_or(&[]), rows, self.size, row_stride)
    }
}

/// The additive mask: `[T, S]` for the whole batch, `[B, 1, T, S]`, or `[B, 1, 1, S]` for all queries.
struct Mask<'a> {
    values: &'a [f32],
    per_batch: bool,
    per_query: bool,
}

impl<'a> Mask<'a> {
    fn new(storage: &'a CpuStorage, layout: &Layout, batch: usize, queries: usize, keys: usize) -> Result<Self> {
        let values = floats(storage, layout)?;
        let per_query = *layout.dims() != [batch, 1, 1, keys];
        let cells = if per_query { queries * keys } else { keys };
        if values.len() != cells && values.len() != batch * cells {
            candle_core::bail!("a mask of shape {:?} does not fit scores [{batch}, {queries}, {keys}]", layout.shape())
        }
        Ok(Self { values, per_batch: values.len() != cells, per_query })
    }

    /// The mask rows of `count` queries from `start`, or the single row that applies to all.
    fn lines(&self, batch: usize, queries: usize, keys: usize, start: usize, count: usize) -> &'a [f32] {
        let (queries, start, count) = if self.per_query { (queries, start, count) } else { (1, 0, 1) };
        let first = if self.per_batch { batch * queries } else { 0 } + start;
        &self.values[first * keys..(first + count) * keys]
    }
}

/// `softmax(queries · keysᵀ + mask) · values` with already scaled queries `[B, heads, T, d]` and keys and values
/// `[B, heads / groups, S, d]`. Returns `[B, heads, T, d]`, stored as `[B, T, heads, d]`.
pub(super) fn attend_in_blocks(
    queries: &Tensor,
    keys: &Tensor,
    values: &Tensor,
    mask: Option<&Tensor>,
) -> Result<Tensor> {
    let (batch, heads, length, size) = queries.dims4()?;
    let (_, key_heads, slots, _) = keys.dims4()?;
    let (query_guard, query_layout) = queries.storage_and_layout();
    let (key_guard, key_layout) = keys.storage_and_layout();
    let (value_guard, value_layout) = values.storage_and_layout();
    let queries = Heads::new(&query_guard, query_layout)?;
    let keys = Heads::new(&key_guard, key_layout)?;
    let values = Heads::new(&value_guard, value_layout)?;
    if values.length != slots || key_heads == 0 || !heads.is_multiple_of(key_heads) {
        candle_core::bail!(
            "{heads} query heads do not fit {key_heads} key heads with {slots} keys and {} values",
            values.length
        )
    }
    let mask_guard = mask.map(Tensor::storage_and_layout);
    let mask = match &mask_guard {
        None => None,
        Some((guard, layout)) => {
            let Storage::Cpu(storage) = &**guard else { candle_core::bail!("the mask is on another device") };
            Some(Mask::new(storage, layout, batch, length, slots)?)
        }
    };
    let width = heads * size;
    let mut attended = vec![0.0_f32; batch * length * width];
    let blocks_of_row: Vec<(usize, &mut [f32])> = attended
        .chunks_mut((length * width).max(1))
        .enumerate()
        .flat_map(|(row, lines)| lines.chunks_mut(QUERIES * width).map(move |lines| (row, lines)))
        .collect();
    let blocks = length.div_ceil(QUERIES).max(1);
    blocks_of_row.into_par_iter().enumerate().try_for_each(|(number, (row, lines))| {
        let (start, count) = (number % blocks * QUERIES, lines.len() / width);
        let mask = mask.as_ref().map(|mask| mask.lines(row, length, slots, start, count));
        let visible = mask.map_or(slots, |mask| visible(mask, slots));
        let (mut scores, mut factors) = (vec![0.0_f32; count * visible], vec![0.0_f32; count]);
        for head in 0..heads {
            let key_head = head / (heads / key_heads);
            let queries = queries.matrix(row, head, start, count)?;
            let keys = keys.matrix(row, key_head, 0, visible)?;
            matmul(queries, keys, Transpose::Yes, Accumulate::No, &mut scores, visible)?;
            for ((query, scores), factor) in scores.chunks_mut(visible).enumerate().zip(&mut factors) {
                if let Some(mask) = mask {
                    let line = if mask.len() == slots { 0 } else { query * slots };
                    for (score, hidden) in scores.iter_mut().zip(&mask[line..]) {
                        *score += hidden;
                    }
                }
                *factor = simd::exp_for_softmax(scores);
            }
            let exponentials = MatrixView::new(&scores, count, visible, visible)?;
            let values = values.matrix(row, key_head, 0, visible)?;
            matmul(exponentials, values, Transpose::No, Accumulate::No, &mut lines[head * size..], width)?;
            // Normalising here touches fewer elements than normalising the scores: d < S.
            for (line, factor) in lines.chunks_mut(width).zip(&factors) {
                for value in &mut line[head * size..][..size] {
                    *value *= factor;
                }
            }
        }
        Ok::<(), candle_core::Error>(())
    })?;
    drop((query_guard, key_guard, value_guard));
    Tensor::from_vec(attended, (batch, length, heads, size), &candle_core::Device::Cpu)?.transpose(1, 2)
}

/// Number of keys up to the last that any of these queries sees.
fn visible(mask: &[f32], slots: usize) -> usize {
    let last = |line: &[f32]| line.iter().rposition(|cell| *cell != f32::NEG_INFINITY).map_or(0, |last| last + 1);
    mask.chunks(slots.max(1)).map(last).max().unwrap_or(0).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::layers::{Mode, softmax_last_dim};
    use candle_core::{D, DType, Device};
    use candle_transformers::utils::{build_additive_causal_mask, repeat_kv};

    fn random(shape: (usize, usize, usize, usize)) -> Tensor {
        Tensor::randn(0.0_f32, 1.0, shape, &Device::Cpu).unwrap()
    }

    fn causal_mask(length: usize) -> Tensor {
        build_additive_causal_mask(length, 0, None, &Device::Cpu, DType::F32).unwrap()
    }

    /// The same by candle's composed operations.
    fn composed(queries: &Tensor, keys: &Tensor, values: &Tensor, mask: Option<&Tensor>) -> Tensor {
        let groups = queries.dim(1).unwrap() / keys.dim(1).unwrap();
        let repeated = |heads: &Tensor| repeat_kv(heads.clone(), groups).unwrap();
        let scores = queries.contiguous().unwrap().matmul(&repeated(keys).t().unwrap()).unwrap();
        let scores = mask.map_or(scores.clone(), |mask| scores.broadcast_add(mask).unwrap());
        softmax_last_dim(&scores, Mode::Infer).unwrap().matmul(&repeated(values)).unwrap()
    }

    fn assert_equal(own: &Tensor, expected: &Tensor) {
        assert_eq!(own.dims(), expected.dims());
        let difference = (own - expected).unwrap().abs().unwrap().flatten_all().unwrap().max(D::Minus1).unwrap();
        assert!(difference.to_scalar::<f32>().unwrap() < 1e-5, "{difference}");
    }

    #[test]
    fn blocks_match_composed_attention() {
        // More queries than one block, a partly filled last block, and heads strided as after a linear layer.
        let queries = random((2, 150, 6, 8)).transpose(1, 2).unwrap();
        let (keys, values) = (random((2, 2, 150, 8)), random((2, 150, 2, 8)).transpose(1, 2).unwrap());
        let causal = causal_mask(150);
        let open = Tensor::zeros((1, 1, 150, 150), DType::F32, &Device::Cpu).unwrap();
        let per_row = Tensor::cat(&[&causal, &open], 0).unwrap();
        let filled = Tensor::cat(&[causal.narrow(2, 90, 1).unwrap(), causal.narrow(2, 149, 1).unwrap()], 0).unwrap();
        for mask in [None, Some(causal.squeeze(0).unwrap().squeeze(0).unwrap()), Some(per_row), Some(filled)] {
            let own = attend_in_blocks(&queries, &keys, &values, mask.as_ref()).unwrap();
            assert_equal(&own, &composed(&queries, &keys, &values, mask.as_ref()));
        }
    }

    #[test]
    fn a_continuation_sees_earlier_keys() {
        let (queries, keys) = (random((1, 4, 3, 16)), random((1, 4, 70, 16)));
        let mask = causal_mask(70).narrow(2, 67, 3).unwrap().contiguous().unwrap();
        let own = attend_in_blocks(&queries, &keys, &keys, Some(&mask)).unwrap();
        assert_equal(&own, &composed(&queries, &keys, &keys, Some(&mask)));
    }

    #[test]
    fn mismatched_shapes_are_refused() {
        let (queries, keys) = (random((1, 4, 3, 16)), random((1, 4, 70, 16)));
        assert!(attend_in_blocks(&queries, &random((1, 3, 70, 16)), &keys, None).is_err());
        assert!(attend_in_blocks(&queries, &keys, &random((1, 4, 69, 16)), None).is_err());
        let mask = causal_mask(70);
        assert!(attend_in_blocks(&queries, &keys, &keys, Some(&mask)).is_err());
    }
}

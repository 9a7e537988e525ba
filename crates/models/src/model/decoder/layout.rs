//! Positions and attention masks of padded rows.

use super::rotary::Position;
use candle_core::{DType, Device, Result, Tensor};

/// The slots of one row of a batch, cached ones included; each slot holds a token or padding.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct RowLayout {
    /// True if the slot holds a token rather than padding.
    tokens: Vec<bool>,
    /// RoPE position of each slot; padding has the position of the next token.
    positions: Vec<Position>,
    /// For slots of an image whose tokens attend to each other, one more than the image's first slot; else 0.
    blocks: Vec<usize>,
    /// Position of the next token.
    next: usize,
}

impl RowLayout {
    /// Appends `count` text tokens, or padding if not `token`.
    pub fn extend(&mut self, count: usize, token: bool) {
        for _ in 0..count {
            self.tokens.push(token);
            self.positions.push([self.next; 3]);
            self.blocks.push(0);
            self.next += usize::from(token);
        }
    }

    /// Appends the tokens of an image that attend to each other, whatever their order.
    pub fn extend_block(&mut self, count: usize) {
        let start = self.slots();
        self.extend(count, true);
        self.blocks[start..].fill(start + 1);
    }

    /// Appends the tokens of an image in row-major order. All have the same temporal position, and the following text
    /// continues after the larger of `rows` and `columns` (Qwen2-VL, section 2.1).
    pub fn extend_image(&mut self, rows: usize, columns: usize) {
        let start = self.next;
        for row in 0..rows {
            for column in 0..columns {
                self.tokens.push(true);
                self.positions.push([start, start + row, start + column]);
                self.blocks.push(0);
            }
        }
        self.next += rows.max(columns);
    }

    /// Number of tokens.
    pub fn length(&self) -> usize {
        self.tokens.iter().filter(|token| **token).count()
    }

    /// Position of the next token, which is the sequence length for RoPE scaling.
    pub fn next_position(&self) -> usize {
        self.next
    }

    /// Number of slots.
    pub fn slots(&self) -> usize {
        self.tokens.len()
    }

    /// For each slot, the number of tokens before it.
    pub fn tokens_before(&self) -> Vec<usize> {
        let mut tokens = 0;
        self.tokens
            .iter()
            .map(|token| {
                let before = tokens;
                tokens += usize::from(*token);
                before
            })
            .collect()
    }
}

/// RoPE positions of the last `added` slots: a single row if all rows agree on every token, otherwise one per row.
pub(super) fn rope_positions(rows: &[RowLayout], added: usize) -> Vec<Vec<Position>> {
    let mut positions: Vec<Vec<Position>> = Vec::with_capacity(rows.len());
    for row in rows {
        positions.push(row.positions[row.slots() - added..].to_vec());
    }
    let Some(longest) = positions.iter().max_by_key(|row| row.last().copied()) else {
        return positions;
    };
    // Positions of padding do not matter, so rows padded on the right agree with the longest row.
    let agree = rows.iter().zip(&positions).all(|(row, own)| {
        let tokens = &row.tokens[row.slots() - added..];
        tokens.iter().zip(own.iter().zip(longest)).all(|(token, (position, reference))| !token || position == reference)
    });
    if agree { vec![longest.clone()] } else { positions }
}

/// The additive attention mask of the last `added` slots (T) of each row: 0 for visible keys, -inf for hidden ones;
/// broadcasts to `[B, heads, T, S]`. `None` if nothing is hidden.
///
/// Padding is hidden from later tokens. Padding itself attends to everything before it: its output is never used, but a
/// softmax over -inf alone is undefined. Right padding then needs no mask of its own, and all rows share one.
pub(super) fn attention_mask(
    rows: &[RowLayout],
    added: usize,
    window: Option<usize>,
    dtype: DType,
    device: &Device,
) -> Result<Option<Tensor>> {
    let slots = rows.first().map_or(0, RowLayout::slots);
    let mut masks: Vec<Vec<f32>> = Vec::with_capacity(rows.len());
    for row in rows {
        masks.push(row_mask(row, added, window));
    }
    if masks.iter().flatten().all(|value| *value == 0.0) {
        return Ok(None);
    }
    let shared = masks.windows(2).all(|pair| pair[0] == pair[1]);
    let mask = if shared {
        let values = masks.into_iter().next().unwrap_or_default();
        Tensor::from_vec(values, (added, slots), device)?
    } else {
        let count = masks.len();
        Tensor::from_vec(masks.concat(), (count, 1, added, slots), device)?
    };
    Ok(Some(mask.to_dtype(dtype)?))
}

/// The mask `[added, slots]` of one row, row-major.
fn row_mask(row: &RowLayout, added: usize, window: Option<usize>) -> Vec<f32> {
    let slots = row.slots();
    let before = row.tokens_before();
    let mut mask = vec![f32::NEG_INFINITY; added * slots];
    for query in 0..added {
        let at = slots - added + query;
        for key in 0..=at {
            let in_window = window.is_none_or(|window| before[at] - before[key] < window);
            if in_window && (row.tokens[key] || !row.tokens[at]) {
                mask[query * slots + key] = 0.0;
            }
        }
        // Later tokens of the same image; the window counts backwards only.
        let block = row.blocks[at];
        for key in at + 1..slots {
            if block == 0 || row.blocks[key] != block {
                break;
            }
            mask[query * slots + key] = 0.0;
        }
    }
    mask
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layout(slots: &[bool]) -> RowLayout {
        let mut layout = RowLayout::default();
        for token in slots {
            layout.extend(1, *token);
        }
        layout
    }

    fn visible(mask: &[f32]) -> Vec<u8> {
        mask.iter().map(|value| u8::from(*value == 0.0)).collect()
    }

    #[test]
    fn padding_has_no_position() {
        assert_eq!(layout(&[false, false, true, true]).tokens_before(), [0, 0, 0, 1]);
        assert_eq!(layout(&[true, true, false, true]).tokens_before(), [0, 1, 2, 2]);
    }

    #[test]
    fn left_padding_is_hidden_from_tokens() {
        assert_eq!(visible(&row_mask(&layout(&[false, true, true]), 3, None)), [1, 0, 0, 0, 1, 0, 0, 1, 1]);
    }

    #[test]
    fn padding_between_prompt_and_continuation_is_hidden() {
        assert_eq!(visible(&row_mask(&layout(&[true, false, true]), 1, None)), [1, 0, 1]);
    }

    #[test]
    fn positions_are_shared_where_tokens_agree() {
        let right = [layout(&[true, true, true]), layout(&[true, false, false])];
        assert_eq!(rope_positions(&right, 3), [[[0; 3], [1; 3], [2; 3]]]);
        let left = [layout(&[true, true]), layout(&[false, true])];
        assert_eq!(rope_positions(&left, 2), [[[0; 3], [1; 3]], [[0; 3], [0; 3]]]);
    }

    #[test]
    fn image_tokens_are_a_grid_and_text_continues_after_its_longer_side() {
        let mut row = layout(&[true, true]);
        row.extend_image(2, 3);
        row.extend(1, true);
        let image = [[2, 2, 2], [2, 2, 3], [2, 2, 4], [2, 3, 2], [2, 3, 3], [2, 3, 4]];
        assert_eq!(row.positions, [[[0; 3], [1; 3]].as_slice(), &image, &[[5; 3]]].concat());
        assert_eq!(row.length(), 9);
    }

    #[test]
    fn a_sliding_window_hides_distant_tokens() {
        assert_eq!(visible(&row_mask(&layout(&[true, true, true]), 1, Some(2))), [0, 1, 1]);
    }

    #[test]
    fn tokens_of_an_image_see_each_other_and_a_window_hides_the_earlier_ones() {
        let mut row = layout(&[true]);
        row.extend_block(2);
        row.extend_block(1);
        assert_eq!(visible(&row_mask(&row, 4, None)), [1, 0, 0, 0, 1, 1, 1, 0, 1, 1, 1, 0, 1, 1, 1, 1]);
        assert_eq!(visible(&row_mask(&row, 4, Some(1))), [1, 0, 0, 0, 0, 1, 1, 0, 0, 0, 1, 0, 0, 0, 0, 1]);
    }

    #[test]
    fn right_padded_rows_share_a_mask() {
        let rows = [layout(&[true, true, true]), layout(&[true, false, false])];
        let mask = attention_mask(&rows, 3, None, DType::F32, &Device::Cpu).unwrap().unwrap();
        assert_eq!(mask.dims(), [3, 3]);
    }
}

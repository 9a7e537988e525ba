//! Where the tokens of a padded row lie, the positions they have, and which of them see each other.

use candle_core::{DType, Device, Result, Tensor};

/// The slots of one row of a batch: `true` where a token is, `false` where padding is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct RowLayout(Vec<bool>);

impl RowLayout {
    /// Appends `count` slots, tokens or padding.
    pub fn extend(&mut self, count: usize, token: bool) {
        self.0.extend(std::iter::repeat_n(token, count));
    }

    /// Number of tokens.
    pub fn length(&self) -> usize {
        self.0.iter().filter(|token| **token).count()
    }

    /// Number of slots.
    pub fn slots(&self) -> usize {
        self.0.len()
    }

    /// The position of each slot: the number of tokens before it.
    pub fn positions(&self) -> Vec<usize> {
        let mut tokens = 0;
        self.0
            .iter()
            .map(|token| {
                let position = tokens;
                tokens += usize::from(*token);
                position
            })
            .collect()
    }
}

/// Positions of the last `added` slots: one row for all where the rows agree on every token, else one per row.
pub(super) fn rotation_positions(rows: &[RowLayout], added: usize) -> Vec<Vec<usize>> {
    let mut positions: Vec<Vec<usize>> = Vec::with_capacity(rows.len());
    for row in rows {
        positions.push(row.positions().split_off(row.slots() - added));
    }
    let Some(longest) = positions.iter().max_by_key(|row| row.last().copied()) else {
        return positions;
    };
    // Padding's position does not matter, so rows padded at the right agree with the longest one.
    let agree = rows.iter().zip(&positions).all(|(row, own)| {
        let tokens = &row.0[row.slots() - added..];
        tokens.iter().zip(own.iter().zip(longest)).all(|(token, (position, reference))| !token || position == reference)
    });
    if agree { vec![longest.clone()] } else { positions }
}

/// What is added to attention scores: 0 where a token sees another, else minus infinity. Broadcasts to
/// `[B, heads, T, S]` for the last `added` slots (T) of each row; none if all see all.
///
/// Padding before a row's tokens is hidden from them. What padding itself sees does not matter, as nobody reads it, but
/// it must see something (a row of minus infinities has no softmax), so it sees everything before it; padding at the
/// right end then needs no mask of its own, and all rows share one.
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

/// The mask of one row, `added × slots`, row by row.
fn row_mask(row: &RowLayout, added: usize, window: Option<usize>) -> Vec<f32> {
    let slots = row.slots();
    let positions = row.positions();
    let mut mask = vec![f32::NEG_INFINITY; added * slots];
    for query in 0..added {
        let at = slots - added + query;
        for key in 0..=at {
            let in_window = window.is_none_or(|window| positions[at] - positions[key] < window);
            if in_window && (row.0[key] || !row.0[at]) {
                mask[query * slots + key] = 0.0;
            }
        }
    }
    mask
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layout(slots: &[bool]) -> RowLayout {
        RowLayout(slots.to_vec())
    }

    fn visible(mask: &[f32]) -> Vec<u8> {
        mask.iter().map(|value| u8::from(*value == 0.0)).collect()
    }

    #[test]
    fn padding_takes_no_position() {
        assert_eq!(layout(&[false, false, true, true]).positions(), [0, 0, 0, 1]);
        assert_eq!(layout(&[true, true, false, true]).positions(), [0, 1, 2, 2]);
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
        assert_eq!(rotation_positions(&right, 3), [[0, 1, 2]]);
        let left = [layout(&[true, true]), layout(&[false, true])];
        assert_eq!(rotation_positions(&left, 2), [[0, 1], [0, 0]]);
    }

    #[test]
    fn a_window_hides_what_is_too_far_back() {
        assert_eq!(visible(&row_mask(&layout(&[true, true, true]), 1, Some(2))), [0, 1, 1]);
    }

    #[test]
    fn rows_padded_at_the_right_share_a_mask() {
        let rows = [layout(&[true, true, true]), layout(&[true, false, false])];
        let mask = attention_mask(&rows, 3, None, DType::F32, &Device::Cpu).unwrap().unwrap();
        assert_eq!(mask.dims(), [3, 3]);
    }
}

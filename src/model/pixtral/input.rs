//! What the decoder reads: rows of token ids with the features of their images, padded to one length.

use super::cache::KvCache;
use super::layout::RowLayout;
use candle_core::Tensor;

/// One sequence.
#[derive(Clone, Debug, Default)]
pub struct DecoderRow {
    /// Token ids; every image token stands for one row of `features`.
    pub ids: Vec<u32>,
    /// Projected features of each image in order, `[patches, text hidden]`; gradients flow into them.
    pub features: Vec<Tensor>,
}

impl DecoderRow {
    /// A sequence without images.
    pub fn text(ids: Vec<u32>) -> Self {
        Self { ids, features: Vec::new() }
    }
}

/// Where shorter rows of a batch are filled up. The result is the same; right is faster, as rows share one mask.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PaddingSide {
    Left,
    #[default]
    Right,
}

/// A batch of sequences.
#[derive(Clone, Debug, Default)]
pub struct DecoderInput {
    pub rows: Vec<DecoderRow>,
    pub padding: PaddingSide,
}

impl DecoderInput {
    /// Rows padded at the right.
    pub fn new(rows: Vec<DecoderRow>) -> Self {
        Self { rows, padding: PaddingSide::Right }
    }

    /// Slots per row.
    pub(super) fn width(&self) -> usize {
        self.rows.iter().map(|row| row.ids.len()).max().unwrap_or(0)
    }

    /// The slot of a row's first token.
    pub(super) fn offset(&self, row: &DecoderRow) -> usize {
        match self.padding {
            PaddingSide::Left => self.width() - row.ids.len(),
            PaddingSide::Right => 0,
        }
    }

    /// The slots of all rows after this input follows what `cache` holds.
    pub(super) fn layouts(&self, cache: Option<&KvCache>) -> candle_core::Result<Vec<RowLayout>> {
        let mut layouts = match cache {
            Some(cache) if !cache.rows.is_empty() => cache.rows.clone(),
            _ => vec![RowLayout::default(); self.rows.len()],
        };
        if layouts.len() != self.rows.len() {
            candle_core::bail!("a cache of {} rows cannot continue with {} rows", layouts.len(), self.rows.len())
        }
        let width = self.width();
        for (layout, row) in layouts.iter_mut().zip(&self.rows) {
            let offset = self.offset(row);
            layout.extend(offset, false);
            layout.extend(row.ids.len(), true);
            layout.extend(width - offset - row.ids.len(), false);
        }
        Ok(layouts)
    }
}

/// A token of a [`DecoderInput`]: row, and index within the row's ids (padding not counted).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TokenPlace {
    pub row: usize,
    pub index: usize,
}

/// What the decoder made of a [`DecoderInput`].
#[derive(Clone, Debug)]
pub struct Decoded {
    /// `[B, T, hidden]`, before the final norm; slots of padding hold nothing of use.
    pub hidden: Tensor,
    /// The slot of each row's first token.
    pub(super) offsets: Vec<usize>,
    /// The number of tokens of each row.
    pub(super) lengths: Vec<usize>,
}

impl Decoded {
    /// The last token of every row.
    pub fn last_places(&self) -> Vec<TokenPlace> {
        let last = |(row, length): (usize, &usize)| TokenPlace { row, index: length.saturating_sub(1) };
        self.lengths.iter().enumerate().map(last).collect()
    }
}

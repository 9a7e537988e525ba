//! What the decoder reads: rows of token ids with the features of their images, padded to one length.

use super::cache::KvCache;
use super::layout::RowLayout;
use candle_core::Tensor;

/// One sequence.
#[derive(Clone, Debug, Default)]
pub struct DecoderRow {
    /// Token ids; every image token stands for one row of `features`.
    pub ids: Vec<u32>,
    /// Projected features of each image in order, `[patches, text hidden]`, or `[rows, columns, text hidden]` where the
    /// decoder turns by rows and columns; gradients flow into them.
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

    /// The slots of all rows after this input follows what `cache` holds. Images lie in rows and columns if `planar`.
    pub(super) fn layouts(
        &self,
        cache: Option<&KvCache>,
        image_token: u32,
        planar: bool,
    ) -> candle_core::Result<Vec<RowLayout>> {
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
            if planar {
                extend_with_images(layout, row, image_token)?;
            } else {
                layout.extend(row.ids.len(), true);
            }
            layout.extend(width - offset - row.ids.len(), false);
        }
        Ok(layouts)
    }
}

/// Appends the tokens of a row; each image's are a rectangle.
fn extend_with_images(layout: &mut RowLayout, row: &DecoderRow, image_token: u32) -> candle_core::Result<()> {
    let mut images = row.features.iter();
    let mut index = 0;
    while index < row.ids.len() {
        if row.ids[index] != image_token {
            layout.extend(1, true);
            index += 1;
            continue;
        }
        let Some(image) = images.next() else { candle_core::bail!("image tokens without an image at token {index}") };
        let (rows, columns, _) = image.dims3()?;
        let tokens = rows * columns;
        let is_whole =
            row.ids.get(index..index + tokens).is_some_and(|run| run.iter().all(|token| *token == image_token));
        if tokens == 0 || !is_whole {
            candle_core::bail!("the {tokens} tokens of an image do not lie together at token {index}")
        }
        layout.extend_image(rows, columns);
        index += tokens;
    }
    Ok(())
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

//! The decoder's input: rows of token ids with the features of their images, padded to one length.

use super::cache::KvCache;
use super::layout::RowLayout;
use candle_core::Tensor;

/// One sequence.
#[derive(Clone, Debug, Default)]
pub struct DecoderRow {
    /// Token ids; each image token stands for one vector of `features`.
    pub ids: Vec<u32>,
    /// Projected features of each image in order: `[tokens, hidden]`, or `[rows, columns, hidden]` for decoders with
    /// M-RoPE. Decoders with DeepStack take further features behind them: (1 + layers) × hidden values per token.
    /// Gradients flow into them.
    pub features: Vec<Tensor>,
}

impl DecoderRow {
    /// A sequence without images.
    pub fn text(ids: Vec<u32>) -> Self {
        Self { ids, features: Vec::new() }
    }
}

/// The side on which shorter rows of a batch are padded. Results are the same; right padding is faster, because all
/// rows share one attention mask.
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
    /// A batch with right padding.
    pub fn new(rows: Vec<DecoderRow>) -> Self {
        Self { rows, padding: PaddingSide::Right }
    }

    /// Padded length of a row.
    pub(super) fn width(&self) -> usize {
        self.rows.iter().map(|row| row.ids.len()).max().unwrap_or(0)
    }

    /// Index of a row's first token in the padded row.
    pub(super) fn offset(&self, row: &DecoderRow) -> usize {
        match self.padding {
            PaddingSide::Left => self.width() - row.ids.len(),
            PaddingSide::Right => 0,
        }
    }

    /// The layout of all rows after this input is appended to `cache`.
    pub(super) fn layouts(
        &self,
        cache: Option<&KvCache>,
        image_token: u32,
        images: ImageLayout,
    ) -> candle_core::Result<Vec<RowLayout>> {
        let mut layouts = match cache {
            Some(cache) if !cache.rows.is_empty() => cache.rows.clone(),
            _ => vec![RowLayout::default(); self.rows.len()],
        };
        if layouts.len() != self.rows.len() {
            candle_core::bail!(
                "a KV cache of {} rows cannot be continued with a batch of {} rows",
                layouts.len(),
                self.rows.len()
            )
        }
        let width = self.width();
        for (layout, row) in layouts.iter_mut().zip(&self.rows) {
            let offset = self.offset(row);
            layout.extend(offset, false);
            match images {
                // What continues a prompt is an answer.
                ImageLayout::Prompt if layout.length() == 0 => layout.extend_block(row.ids.len()),
                ImageLayout::LikeText | ImageLayout::Prompt => layout.extend(row.ids.len(), true),
                ImageLayout::Grid | ImageLayout::Block => extend_with_images(layout, row, image_token, images)?,
            }
            layout.extend(width - offset - row.ids.len(), false);
        }
        Ok(layouts)
    }
}

/// Positions and visibility of an image's tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ImageLayout {
    /// The same as of text.
    LikeText,
    /// Row and column positions (M-RoPE).
    Grid,
    /// The tokens of an image attend to each other (Gemma 3).
    Block,
    /// All tokens of a prompt attend to each other (PaliGemma).
    Prompt,
}

/// Appends the tokens of a row; those of each image must be there as a whole.
fn extend_with_images(
    layout: &mut RowLayout,
    row: &DecoderRow,
    image_token: u32,
    images_are: ImageLayout,
) -> candle_core::Result<()> {
    let mut images = row.features.iter();
    let mut index = 0;
    while index < row.ids.len() {
        if row.ids[index] != image_token {
            layout.extend(1, true);
            index += 1;
            continue;
        }
        let Some(image) = images.next() else { candle_core::bail!("image token at index {index} without an image") };
        let (rows, columns) = match images_are {
            ImageLayout::Grid => (image.dim(0)?, image.dim(1)?),
            ImageLayout::LikeText | ImageLayout::Block | ImageLayout::Prompt => (1, image.dim(0)?),
        };
        let tokens = rows * columns;
        let is_whole =
            row.ids.get(index..index + tokens).is_some_and(|run| run.iter().all(|token| *token == image_token));
        if tokens == 0 || !is_whole {
            candle_core::bail!("expected {tokens} consecutive image tokens at index {index}")
        }
        match images_are {
            ImageLayout::Grid => layout.extend_image(rows, columns),
            ImageLayout::Block => layout.extend_block(tokens),
            ImageLayout::LikeText | ImageLayout::Prompt => layout.extend(tokens, true),
        }
        index += tokens;
    }
    Ok(())
}

/// The position of a token in a [`DecoderInput`]: row of the batch, and index within the row's ids, without padding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TokenIndex {
    pub row: usize,
    pub index: usize,
}

/// The decoder's output for a [`DecoderInput`].
#[derive(Clone, Debug)]
pub struct Decoded {
    /// Hidden states `[B, T, hidden]` before the final norm; those of padding are undefined.
    pub hidden: Tensor,
    /// Index of each row's first token in the padded row.
    pub(super) offsets: Vec<usize>,
    /// The number of tokens of each row.
    pub(super) lengths: Vec<usize>,
}

impl Decoded {
    /// The last token of each row.
    pub fn last_tokens(&self) -> Vec<TokenIndex> {
        let last = |(row, length): (usize, &usize)| TokenIndex { row, index: length.saturating_sub(1) };
        self.lengths.iter().enumerate().map(last).collect()
    }
}

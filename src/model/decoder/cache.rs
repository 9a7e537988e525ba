//! Keys and values of tokens already read, for a batch of rows.

use super::layers::KeysAndValues;
use super::layout::RowLayout;
use candle_core::{Result, Tensor};

/// Filled by [`Decoder::decode`](super::Decoder::decode); reading on from it gives what reading all at once
/// would have given.
#[derive(Clone, Debug, Default)]
pub struct KvCache {
    /// One entry per decoder layer once filled.
    pub(super) layers: Vec<Option<KeysAndValues>>,
    /// One entry per row of the batch once filled.
    pub(super) rows: Vec<RowLayout>,
}

impl KvCache {
    /// An empty cache.
    pub fn new() -> Self {
        Self::default()
    }

    /// Tokens read so far in a row, padding left out; 0 for a row that is not there.
    pub fn length(&self, row: usize) -> usize {
        self.rows.get(row).map_or(0, RowLayout::length)
    }

    /// A cache whose rows are the given rows of this one, which may be repeated: continuations branch from it. Each
    /// index must be below the number of rows.
    pub fn select(&self, rows: &[usize]) -> Result<Self> {
        let mut layouts = Vec::with_capacity(rows.len());
        for row in rows {
            let Some(layout) = self.rows.get(*row) else {
                candle_core::bail!("row {row} of a cache of {} rows", self.rows.len())
            };
            layouts.push(layout.clone());
        }
        let indices: Vec<u32> = rows.iter().map(|row| *row as u32).collect();
        let mut layers = Vec::with_capacity(self.layers.len());
        for layer in &self.layers {
            let Some((keys, values)) = layer else {
                layers.push(None);
                continue;
            };
            let indices = Tensor::new(indices.as_slice(), keys.device())?;
            layers.push(Some((keys.index_select(&indices, 0)?, values.index_select(&indices, 0)?)));
        }
        Ok(Self { layers, rows: layouts })
    }
}

//! The KV cache: keys and values of tokens already processed, for a batch of rows.

use super::layers::KeysAndValues;
use super::layout::RowLayout;
use candle_core::{Result, Tensor};

/// A KV cache. [`Decoder::decode`](super::Decoder::decode) fills it; continuing from it gives the same result as decoding
/// the whole sequence at once.
#[derive(Clone, Debug, Default)]
pub struct KvCache {
    /// One entry per decoder layer, or empty before the prefill.
    pub(super) layers: Vec<Option<KeysAndValues>>,
    /// One entry per row of the batch, or empty before the prefill.
    pub(super) rows: Vec<RowLayout>,
}

impl KvCache {
    /// An empty cache.
    pub fn new() -> Self {
        Self::default()
    }

    /// Number of cached tokens of a row, without padding; 0 if there is no such row.
    pub fn length(&self, row: usize) -> usize {
        self.rows.get(row).map_or(0, RowLayout::length)
    }

    /// A cache with the given rows of this one. A row may be repeated, to continue it in several ways.
    ///
    /// # Errors
    /// Fails if there is no such row.
    pub fn select(&self, rows: &[usize]) -> Result<Self> {
        let mut layouts = Vec::with_capacity(rows.len());
        for row in rows {
            let Some(layout) = self.rows.get(*row) else {
                candle_core::bail!("the KV cache has no row {row}, only {} rows", self.rows.len())
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

    /// Concatenates caches along the batch dimension; shorter ones are padded.
    pub fn join(caches: &[&Self]) -> Result<Self> {
        let rows = caches.iter().flat_map(|cache| &cache.rows);
        let slots = rows.clone().map(RowLayout::slots).max().unwrap_or(0);
        let mut rows: Vec<RowLayout> = rows.cloned().collect();
        for row in &mut rows {
            row.extend(slots - row.slots(), false);
        }
        let mut layers = Vec::new();
        for layer in 0..caches.first().map_or(0, |cache| cache.layers.len()) {
            let (mut keys, mut values) = (Vec::new(), Vec::new());
            for cache in caches {
                let Some(Some((key, value))) = cache.layers.get(layer) else {
                    candle_core::bail!("cannot join KV caches: one of them lacks layer {layer}")
                };
                let missing = slots - key.dim(2)?;
                keys.push(key.pad_with_zeros(2, 0, missing)?);
                values.push(value.pad_with_zeros(2, 0, missing)?);
            }
            layers.push(Some((Tensor::cat(&keys, 0)?, Tensor::cat(&values, 0)?)));
        }
        Ok(Self { layers, rows })
    }

    /// Size of keys and values in bytes.
    pub fn bytes(&self) -> usize {
        let tensors = self.layers.iter().flatten().flat_map(|(keys, values)| [keys, values]);
        tensors.map(|tensor| tensor.elem_count() * tensor.dtype().size_in_bytes()).sum()
    }
}

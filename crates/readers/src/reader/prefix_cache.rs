//! Prefix cache: the KV cache of a prompt up to its second image is reused. If a template puts the document first, all
//! queries share the prefix of a document; if it puts the query first, all its documents share the prefix of a query. Questions
//! about the labels of a set share a longer one, up to the label.

use anyhow::{Context, Result};
use dissent_core::files::fingerprint::Fingerprint;
use dissent_core::lru::LruCache;
use dissent_models::model::decoder::{Decoder, DecoderInput, DecoderRow, KvCache};
use std::collections::HashMap;

/// Capacity in bytes of keys and values: 30 to 60 documents for a reader of half a billion parameters.
const CAPACITY: usize = 256 << 20;

/// The prefix of a prompt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Prefix {
    /// Length in tokens; at least one token follows.
    pub length: usize,
    /// Tokens up to the end of the first image.
    first_image_end: usize,
    image: Fingerprint,
    /// Number of images in it.
    images: usize,
    key: Fingerprint,
}

impl Prefix {
    /// The prefix of `row`, whose first image has the fingerprint `image`; `None` if there is no second image.
    pub fn of(row: &DecoderRow, image: &Fingerprint, decoder: &Decoder) -> Option<Self> {
        let length = decoder.second_image_of(row)?;
        let first_image = row.ids[..length].iter().rposition(|id| *id == decoder.image_token())?;
        Some(Self::of_length(row, length, first_image + 1, image))
    }

    fn of_length(row: &DecoderRow, length: usize, first_image_end: usize, image: &Fingerprint) -> Self {
        let ids: Vec<String> = row.ids[..length].iter().map(ToString::to_string).collect();
        let key = Fingerprint::of_parts([image.as_str(), &ids.join(" ")]);
        Self { length, first_image_end, image: image.clone(), images: 1, key }
    }

    /// What all these prompts with the same images begin with, if it holds all their images; `None` if not, or without an
    /// image.
    pub fn with_all_images(rows: &[&DecoderRow], images: &[Fingerprint], image_token: u32) -> Option<Self> {
        let (first, first_image) = (rows.first()?, images.first()?);
        let mut length = first.ids.len();
        for row in rows {
            let same = first.ids.iter().zip(&row.ids).take_while(|(one, other)| one == other).count();
            // At least one token follows the prefix.
            length = length.min(same).min(row.ids.len() - 1);
        }
        let last_image = first.ids.iter().rposition(|id| *id == image_token)?;
        if length <= last_image {
            return None;
        }
        let ids: Vec<String> = first.ids[..length].iter().map(ToString::to_string).collect();
        let ids = ids.join(" ");
        let key = Fingerprint::of_parts(images.iter().map(Fingerprint::as_str).chain(["all images", ids.as_str()]));
        Some(Self { length, first_image_end: last_image + 1, image: first_image.clone(), images: images.len(), key })
    }

    /// What all these rows begin with, if they differ before their second image but not up to the end of their first.
    pub fn shared_by(rows: &[(&DecoderRow, &Self)]) -> Option<Self> {
        let (first_row, first) = rows.first()?;
        if rows.iter().all(|(_, beginning)| beginning.key == first.key) {
            return None;
        }
        let mut length = first.length;
        for (row, beginning) in rows {
            if beginning.image != first.image {
                return None;
            }
            let same = first_row.ids.iter().zip(&row.ids).take_while(|(a, b)| a == b).count();
            length = length.min(same).min(beginning.length);
        }
        let holds_image = length >= first.first_image_end;
        holds_image.then(|| Self::of_length(first_row, length, first.first_image_end, &first.image))
    }

    fn of_row(&self, row: &DecoderRow) -> DecoderRow {
        DecoderRow { ids: row.ids[..self.length].to_vec(), features: row.features[..self.images].to_vec() }
    }

    /// The part of `row` after the prefix.
    pub fn rest_of(&self, row: &DecoderRow) -> DecoderRow {
        DecoderRow { ids: row.ids[self.length..].to_vec(), features: row.features[self.images..].to_vec() }
    }
}

/// The KV caches of recent prefixes.
pub(super) struct PrefixCache {
    recent: LruCache<Fingerprint, KvCache>,
}

impl PrefixCache {
    pub fn new() -> Self {
        Self { recent: LruCache::new(CAPACITY) }
    }

    /// A KV cache that holds the prefix of each row; unknown prefixes are read in one batch.
    pub fn read(&mut self, decoder: &Decoder, rows: &[(&DecoderRow, &Prefix)]) -> Result<KvCache> {
        let mut known: HashMap<&Fingerprint, KvCache> = HashMap::new();
        let mut unknown: Vec<&(&DecoderRow, &Prefix)> = Vec::new();
        for row in rows {
            let key = &row.1.key;
            if known.contains_key(key) || unknown.iter().any(|(_, prefix)| prefix.key == *key) {
                continue;
            }
            match self.recent.get(key) {
                Some(cache) => {
                    known.insert(key, cache.clone());
                }
                None => unknown.push(row),
            }
        }
        if !unknown.is_empty() {
            let mut cache = KvCache::new();
            let input = unknown.iter().map(|(row, prefix)| prefix.of_row(row)).collect();
            decoder.decode(&DecoderInput::new(input), Some(&mut cache))?;
            for (number, (_, prefix)) in unknown.iter().enumerate() {
                // Copied, because a view would keep the whole batch in memory.
                let own = cache.select(&[number])?;
                self.recent.insert(prefix.key.clone(), own.clone(), own.bytes());
                known.insert(&prefix.key, own);
            }
        }
        let mut caches = Vec::with_capacity(rows.len());
        for (_, prefix) in rows {
            caches.push(known.get(&prefix.key).context("the prefix of a prompt was not read")?);
        }
        Ok(KvCache::join(&caches)?)
    }
}

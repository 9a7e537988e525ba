//! The reader in this process: a vision-language model over candle. Labels are scored from one prefill; only open
//! answers are generated.

use super::candle_generation::generated;
use super::data_parallel::{DataParallel, suits_data_parallel};
use super::label_tokens::LabelTokens;
use super::prefix_cache::{Prefix, PrefixCache};
use super::vision_cache::{ImageFeatures, VisionCache};
use super::{InputContributions, PromptPiece, ReadRequest, Reader, ReaderError};
use anyhow::{Context, Result};
use candle_core::{D, DType, Device, Tensor};
use dissent_core::data::{LabelIndex, Picture};
use dissent_core::files::fingerprint::Fingerprint;
use dissent_core::run::LabelScores;
use dissent_models::model::decoder::{Decoded, DecoderInput, DecoderRow, KvCache, TokenIndex};
use dissent_models::model::device_error::explained;
use dissent_models::model::reader_family::{ReaderFamily, load_reader};
use dissent_models::model::vlm::{ContentPart, ReaderCheckpoint};
use std::collections::HashMap;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

/// Number of requests whose images are encoded together.
const REQUESTS_PER_GROUP: usize = 8;
/// Most requests with the same images that are prepared together.
const MOST_REQUESTS_PER_GROUP: usize = 128;
/// Most tokens in one prefill on a CPU: more save no time there and delay a cancellation.
const TOKENS_PER_BATCH_CPU: usize = 2048;
/// Most tokens in one prefill on a GPU.
const TOKENS_PER_BATCH_GPU: usize = 16384;

/// A checkpoint that scores labels.
pub struct CandleReader {
    pub(super) checkpoint: ReaderCheckpoint,
    pub(super) dtype: DType,
    fingerprint: Fingerprint,
    pub(super) images: VisionCache,
    /// Used by one batch at a time; unused if batches are split among threads.
    prefixes: Mutex<PrefixCache>,
    pub(super) data_parallel: DataParallel,
    tokens_per_batch: usize,
}

/// A prompt and the tokens of its labels.
pub(super) struct Prepared {
    pub row: DecoderRow,
    /// The prefix that other prompts may share; `None` if the prompt is read as a whole.
    prefix: Option<Prefix>,
    pub labels: LabelTokens,
    /// Fingerprints of the images, in the order of the prompt.
    images: Vec<Fingerprint>,
    /// Whether neighbours ask about other labels with the same images: their prefix holds all images.
    is_in_run: bool,
    /// Most tokens of an answer in words.
    most_tokens: usize,
}

impl CandleReader {
    /// Loads the checkpoint `folder`.
    ///
    /// # Errors
    /// Fails as [`load_reader`] does.
    pub fn load(folder: &Path, device: &Device, dtype: DType) -> Result<Self> {
        Self::load_with(folder, None, device, dtype)
    }

    /// Loads the checkpoint `folder` and merges the adapter in another folder into it.
    ///
    /// # Errors
    /// Fails as [`load_reader`] does.
    pub fn load_with(folder: &Path, adapter: Option<&Path>, device: &Device, dtype: DType) -> Result<Self> {
        let checkpoint = load_reader(folder, adapter, device, dtype).map_err(explained)?;
        Self::new(checkpoint, dtype)
    }

    /// A reader over a loaded checkpoint with this dtype.
    ///
    /// # Errors
    /// Fails if the system cannot start threads.
    pub fn new(checkpoint: impl Into<ReaderCheckpoint>, dtype: DType) -> Result<Self> {
        let checkpoint = checkpoint.into();
        // Rounding changes answers, so the dtype is part of the fingerprint.
        let fingerprint = Fingerprint::of_parts([checkpoint.fingerprint.as_str(), dtype.as_str()]);
        let decoder = checkpoint.model.decoder();
        let on_cpu = decoder.device().is_cpu();
        let tokens_per_batch = if on_cpu { TOKENS_PER_BATCH_CPU } else { TOKENS_PER_BATCH_GPU };
        let data_parallel = DataParallel::for_model(decoder.config().hidden, on_cpu)?;
        let (images, prefixes) = (VisionCache::new(), Mutex::new(PrefixCache::new()));
        Ok(Self { checkpoint, dtype, fingerprint, images, prefixes, data_parallel, tokens_per_batch })
    }

    /// True if batches for the checkpoint in `folder` are split among the cores of a CPU. Then one thread per kernel
    /// (`RAYON_NUM_THREADS=1`, read by candle when it starts) is fastest.
    ///
    /// # Errors
    /// Fails if its `config.json` cannot be read.
    pub fn is_data_parallel(folder: &Path) -> Result<bool> {
        Ok(suits_data_parallel(ReaderFamily::of(folder)?.text_hidden(folder)?))
    }

    /// Fingerprint of the checkpoint, without the dtype.
    pub fn checkpoint_fingerprint(&self) -> &Fingerprint {
        &self.checkpoint.fingerprint
    }

    /// Remarks for the user about the checkpoint.
    pub fn notes(&self) -> &[String] {
        &self.checkpoint.notes
    }

    /// Applies `of_batch` to all prompts, in batches as large as memory allows.
    pub(super) fn in_batches<R: Send>(
        &mut self,
        requests: &[ReadRequest],
        of_batch: impl Fn(&Self, &[Prepared]) -> Result<Vec<R>> + Sync,
        cancelled: &dyn Fn() -> bool,
    ) -> Result<Vec<R>, ReaderError> {
        let mut results = Vec::with_capacity(requests.len());
        for group in groups_of(requests) {
            if cancelled() {
                return Err(ReaderError::Cancelled);
            }
            let pictures = pictures_of(group);
            let features =
                self.images.features_of(&*self.checkpoint.model, self.dtype, &self.data_parallel, &pictures)?;
            let mut prepared = Vec::with_capacity(group.len());
            for request in group {
                prepared.push(self.prepare(request, &features)?);
            }
            share_prefix(&mut prepared);
            let decoder = self.checkpoint.model.decoder();
            if decoder.reads_in_parts() {
                share_long_prefixes(group, &mut prepared, decoder.image_token());
            }
            for batch in batches(&prepared, self.tokens_per_batch) {
                if cancelled() {
                    return Err(ReaderError::Cancelled);
                }
                results.extend(self.data_parallel.run(batch, |share| of_batch(self, share))?);
            }
        }
        Ok(results)
    }

    pub(super) fn prepare(
        &self,
        request: &ReadRequest,
        features: &HashMap<Fingerprint, ImageFeatures>,
    ) -> Result<Prepared> {
        let features_of = |picture: &Picture| {
            let known = features.get(&picture.fingerprint);
            known.with_context(|| format!("{} was not encoded", picture.path.display()))
        };
        let document = request.evidence.as_ref().and_then(|evidence| evidence.image.as_ref());
        let prompt = request.prompt()?;
        let mut pieces = Vec::with_capacity(prompt.len());
        let mut images = Vec::new();
        let mut first_image = None;
        for piece in &prompt {
            let picture = match piece {
                PromptPiece::Text(text) => {
                    pieces.push(ContentPart::Text(text));
                    continue;
                }
                PromptPiece::QueryImage => &request.query,
                PromptPiece::DocumentImage => document.context("a closed-book prompt has no document image")?,
            };
            let image = features_of(picture)?;
            first_image.get_or_insert(&picture.fingerprint);
            pieces.push(ContentPart::Image(image.grid));
            images.push(image.features.clone());
        }
        let ids = self.checkpoint.model.encode(&pieces)?;
        let labels = LabelTokens::of(&request.task.labels, &*self.checkpoint.model)
            .with_context(|| format!("task {}", request.task.id))?;
        let row = DecoderRow { ids, features: images };
        let decoder = self.checkpoint.model.decoder();
        // With split batches the prefix cache saves little, and additional passes cost more.
        let prefix = first_image.filter(|_| self.data_parallel.is_empty());
        let prefix = prefix.and_then(|image| Prefix::of(&row, image, decoder));
        let images = row_images(request, &prompt);
        Ok(Prepared { row, prefix, labels, images, is_in_run: false, most_tokens: request.most_tokens() })
    }

    fn answers_of_batch(&self, batch: &[Prepared]) -> Result<Vec<String>> {
        let most_tokens: Vec<usize> = batch.iter().map(|prepared| prepared.most_tokens).collect();
        let rows = batch.iter().map(|prepared| prepared.row.clone()).collect();
        generated(&*self.checkpoint.model, rows, &most_tokens)
    }

    /// Adds the name of the reader to an error.
    pub(super) fn named(&self, error: ReaderError) -> ReaderError {
        match error {
            ReaderError::Cancelled => ReaderError::Cancelled,
            ReaderError::Failed(error) => {
                ReaderError::Failed(explained(error).context(format!("reader {}", self.checkpoint.name)))
            }
        }
    }

    fn score_batch(&self, batch: &[Prepared]) -> Result<Vec<LabelScores>> {
        let needs_whole_labels = batch.iter().any(|prepared| matches!(prepared.labels, LabelTokens::Whole(_)));
        let (decoded, cache) = self.decode_prompts(batch, needs_whole_labels)?;
        let decoder = self.checkpoint.model.decoder();
        let after_prompt = log_probabilities(&decoder.logits(&decoded, &decoded.last_tokens())?)?;
        let mut scores: Vec<Vec<f32>> = Vec::with_capacity(batch.len());
        for (prepared, after_prompt) in batch.iter().zip(&after_prompt) {
            scores.push(match &prepared.labels {
                LabelTokens::First(first) => first.iter().map(|token| at(after_prompt, *token)).collect(),
                LabelTokens::Whole(labels) => labels.iter().map(|tokens| at(after_prompt, tokens[0])).collect(),
            });
        }
        if let Some(cache) = cache.filter(|_| needs_whole_labels) {
            self.add_later_tokens(batch, &cache, &mut scores)?;
        }
        Ok(scores.into_iter().map(LabelScores::exact).collect())
    }

    /// Decodes the prompts of a batch, from their prefixes where they have one. The cache holds them for their labels if it is
    /// kept or there were prefixes.
    pub(super) fn decode_prompts(&self, batch: &[Prepared], keep: bool) -> Result<(Decoded, Option<KvCache>)> {
        let begun = self.read_prefixes(batch)?;
        let rest_of = |prepared: &Prepared| match &prepared.prefix {
            Some(prefix) if begun.is_some() => prefix.rest_of(&prepared.row),
            _ => prepared.row.clone(),
        };
        let input = DecoderInput::new(batch.iter().map(rest_of).collect());
        let mut cache = begun.or_else(|| keep.then(KvCache::new));
        let decoded = self.checkpoint.model.decoder().decode(&input, cache.as_mut())?;
        Ok((decoded, cache))
    }

    /// A KV cache that holds the prefixes of a batch, if all its prompts have one.
    fn read_prefixes(&self, batch: &[Prepared]) -> Result<Option<KvCache>> {
        let mut rows = Vec::with_capacity(batch.len());
        for prepared in batch {
            let Some(prefix) = &prepared.prefix else { return Ok(None) };
            rows.push((&prepared.row, prefix));
        }
        if !self.data_parallel.is_empty() {
            // Parts of a batch run at once, so each has a cache of its own.
            return Ok(Some(PrefixCache::new().read(self.checkpoint.model.decoder(), &rows)?));
        }
        let mut prefixes = self.prefixes.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(Some(prefixes.read(self.checkpoint.model.decoder(), &rows)?))
    }

    /// Adds to `scores[prompt][label]` the log-probabilities of the tokens after each label's first, given those before
    /// them. Every label continues the prompt in the cache; all labels are one batch.
    fn add_later_tokens(&self, batch: &[Prepared], cache: &KvCache, scores: &mut [Vec<f32>]) -> Result<()> {
        let mut rows = Vec::new();
        let mut from = Vec::new();
        let mut places = Vec::new();
        // Row and label of each position, and the token expected there.
        let mut wanted = Vec::new();
        for (number, prepared) in batch.iter().enumerate() {
            let LabelTokens::Whole(labels) = &prepared.labels else { continue };
            for (label, tokens) in labels.iter().enumerate() {
                let Some((_, before_last)) = tokens.split_last() else { continue };
                if before_last.is_empty() {
                    continue;
                }
                for index in 0..before_last.len() {
                    places.push(TokenIndex { row: rows.len(), index });
                    wanted.push((number, label, tokens[index + 1]));
                }
                rows.push(DecoderRow::text(before_last.to_vec()));
                from.push(number);
            }
        }
        if rows.is_empty() {
            return Ok(());
        }
        let decoder = self.checkpoint.model.decoder();
        let mut branches = cache.select(&from)?;
        let decoded = decoder.decode(&DecoderInput::new(rows), Some(&mut branches))?;
        let log_probabilities = log_probabilities(&decoder.logits(&decoded, &places)?)?;
        for ((number, label, token), distribution) in wanted.into_iter().zip(&log_probabilities) {
            scores[number][label] += at(distribution, token);
        }
        Ok(())
    }
}

impl Reader for CandleReader {
    fn name(&self) -> &str {
        &self.checkpoint.name
    }

    fn fingerprint(&self) -> &Fingerprint {
        &self.fingerprint
    }

    fn score(
        &mut self,
        requests: &[ReadRequest],
        cancelled: &dyn Fn() -> bool,
    ) -> Result<Vec<LabelScores>, ReaderError> {
        let scores = self.in_batches(requests, Self::score_batch, cancelled);
        scores.map_err(|error| self.named(error))
    }

    fn score_variants(
        &mut self,
        requests: &[ReadRequest],
        cancelled: &dyn Fn() -> bool,
    ) -> Result<Vec<LabelScores>, ReaderError> {
        // Caches of their own: what is asked once does not displace what is asked often.
        let images = std::mem::replace(&mut self.images, VisionCache::new());
        let prefixes = std::mem::replace(&mut self.prefixes, Mutex::new(PrefixCache::new()));
        let scores = self.score(requests, cancelled);
        self.images = images;
        self.prefixes = prefixes;
        scores
    }

    fn contributions(
        &mut self,
        request: &ReadRequest,
        answer: LabelIndex,
        runner_up: LabelIndex,
    ) -> Result<InputContributions, ReaderError> {
        let contributions = self.gradient_contributions(request, answer, runner_up);
        contributions.map_err(|error| self.named(ReaderError::Failed(error)))
    }

    fn generate(&mut self, requests: &[ReadRequest], cancelled: &dyn Fn() -> bool) -> Result<Vec<String>, ReaderError> {
        let answers = self.in_batches(requests, Self::answers_of_batch, cancelled);
        answers.map_err(|error| self.named(error))
    }
}

/// Query and document images of these requests.
pub(super) fn pictures_of(requests: &[ReadRequest]) -> Vec<&Picture> {
    let mut pictures: Vec<&Picture> = Vec::new();
    for request in requests {
        pictures.push(&request.query);
        pictures.extend(request.evidence.as_ref().and_then(|evidence| evidence.image.as_deref()));
    }
    pictures
}

/// If all prompts begin with the same image but differ before the second one (a word of the caption is left out), their prefix
/// is what they share.
fn share_prefix(prepared: &mut [Prepared]) {
    let mut begun = Vec::with_capacity(prepared.len());
    for prompt in prepared.iter() {
        let Some(prefix) = &prompt.prefix else { return };
        begun.push((&prompt.row, prefix));
    }
    let Some(shared) = Prefix::shared_by(&begun) else { return };
    for prompt in prepared {
        prompt.prefix = Some(shared.clone());
    }
}

/// Splits requests into groups of about [`REQUESTS_PER_GROUP`]; requests with the same images stay together.
fn groups_of(requests: &[ReadRequest]) -> Vec<&[ReadRequest]> {
    let mut groups = Vec::new();
    let mut start = 0;
    for end in 1..requests.len() {
        let is_full = end - start >= REQUESTS_PER_GROUP;
        if is_full && (end - start >= MOST_REQUESTS_PER_GROUP || !requests[end].shows_the_same(&requests[end - 1])) {
            groups.push(&requests[start..end]);
            start = end;
        }
    }
    if start < requests.len() {
        groups.push(&requests[start..]);
    }
    groups
}

/// Prompts in a row that differ only after their last image, such as questions about the labels of a set, share all that they
/// begin with.
fn share_long_prefixes(requests: &[ReadRequest], prepared: &mut [Prepared], image_token: u32) {
    let mut start = 0;
    for end in 1..=prepared.len() {
        if end < prepared.len() && requests[end].shows_the_same(&requests[start]) {
            continue;
        }
        let run = &mut prepared[start..end];
        start = end;
        if run.len() < 2 || run.iter().any(|prompt| prompt.images != run[0].images) {
            continue;
        }
        let rows: Vec<&DecoderRow> = run.iter().map(|prompt| &prompt.row).collect();
        let Some(shared) = Prefix::with_all_images(&rows, &run[0].images, image_token) else { continue };
        for prompt in run {
            prompt.prefix = Some(shared.clone());
            prompt.is_in_run = true;
        }
    }
}

/// Fingerprints of the images of a prompt, in order.
fn row_images(request: &ReadRequest, prompt: &[PromptPiece]) -> Vec<Fingerprint> {
    let document = request.evidence.as_ref().and_then(|evidence| evidence.image.as_ref());
    let picture = |piece: &PromptPiece| match piece {
        PromptPiece::Text(_) => None,
        PromptPiece::QueryImage => Some(request.query.fingerprint.clone()),
        PromptPiece::DocumentImage => document.map(|image| image.fingerprint.clone()),
    };
    prompt.iter().filter_map(picture).collect()
}

/// Splits prompts into consecutive batches of at most `tokens` tokens with padding, and of at least one prompt. Prompts of a run
/// are not mixed with others, which have no such prefix.
fn batches(prepared: &[Prepared], tokens: usize) -> Vec<&[Prepared]> {
    let mut batches = Vec::new();
    let mut start = 0;
    let mut longest = 0;
    for (position, prompt) in prepared.iter().enumerate() {
        let with_this = prompt.row.ids.len().max(longest);
        let is_too_much = with_this * (position + 1 - start) > tokens;
        if position > start && (is_too_much || prompt.is_in_run != prepared[start].is_in_run) {
            batches.push(&prepared[start..position]);
            start = position;
            longest = 0;
        }
        longest = longest.max(prompt.row.ids.len());
    }
    if start < prepared.len() {
        batches.push(&prepared[start..]);
    }
    batches
}

/// Converts logits `[N, vocabulary]` to log-probabilities, in f32 for any dtype of the model.
fn log_probabilities(logits: &Tensor) -> Result<Vec<Vec<f32>>> {
    let logits = logits.to_dtype(DType::F32)?;
    Ok(candle_nn::ops::log_softmax(&logits, D::Minus1)?.to_vec2()?)
}

/// NaN for a token that is not in the vocabulary; the caller refuses NaN.
fn at(distribution: &[f32], token: u32) -> f32 {
    distribution.get(token as usize).copied().unwrap_or(f32::NAN)
}

//! Greedy decoding over candle: each prompt is prefilled once, then one token is decoded at a time.

use super::generation::{STOP, answer_in};
use anyhow::Result;
use candle_transformers::generation::{LogitsProcessor, Sampling};
use dissent_models::model::decoder::{Decoded, DecoderInput, DecoderRow, KvCache};
use dissent_models::model::vlm::VisionLanguageModel;

/// The answers to a batch of prompts, each of at most as many tokens as `most_tokens` says. Finished answers leave the batch.
pub(super) fn generated(
    model: &dyn VisionLanguageModel,
    prompts: Vec<DecoderRow>,
    most_tokens: &[usize],
) -> Result<Vec<String>> {
    let (decoder, tokenizer) = (model.decoder(), model.tokenizer());
    let mut said: Vec<Vec<u32>> = vec![Vec::new(); prompts.len()];
    // The prompt of each row of the cache.
    let mut open: Vec<usize> = (0..prompts.len()).collect();
    let mut cache = KvCache::new();
    // Decoding is greedy, so the seed is not used.
    let mut sampler = LogitsProcessor::from_sampling(0, Sampling::ArgMax);
    let mut decoded = decoder.decode(&DecoderInput::new(prompts), Some(&mut cache))?;
    loop {
        let mut kept = Vec::new();
        for (row, token) in next_tokens(model, &decoded, &mut sampler)?.into_iter().enumerate() {
            // An image token has no meaning in an answer, since no image follows.
            if tokenizer.is_end(token) || token == decoder.image_token() {
                continue;
            }
            let own = &mut said[open[row]];
            own.push(token);
            let has_room = own.len() < most_tokens[open[row]] && cache.length(row) < decoder.config().positions;
            if has_room && !tokenizer.decode(own)?.contains(STOP) {
                kept.push(row);
            }
        }
        if kept.is_empty() {
            break;
        }
        if kept.len() < open.len() {
            cache = cache.select(&kept)?;
            open = kept.iter().map(|row| open[*row]).collect();
        }
        let last = open.iter().filter_map(|prompt| said[*prompt].last());
        let rows = last.map(|token| DecoderRow::text(vec![*token])).collect();
        decoded = decoder.decode(&DecoderInput::new(rows), Some(&mut cache))?;
    }
    said.iter().map(|tokens| Ok(answer_in(&tokenizer.decode(tokens)?))).collect()
}

/// The next token of each row.
fn next_tokens(model: &dyn VisionLanguageModel, decoded: &Decoded, sampler: &mut LogitsProcessor) -> Result<Vec<u32>> {
    let logits = model.decoder().logits(decoded, &decoded.last_tokens())?;
    (0..logits.dim(0)?).map(|row| Ok(sampler.sample(&logits.get(row)?)?)).collect()
}

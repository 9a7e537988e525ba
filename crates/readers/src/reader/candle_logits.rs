//! What a benchmark asks of a reader beside its scores: the logits that they come from, and how many tokens were read.

use super::candle::{CandleReader, Prepared};
use super::{PromptPiece, ReadRequest, ReaderError};
use anyhow::{Context, Result};
use candle_core::DType;
use dissent_models::model::vlm::ContentPart;

impl CandleReader {
    /// The logits after each prompt, of the whole vocabulary, in order.
    ///
    /// # Errors
    /// Fails as scoring the same requests does.
    pub fn logits(&mut self, requests: &[ReadRequest]) -> Result<Vec<Vec<f32>>, ReaderError> {
        let logits = self.in_batches(requests, Self::logits_of_batch, &|| false);
        logits.map_err(|error| self.named(error))
    }

    /// Tokens of each prompt, those of its images among them, in order.
    ///
    /// # Errors
    /// Fails if a template has a fault or a picture cannot be prepared.
    pub fn prompt_tokens(&self, requests: &[ReadRequest]) -> Result<Vec<usize>> {
        requests.iter().map(|request| self.tokens_of(request)).collect()
    }

    fn tokens_of(&self, request: &ReadRequest) -> Result<usize> {
        let document = request.evidence.as_ref().and_then(|evidence| evidence.image.as_ref());
        let prompt = request.prompt()?;
        let model = &*self.checkpoint.model;
        let mut parts = Vec::with_capacity(prompt.len());
        for piece in &prompt {
            parts.push(match piece {
                PromptPiece::Text(text) => ContentPart::Text(text),
                PromptPiece::QueryImage => ContentPart::Image(model.prepare(&request.query.to_rgb8())?.grid),
                PromptPiece::DocumentImage => {
                    let document = document.context("a closed-book prompt has no document image")?;
                    ContentPart::Image(model.prepare(&document.to_rgb8())?.grid)
                }
            });
        }
        Ok(model.encode(&parts)?.len())
    }

    fn logits_of_batch(&self, batch: &[Prepared]) -> Result<Vec<Vec<f32>>> {
        let (decoded, _) = self.decode_prompts(batch, false)?;
        let logits = self.checkpoint.model.decoder().logits(&decoded, &decoded.last_tokens())?;
        Ok(logits.to_dtype(DType::F32)?.to_vec2()?)
    }
}

//! Integrated gradients for the reader in this process: contributions of caption tokens and image patches.

use super::candle::{CandleReader, pictures_of};
use super::label_tokens::LabelTokens;
use super::vision_cache::ImageFeatures;
use super::{InputContributions, PatchContributions, PromptPiece, ReadRequest};
use anyhow::{Context, Result, bail, ensure};
use dissent_core::data::LabelIndex;
use dissent_models::model::decoder::{Decoder, DecoderRow};
use std::ops::Range;

/// Steps of the path; each is a forward and a backward pass.
const STEPS: usize = 8;

impl CandleReader {
    /// As [`Reader::contributions`](super::Reader::contributions).
    pub(super) fn gradient_contributions(
        &mut self,
        request: &ReadRequest,
        answer: LabelIndex,
        runner_up: LabelIndex,
    ) -> Result<InputContributions> {
        let model = &*self.checkpoint.model;
        let pictures = pictures_of(std::slice::from_ref(request));
        let features = self.images.features_of(model, self.dtype, &self.data_parallel, &pictures)?;
        let prepared = self.prepare(request, &features)?;
        let LabelTokens::First(labels) = &prepared.labels else {
            bail!(
                "task {}: labels begin with the same token, so one gradient does not tell them apart; use occlusion",
                request.task.id
            );
        };
        let token = |label: LabelIndex| labels.get(label).copied().context("there is no such label");
        let (answer, runner_up) = (token(answer)?, token(runner_up)?);
        let row = &prepared.row;
        let images = image_tokens(row, model.decoder());
        let caption = request.evidence.as_ref().and_then(|evidence| evidence.caption.as_deref());
        let caption = caption.map(|caption| self.caption_tokens(row, caption)).transpose()?.unwrap_or_default();
        let mut groups = images.clone();
        groups.push(caption.iter().map(|(_, index)| *index).collect());
        let values = model.decoder().integrated_gradients(row, &groups, (answer, runner_up), STEPS)?;
        let mut contributions = InputContributions {
            caption: caption.into_iter().map(|(range, index)| (range, values[index])).collect(),
            document: None,
            query: None,
        };
        let mut images = images.into_iter();
        for piece in request.prompt()? {
            let (picture, contribution) = match piece {
                PromptPiece::Text(_) => continue,
                PromptPiece::QueryImage => (Some(&request.query), &mut contributions.query),
                PromptPiece::DocumentImage => (
                    request.evidence.as_ref().and_then(|evidence| evidence.image.as_ref()),
                    &mut contributions.document,
                ),
            };
            let features = picture.and_then(|picture| features.get(&picture.fingerprint));
            let tokens = images.next().context("an image has no tokens")?;
            let values = tokens.into_iter().map(|index| values[index]).collect();
            *contribution = features.and_then(|features| patches(features, values));
        }
        Ok(contributions)
    }

    /// The tokens of the caption, with the bytes of it that each stands for.
    fn caption_tokens(&self, row: &DecoderRow, caption: &str) -> Result<Vec<(Range<usize>, usize)>> {
        let model = &*self.checkpoint.model;
        let image_token = model.decoder().image_token();
        // Position in the row and in the text of each token.
        let mut ids = Vec::new();
        let mut places = Vec::new();
        let mut text = String::new();
        for (index, id) in row.ids.iter().enumerate() {
            if *id == image_token {
                continue;
            }
            ids.push(*id);
            let start = text.len();
            text = model.tokenizer().decode(&ids)?;
            places.push((start.min(text.len())..text.len(), index));
        }
        let found = text.find(caption);
        let begins = found.with_context(|| {
            format!("the tokenizer of {} changes the caption, so its tokens have no place in it", self.checkpoint.name)
        })?;
        let ends = begins + caption.len();
        let mut tokens = Vec::new();
        for (place, index) in places {
            let (start, end) = (place.start.max(begins), place.end.min(ends));
            if start < end {
                tokens.push((start - begins..end - begins, index));
            }
        }
        ensure!(!tokens.is_empty() || caption.trim().is_empty(), "the caption has no tokens");
        Ok(tokens)
    }
}

/// Indices of the tokens of each image.
fn image_tokens(row: &DecoderRow, decoder: &Decoder) -> Vec<Vec<usize>> {
    let mut indices =
        row.ids.iter().enumerate().filter(|(_, id)| **id == decoder.image_token()).map(|(index, _)| index);
    row.features.iter().map(|features| indices.by_ref().take(decoder.tokens_of(features)).collect()).collect()
}

/// The values as a grid of patches; `None` for models that cut images into tiles.
fn patches(image: &ImageFeatures, values: Vec<f32>) -> Option<PatchContributions> {
    let (rows, columns) = match image.features.dims3() {
        Ok((rows, columns, _)) => (rows, columns),
        Err(_) => (image.grid.rows, image.grid.columns),
    };
    (rows * columns == values.len() && rows > 0).then_some(PatchContributions { rows, columns, values })
}

//! Training of the decoder: cross entropy on the tokens of the answer, given prompt and images.

use super::samples::{Sample, Samples};
use super::settings::{CheckpointParts, ReaderSettings, ensure_samples, ensure_validation};
use crate::balance::balanced;
use crate::epochs::Objective;
use crate::gradients::{Gradients, sum_over_parts};
use crate::variables::named;
use anyhow::Result;
use candle_core::{D, Device, Tensor, Var};
use candle_nn::ops::log_softmax;
use dissent_core::data::Split;
use dissent_models::model::checkpoint::names_of;
use dissent_models::model::pixtral::{DecoderInput, DecoderRow, PixtralModel, PixtralProcessor, TokenIndex};
use rand::Rng;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// Most samples in a validation after an epoch.
const LARGEST_VALIDATION: usize = 1200;

/// The decoder in training. Image features are stored if the tower is frozen, else computed in each step.
pub struct AnswerLearning<'a> {
    samples: &'a Samples,
    model: &'a PixtralModel,
    weights: Vec<(String, Var)>,
    settings: &'a ReaderSettings,
    images: Images,
    training: Vec<usize>,
    validation: Vec<usize>,
    checkpoint: CheckpointParts<'a>,
}

/// Images in memory, each followed by its augmented copies: tower features `[patches, vision hidden]`, or pixels `[3,
/// H, W]`.
enum Images {
    Features(Vec<Tensor>),
    Pixels(Vec<Tensor>),
}

/// A sample with the chosen view of each of its pictures; view 0 is the picture itself.
struct Seen<'a> {
    sample: &'a Sample,
    views: Vec<usize>,
}

impl<'a> AnswerLearning<'a> {
    /// Encodes all pictures once if the tower is frozen.
    pub fn new(
        samples: &'a Samples,
        model: &'a PixtralModel,
        weights: &[(String, Var)],
        checkpoint: CheckpointParts<'a>,
        processor: &PixtralProcessor,
        settings: &'a ReaderSettings,
    ) -> Result<Self> {
        let training = samples.of_split(Split::Train);
        ensure_samples(training.len(), "to answer")?;
        let mut validation = samples.of_split(Split::Validation);
        ensure_validation(validation.len())?;
        let step = validation.len().div_ceil(LARGEST_VALIDATION).max(1);
        validation = validation.into_iter().step_by(step).collect();
        let mut random = ChaCha8Rng::seed_from_u64(settings.seed);
        let mut pixels = Vec::with_capacity(samples.pictures.len() * (1 + settings.views));
        for picture in &samples.pictures {
            let picture = picture.to_rgb8();
            pixels.push(processor.prepare(&picture)?.pixels);
            for _ in 0..settings.views {
                pixels.push(processor.prepare(&settings.augmentation.apply(&picture, &mut random))?.pixels);
            }
        }
        let images =
            if settings.train_vision { Images::Pixels(pixels) } else { Images::Features(encode(model, &pixels)?) };
        Ok(Self { samples, model, weights: weights.to_vec(), settings, images, training, validation, checkpoint })
    }

    fn features_of(&self, picture: usize, view: usize) -> Result<Tensor> {
        let place = picture * (1 + self.settings.views) + view;
        let features = match &self.images {
            Images::Features(features) => features[place].clone(),
            Images::Pixels(pixels) => self.model.tower_features(&pixels[place].unsqueeze(0)?)?.squeeze(0)?,
        };
        Ok(self.model.project(&features)?)
    }

    /// Log-probabilities `[N, vocabulary]` at every position that predicts an answer token, and the expected tokens.
    fn answer_log_probabilities(&self, samples: &[Seen]) -> Result<(Tensor, Vec<u32>)> {
        let mut rows = Vec::with_capacity(samples.len());
        let mut places = Vec::new();
        let mut wanted = Vec::new();
        for (row, Seen { sample, views }) in samples.iter().enumerate() {
            let mut features = Vec::with_capacity(sample.pictures.len());
            for (picture, view) in sample.pictures.iter().zip(views) {
                features.push(self.features_of(*picture, *view)?);
            }
            let read = sample.ids.len() - 1;
            for index in sample.prompt_length - 1..read {
                places.push(TokenIndex { row, index });
                wanted.push(sample.ids[index + 1]);
            }
            rows.push(DecoderRow { ids: sample.ids[..read].to_vec(), features });
        }
        let decoded = self.model.decode(&DecoderInput::new(rows), None)?;
        let logits = self.model.logits(&decoded, &places)?;
        Ok((log_softmax(&logits, D::Minus1)?, wanted))
    }
}

fn encode(model: &PixtralModel, pixels: &[Tensor]) -> Result<Vec<Tensor>> {
    let mut features = Vec::with_capacity(pixels.len());
    for batch in pixels.chunks(64) {
        let same_size = batch.windows(2).all(|pair| pair[0].dims() == pair[1].dims());
        let groups: Vec<&[Tensor]> = if same_size { vec![batch] } else { batch.chunks(1).collect() };
        for group in groups {
            let encoded = model.tower_features(&Tensor::stack(group, 0)?)?.detach();
            for place in 0..group.len() {
                features.push(encoded.get(place)?.contiguous()?);
            }
        }
    }
    Ok(features)
}

impl Objective for AnswerLearning<'_> {
    fn name(&self) -> &'static str {
        "reader-answers"
    }

    /// All samples with a document, and a random share of the closed-book ones; all closed-book samples if there are no
    /// others.
    fn items(&mut self, random: &mut ChaCha8Rng) -> Vec<usize> {
        let with_document = self.training.iter().any(|&sample| !self.samples.list[sample].closed_book);
        let share = if with_document { self.settings.closed_book_share } else { 1.0 };
        let mut is_wanted = |sample: &usize| !self.samples.list[*sample].closed_book || random.random::<f64>() < share;
        let wanted: Vec<usize> = self.training.iter().copied().filter(&mut is_wanted).collect();
        if !self.settings.balance {
            return wanted;
        }
        let class_of = |item: usize| {
            let sample = &self.samples.list[item];
            // All text answers form one class.
            (sample.task, sample.label.unwrap_or(0))
        };
        balanced(&wanted, class_of, random)
    }

    fn backward(&mut self, items: &[usize], random: &mut ChaCha8Rng) -> Result<(f64, Gradients)> {
        let mut batch = Vec::with_capacity(items.len());
        for &item in items {
            let sample = &self.samples.list[item];
            let mut draw = |_: &usize| {
                if self.settings.views == 0 { 0 } else { random.random_range(0..=self.settings.views) }
            };
            batch.push(Seen { sample, views: sample.pictures.iter().map(&mut draw).collect() });
        }
        let answer_tokens: usize = batch.iter().map(|seen| seen.sample.ids.len() - seen.sample.prompt_length).sum();
        let parts: Vec<_> = batch.chunks(batch.len().div_ceil(2)).collect();
        sum_over_parts(&parts, |part| {
            let (log_probabilities, wanted) = self.answer_log_probabilities(part)?;
            let wanted = Tensor::new(wanted.as_slice(), &Device::Cpu)?.unsqueeze(1)?;
            let loss = (log_probabilities.gather(&wanted, 1)?.sum_all()? * (-1.0 / answer_tokens as f64))?;
            Ok((f64::from(loss.to_scalar::<f32>()?), Gradients::of_loss(&loss, named(&self.weights))?))
        })
    }

    /// Minus the mean cross entropy of the first answer token; accuracy by task, with and without a document.
    fn validate(&mut self) -> Result<(f64, BTreeMap<String, f64>)> {
        let mut counts: BTreeMap<String, (usize, usize)> = BTreeMap::new();
        let mut loss = 0.0;
        for batch in self.validation.chunks(32) {
            let as_it_is = |&item: &usize| {
                let sample = &self.samples.list[item];
                Seen { sample, views: vec![0; sample.pictures.len()] }
            };
            let samples: Vec<Seen> = batch.iter().map(as_it_is).collect();
            let (log_probabilities, wanted) = self.answer_log_probabilities(&samples)?;
            let rows = log_probabilities.detach().to_vec2::<f32>()?;
            let mut first = 0;
            for Seen { sample, .. } in samples {
                let row = &rows[first];
                loss -= f64::from(row[wanted[first] as usize]);
                first += sample.ids.len() - sample.prompt_length;
                // A text answer has a likelihood, but no accuracy: it is not chosen from labels.
                let Some(label) = sample.label else { continue };
                let tokens = &self.samples.label_tokens[sample.task];
                let mut best = 0;
                for (candidate, token) in tokens.iter().enumerate() {
                    if row[*token as usize] > row[tokens[best] as usize] {
                        best = candidate;
                    }
                }
                let kind = if sample.closed_book { "closed" } else { "document" };
                let count = counts.entry(format!("task_{}_{kind}", sample.task)).or_default();
                count.0 += usize::from(best == label);
                count.1 += 1;
            }
        }
        let figures = counts.into_iter().map(|(name, (right, asked))| (name, right as f64 / asked as f64)).collect();
        Ok((-loss / self.validation.len().max(1) as f64, figures))
    }

    fn checkpoint(&self) -> Option<(PathBuf, Vec<String>)> {
        Some((self.settings.out.clone(), names_of(self.checkpoint.files)))
    }

    fn save(&self, _steps: usize) -> Result<()> {
        self.checkpoint.save(self.settings)
    }
}

//! The image tower learns the labels of the closed-book cases through one linear head per task on the mean of its
//! patches. An untrained decoder gives a tower no useful gradient: trained together from scratch, neither learns to see
//! (measured on the sample's prototype: attribute questions stayed at chance).

use super::samples::Samples;
use super::settings::{CheckpointParts, ReaderSettings, ensure_samples, ensure_validation};
use crate::balance::balanced;
use crate::epochs::Objective;
use crate::gradients::{Gradients, sum_over_parts};
use crate::variables::{named, sorted_variables};
use anyhow::Result;
use candle_core::{D, DType, Device, Module, Tensor, Var};
use candle_nn::VarMap;
use candle_nn::ops::log_softmax;
use dissent_core::data::Split;
use dissent_models::model::checkpoint::names_of;
use dissent_models::model::initialise::seeded_builder;
use dissent_models::model::layers::{Linear, linear};
use dissent_models::model::pixtral::{PixtralModel, PixtralProcessor};
use image::RgbImage;
use rand_chacha::ChaCha8Rng;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// An image with its labels.
struct Labelled {
    picture: usize,
    /// Task and label.
    labels: Vec<(usize, usize)>,
}

/// The tower with its linear heads.
pub struct VisionWarmUp<'a> {
    model: &'a PixtralModel,
    processor: &'a PixtralProcessor,
    settings: &'a ReaderSettings,
    images: Vec<RgbImage>,
    training: Vec<Labelled>,
    validation: Vec<Labelled>,
    heads: Vec<Linear>,
    weights: Vec<(String, Var)>,
    checkpoint: CheckpointParts<'a>,
}

impl<'a> VisionWarmUp<'a> {
    /// Groups the closed-book samples by image.
    pub fn new(
        samples: &Samples,
        model: &'a PixtralModel,
        checkpoint: CheckpointParts<'a>,
        processor: &'a PixtralProcessor,
        settings: &'a ReaderSettings,
    ) -> Result<Self> {
        let width = model.config().vision.hidden;
        let head_variables = VarMap::new();
        let builder = seeded_builder(&head_variables, settings.seed, DType::F32, &Device::Cpu);
        let mut heads = Vec::new();
        for (task, labels) in samples.label_tokens.iter().enumerate() {
            // A task without labels gets an unused head, so that the others keep their numbers.
            heads.push(linear(width, labels.len().max(1), 0.02, &builder.pp(format!("head.{task}")))?);
        }
        let mut weights: Vec<_> = sorted_variables(checkpoint.variables)
            .into_iter()
            .filter(|(name, _)| name.starts_with("vision_tower."))
            .chain(sorted_variables(&head_variables))
            .collect();
        weights.sort_by(|a, b| a.0.cmp(&b.0));
        let training = labelled(samples, Split::Train);
        let validation = labelled(samples, Split::Validation);
        ensure_samples(training.len(), "to see")?;
        ensure_validation(validation.len())?;
        Ok(Self {
            model,
            processor,
            settings,
            images: samples.pictures.iter().map(|picture| picture.to_rgb8()).collect(),
            training,
            validation,
            heads,
            weights,
            checkpoint,
        })
    }

    /// Variables of tower and heads.
    pub fn weights(&self) -> Vec<(String, Var)> {
        self.weights.clone()
    }

    /// Label logits of each task `[B, labels]` for images of one size.
    fn logits(&self, images: &[&RgbImage]) -> Result<Vec<Tensor>> {
        let mut pixels = Vec::with_capacity(images.len());
        for image in images {
            pixels.push(self.processor.prepare(image)?.pixels);
        }
        let pooled = self.model.tower_features(&Tensor::stack(&pixels, 0)?)?.mean(1)?;
        let mut logits = Vec::with_capacity(self.heads.len());
        for head in &self.heads {
            logits.push(head.forward(&pooled)?);
        }
        Ok(logits)
    }
}

fn labelled(samples: &Samples, split: Split) -> Vec<Labelled> {
    let mut by_picture: BTreeMap<usize, Vec<(usize, usize)>> = BTreeMap::new();
    for sample in samples.list.iter().filter(|sample| sample.closed_book && sample.split == split) {
        let Some(label) = sample.label else { continue };
        by_picture.entry(sample.query).or_default().push((sample.task, label));
    }
    by_picture.into_iter().map(|(picture, labels)| Labelled { picture, labels }).collect()
}

impl Objective for VisionWarmUp<'_> {
    fn name(&self) -> &'static str {
        "reader-vision"
    }

    /// The first label of an image is its class for balancing.
    fn items(&mut self, random: &mut ChaCha8Rng) -> Vec<usize> {
        let all: Vec<usize> = (0..self.training.len()).collect();
        if !self.settings.balance {
            return all;
        }
        balanced(&all, |item| self.training[item].labels.first().copied().unwrap_or_default(), random)
    }

    fn backward(&mut self, items: &[usize], random: &mut ChaCha8Rng) -> Result<(f64, Gradients)> {
        let changed = |&item: &usize| {
            let labelled = &self.training[item];
            (self.settings.augmentation.apply(&self.images[labelled.picture], random), labelled)
        };
        let batch: Vec<(RgbImage, &Labelled)> = items.iter().map(changed).collect();
        let answers: usize = batch.iter().map(|(_, labelled)| labelled.labels.len()).sum();
        let parts: Vec<_> = batch.chunks(batch.len().div_ceil(2)).collect();
        sum_over_parts(&parts, |part| {
            let images: Vec<&RgbImage> = part.iter().map(|(image, _)| image).collect();
            let mut loss = Tensor::zeros((), DType::F32, &Device::Cpu)?;
            for (task, logits) in self.logits(&images)?.iter().enumerate() {
                let mut mask = vec![0.0_f32; logits.elem_count()];
                let width = logits.dim(1)?;
                for (row, (_, labelled)) in part.iter().enumerate() {
                    for (_, label) in labelled.labels.iter().filter(|(of, _)| *of == task) {
                        mask[row * width + label] = -1.0 / answers as f32;
                    }
                }
                let mask = Tensor::from_vec(mask, logits.shape(), &Device::Cpu)?;
                loss = (loss + (log_softmax(logits, D::Minus1)? * mask)?.sum_all()?)?;
            }
            Ok((f64::from(loss.to_scalar::<f32>()?), Gradients::of_loss(&loss, named(&self.weights))?))
        })
    }

    /// Share of right labels over all tasks, and for each task.
    fn validate(&mut self) -> Result<(f64, BTreeMap<String, f64>)> {
        let mut right = vec![0_usize; self.heads.len()];
        let mut asked = vec![0_usize; self.heads.len()];
        for batch in self.validation.chunks(64) {
            let images: Vec<&RgbImage> = batch.iter().map(|labelled| &self.images[labelled.picture]).collect();
            let mut chosen = Vec::new();
            for logits in self.logits(&images)? {
                chosen.push(logits.argmax(D::Minus1)?.to_vec1::<u32>()?);
            }
            for (row, labelled) in batch.iter().enumerate() {
                for &(task, label) in &labelled.labels {
                    asked[task] += 1;
                    right[task] += usize::from(chosen[task][row] as usize == label);
                }
            }
        }
        let share = |right: usize, asked: usize| right as f64 / asked.max(1) as f64;
        let mut figures = BTreeMap::new();
        for task in (0..self.heads.len()).filter(|&task| asked[task] > 0) {
            figures.insert(format!("task_{task}"), share(right[task], asked[task]));
        }
        Ok((share(right.iter().sum(), asked.iter().sum()), figures))
    }

    fn checkpoint(&self) -> Option<(PathBuf, Vec<String>)> {
        (self.settings.answers.epochs == 0).then(|| (self.settings.out.clone(), names_of(self.checkpoint.files)))
    }

    /// Saves a whole reader with an untrained decoder, for `--init` of a later run.
    fn save(&self, _steps: usize) -> Result<()> {
        self.checkpoint.save(self.settings)
    }
}

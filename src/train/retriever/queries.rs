//! What heads see of the cases, computed once: the frozen encoder runs over each case a single time.

use crate::data::Dataset;
use crate::model::dual_encoder::DualEncoder;
use crate::retriever::heads::{HeadKind, QueryInputs};
use crate::train::pictures::decode_all;
use anyhow::{Context, Result};
use candle_core::Tensor;
use image::RgbImage;
use std::collections::HashMap;

/// Cases that go through the encoder together.
const BATCH: usize = 64;

/// Inputs of all cases that take part.
pub struct Queries {
    encoder: DualEncoder,
    /// Place of each case in the tensors.
    places: HashMap<usize, u32>,
    base: Tensor,
    pooled: Tensor,
    questions: Option<Tensor>,
    /// At the size that the tower sees; for tower heads only.
    pictures: Option<Vec<RgbImage>>,
}

impl Queries {
    /// Runs the encoder over these cases (positions in `Dataset::cases`).
    ///
    /// # Errors
    /// Where an image cannot be read.
    pub fn of(dataset: &Dataset, encoder: &DualEncoder, kind: HeadKind, cases: &[usize]) -> Result<Self> {
        let paths: Vec<_> = cases.iter().map(|case| dataset.cases[*case].image.as_path()).collect();
        let questions: Vec<&str> = cases.iter().map(|case| dataset.question_of(&dataset.cases[*case])).collect();
        let (mut base, mut pooled, mut asked) = (Vec::new(), Vec::new(), Vec::new());
        let mut kept = Vec::new();
        for (paths, questions) in paths.chunks(BATCH).zip(questions.chunks(BATCH)) {
            let pictures = decode_all(dataset, paths, |image| encoder.processor().resized(image))?;
            let inputs = QueryInputs::of(encoder, kind, &pictures.iter().collect::<Vec<_>>(), questions)?;
            if kind == HeadKind::Tower {
                kept.extend(pictures);
            }
            base.push(inputs.base);
            pooled.push(inputs.pooled);
            asked.extend(inputs.questions);
        }
        Ok(Self {
            encoder: encoder.clone(),
            places: cases.iter().enumerate().map(|(place, case)| (*case, place as u32)).collect(),
            base: Tensor::cat(&base, 0)?,
            pooled: Tensor::cat(&pooled, 0)?,
            questions: if asked.is_empty() { None } else { Some(Tensor::cat(&asked, 0)?) },
            pictures: (kind == HeadKind::Tower).then_some(kept),
        })
    }

    /// The inputs of these cases.
    pub fn inputs(&self, cases: &[usize]) -> Result<QueryInputs> {
        let mut places = Vec::with_capacity(cases.len());
        for case in cases {
            places.push(*self.places.get(case).with_context(|| format!("case number {case} takes no part"))?);
        }
        let pixels = match &self.pictures {
            None => None,
            Some(pictures) => {
                let chosen: Vec<&RgbImage> = places.iter().map(|place| &pictures[*place as usize]).collect();
                Some(self.encoder.pixels(&chosen)?)
            }
        };
        let rows = Tensor::new(places, self.base.device())?;
        Ok(QueryInputs {
            base: self.base.index_select(&rows, 0)?,
            pooled: self.pooled.index_select(&rows, 0)?,
            questions: self.questions.as_ref().map(|questions| questions.index_select(&rows, 0)).transpose()?,
            pixels,
        })
    }
}

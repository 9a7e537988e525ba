//! Inputs of the heads for all cases, computed once: the frozen encoder runs over each case a single time.

use crate::pictures::decode_all;
use anyhow::{Context, Result};
use candle_core::{Device, Tensor};
use dissent_core::data::{Dataset, Picture};
use dissent_models::model::dual_encoder::DualEncoder;
use dissent_retrieval::index::{Embedder, Index};
use dissent_retrieval::retriever::heads::{HeadKind, QueryInputs};
use image::RgbImage;
use std::collections::HashMap;

/// Pictures in memory while a served encoder is asked.
const SERVED_BATCH: usize = 64;

/// Inputs of all cases of the training.
pub struct Queries {
    /// `None` if another program computed the vectors.
    encoder: Option<DualEncoder>,
    /// Row of each case in the tensors.
    places: HashMap<usize, u32>,
    base: Tensor,
    pooled: Tensor,
    questions: Option<Tensor>,
    /// Images at the size that the tower sees; only for tower heads.
    pictures: Option<Vec<RgbImage>>,
}

impl Queries {
    /// Runs the encoder over these cases (positions in `Dataset::cases`).
    ///
    /// # Errors
    /// Fails if an image cannot be read.
    pub fn of(dataset: &Dataset, encoder: &DualEncoder, kind: HeadKind, cases: &[usize]) -> Result<Self> {
        let paths: Vec<_> = cases.iter().map(|case| dataset.cases[*case].image.as_path()).collect();
        let questions: Vec<&str> = cases.iter().map(|case| dataset.question_of(&dataset.cases[*case])).collect();
        let (mut base, mut pooled, mut asked) = (Vec::new(), Vec::new(), Vec::new());
        let mut kept = Vec::new();
        let batch = encoder.processor().pictures_per_batch();
        for (paths, questions) in paths.chunks(batch).zip(questions.chunks(batch)) {
            let pictures = decode_all(dataset, paths, |image| encoder.processor().resized(image))?;
            let pixels = encoder.pixels_of_resized(&pictures.iter().collect::<Vec<_>>())?;
            let inputs = QueryInputs::of(encoder, kind, pixels, questions)?;
            if kind == HeadKind::Tower {
                kept.extend(pictures);
            }
            base.push(inputs.base);
            pooled.push(inputs.pooled);
            asked.extend(inputs.questions);
        }
        Ok(Self {
            encoder: Some(encoder.clone()),
            places: cases.iter().enumerate().map(|(place, case)| (*case, place as u32)).collect(),
            base: Tensor::cat(&base, 0)?,
            pooled: Tensor::cat(&pooled, 0)?,
            questions: if asked.is_empty() { None } else { Some(Tensor::cat(&asked, 0)?) },
            pictures: (kind == HeadKind::Tower).then_some(kept),
        })
    }

    /// Asks a served encoder for the vectors of these cases (positions in `Dataset::cases`).
    ///
    /// # Errors
    /// Fails if an image cannot be read or the server's answer is not usable.
    pub fn served(dataset: &Dataset, encoder: &dyn Embedder, cases: &[usize]) -> Result<Self> {
        let mut values = Vec::with_capacity(cases.len() * encoder.dimension());
        for batch in cases.chunks(SERVED_BATCH) {
            let paths: Vec<_> = batch.iter().map(|case| dataset.cases[*case].image.as_path()).collect();
            let pictures = decode_all(dataset, &paths, RgbImage::clone)?;
            values.extend(encoder.embed_pictures(&pictures.iter().collect::<Vec<_>>())?.into_iter().flatten());
        }
        Self::over(values, encoder.dimension(), cases)
    }

    /// Takes the vectors that another program computed for these cases (positions in `Dataset::cases`).
    ///
    /// # Errors
    /// Fails if a case has no vector, or its image has changed since.
    pub fn given(dataset: &Dataset, index: &Index, cases: &[usize]) -> Result<Self> {
        let mut values = Vec::with_capacity(cases.len() * index.dimension());
        for case in cases {
            let case = &dataset.cases[*case];
            let content = Picture::fingerprint_of(&Picture::read_bytes(&dataset.image_path(&case.image))?);
            values.extend(index.query_vector(&case.id, &content)?);
        }
        Self::over(values, index.dimension(), cases)
    }

    /// Vectors in the order of `cases`, without an encoder in this process.
    fn over(values: Vec<f32>, dimension: usize, cases: &[usize]) -> Result<Self> {
        let vectors = Tensor::from_vec(values, (cases.len(), dimension), &Device::Cpu)?;
        let QueryInputs { base, pooled, questions, .. } = QueryInputs::of_given(vectors);
        let places = cases.iter().enumerate().map(|(place, case)| (*case, place as u32)).collect();
        Ok(Self { encoder: None, places, base, pooled, questions, pictures: None })
    }

    /// The inputs of these cases.
    pub fn inputs(&self, cases: &[usize]) -> Result<QueryInputs> {
        let mut places = Vec::with_capacity(cases.len());
        for case in cases {
            places.push(*self.places.get(case).with_context(|| format!("case number {case} has no queries"))?);
        }
        let pixels = match self.encoder.as_ref().zip(self.pictures.as_ref()) {
            None => None,
            Some((encoder, pictures)) => {
                let chosen: Vec<&RgbImage> = places.iter().map(|place| &pictures[*place as usize]).collect();
                Some(encoder.pixels_of_resized(&chosen)?)
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

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::DType;
    use dissent_core::data::{Case, Manifest, PromptTemplate, Split, Task, TaskKind};
    use std::path::Path;

    /// A copy of the fixture `name` in `folder`, with changed `fields` in its processor.
    fn encoder(name: &str, folder: &Path, fields: &[(&str, serde_json::Value)]) -> DualEncoder {
        let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/dual_encoders").join(name);
        for entry in std::fs::read_dir(fixture).unwrap() {
            let path = entry.unwrap().path();
            std::fs::copy(&path, folder.join(path.file_name().unwrap())).unwrap();
        }
        let path = folder.join("preprocessor_config.json");
        let mut config: serde_json::Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        for (field, value) in fields {
            config[*field] = value.clone();
        }
        std::fs::write(&path, config.to_string()).unwrap();
        DualEncoder::load(folder, &Device::Cpu, DType::F32).unwrap()
    }

    /// One picture is so small that its scale is at its limit; the other is a crop smaller than the shortest edge.
    /// Resizing either a second time would give another picture.
    #[test]
    fn heads_train_on_what_search_sees() {
        let root = tempfile::tempdir().unwrap();
        let image = RgbImage::from_fn(2, 1, |x, _| image::Rgb([250 * x as u8, 90, 30]));
        image.save(root.path().join("a.png")).unwrap();
        let task = Task {
            id: "mass".into(),
            kind: TaskKind::ClosedVqa,
            question: Some("A mass?".into()),
            labels: Vec::new(),
            prompt: PromptTemplate::default(),
        };
        let case = Case {
            id: "a".into(),
            task: "mass".into(),
            split: Split::Test,
            image: "a.png".into(),
            question: None,
            answer: "Yes".into(),
            unknown: Vec::new(),
            group: None,
        };
        let manifest = Manifest::new("small", vec![task]);
        let dataset = Dataset::new(root.path(), manifest, vec![case], Vec::new());
        let cropped = [
            ("size", serde_json::json!({"shortest_edge": 64})),
            ("do_center_crop", serde_json::json!(true)),
            ("crop_size", serde_json::json!({"height": 40, "width": 40})),
        ];
        for (name, fields) in
            [("siglip2_naflex", &[("max_num_patches", serde_json::json!(1024))][..]), ("siglip", &cropped[..])]
        {
            let folder = tempfile::tempdir().unwrap();
            let encoder = encoder(name, folder.path(), fields);
            let inputs = Queries::of(&dataset, &encoder, HeadKind::Tower, &[0]).unwrap().inputs(&[0]).unwrap();
            let values = |tensor: &Tensor| tensor.flatten_all().unwrap().to_vec1::<f32>().unwrap();
            let pixels = encoder.pixels(&[&image]).unwrap();
            assert_eq!(values(inputs.pixels.unwrap().values()), values(pixels.values()), "{name}");
            assert_eq!(values(&inputs.base), encoder.embed_pictures(&[&image]).unwrap()[0], "{name}");
        }
    }
}

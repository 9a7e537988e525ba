//! `dissent train dual-encoder`: CLIP on the captions of a corpus.

use super::augmentation::Augmentation;
use super::contrastive::{caption_targets, contrastive_loss};
use super::epochs::{LoopSettings, Objective, run_epochs};
use super::gradients::{Gradients, died, sum_over_parts};
use super::pictures::decode_all;
use super::session::{EpochReport, Session, SessionSettings};
use super::variables::{named, sorted_variables};
use super::watcher::TrainingWatcher;
use anyhow::{Result, ensure};
use candle_core::{D, DType, Device, Tensor, Var};
use candle_nn::VarMap;
use candle_transformers::models::clip::div_l2_norm;
use dissent_core::data::Dataset;
use dissent_core::panics::caught;
use dissent_models::model::checkpoint::{
    CheckpointFiles, StoredType, Weights, names_of, pretty_json, save_checkpoint, variables_of,
};
use dissent_models::model::clip::{ClipConfig, ClipModel};
use dissent_models::model::dual_encoder::ImageProcessor;
use dissent_models::model::initialise::seeded_builder;
use dissent_models::model::layers::Mode;
use dissent_models::model::tokenizer::{Tokenizer, TokenizerPlan, build_tokenizer_files};
use image::RgbImage;
use rand_chacha::ChaCha8Rng;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// A batch is split into this many parts, one thread each.
const BATCH_PARTS: usize = 2;
/// CLIP's limit on the factor of the cosine similarities (Radford et al. 2021, §2.5).
const LARGEST_LOGIT_SCALE: f64 = 4.605_170_185_988_092;
/// Longest caption in tokens.
const LONGEST_CAPTION: usize = 77;

/// Settings of a training run.
#[derive(Clone, Debug)]
pub struct DualEncoderSettings {
    pub out: PathBuf,
    pub training: LoopSettings,
    pub seed: u64,
    pub shape: ClipShape,
    pub augmentation: Augmentation,
    /// Checkpoint whose image tower is the starting point.
    pub image_tower: Option<PathBuf>,
    pub stored_type: StoredType,
    pub restart: bool,
}

/// Size of the towers.
#[derive(Clone, Copy, Debug)]
pub struct ClipShape {
    /// Side of the image in pixels.
    pub image_size: usize,
    pub patch_size: usize,
    pub layers: usize,
    /// Number of attention heads, each of width 32.
    pub heads: usize,
    pub text_layers: usize,
    /// Length of the vectors.
    pub embedding: usize,
}

/// Data of a training run.
struct Corpus {
    images: Vec<RgbImage>,
    captions: Vec<String>,
    tokens: Vec<Vec<u32>>,
    training: Vec<usize>,
    validation: Vec<usize>,
}

/// Trains and returns the report of the last epoch; `None` if all epochs were already done.
pub fn train_dual_encoder(
    dataset: &Dataset,
    settings: &DualEncoderSettings,
    watcher: &dyn TrainingWatcher,
) -> Result<Option<EpochReport>> {
    settings.training.check()?;
    ensure!(dataset.corpus.len() >= 16, "expected at least 16 documents to train on, found {}", dataset.corpus.len());
    let (mut files, vocabulary) = build_tokenizer_files(
        dataset.corpus.iter().map(|document| document.caption),
        TokenizerPlan { largest_vocabulary: 4000, least_count: 2, longest_text: LONGEST_CAPTION },
    )?;
    let config = config_of(settings.shape, vocabulary);
    config.check().map_err(|reason| anyhow::anyhow!("these sizes make no dual encoder: {reason}"))?;
    let processor = ImageProcessor::clip(settings.shape.image_size as u32);
    let tokenizer = read_back(&files)?;
    files.insert("preprocessor_config.json".into(), pretty_json(&processor.to_json())?);
    let corpus = load_corpus(dataset, &processor, &tokenizer)?;

    let variables = VarMap::new();
    let builder = seeded_builder(&variables, settings.seed, DType::F32, &Device::Cpu);
    let model = ClipModel::new(&config, &builder, Mode::Train)?;
    if let Some(folder) = &settings.image_tower {
        Weights::read(folder)?.load_part_into(&variables, &["vision_model.", "visual_projection."])?;
    }
    let weights = sorted_variables(&variables);
    let mut session = Session::open(session_settings(dataset, settings))?;
    let mut objective = CaptionMatching {
        model,
        processor,
        tokenizer,
        corpus,
        variables,
        weights: weights.clone(),
        config,
        files,
        settings: settings.clone(),
    };
    run_epochs(&mut objective, &weights, &mut session, settings.training, watcher)
}

/// The objective: match each image with its caption.
struct CaptionMatching {
    model: ClipModel,
    processor: ImageProcessor,
    tokenizer: Tokenizer,
    corpus: Corpus,
    variables: VarMap,
    weights: Vec<(String, Var)>,
    config: ClipConfig,
    files: CheckpointFiles,
    settings: DualEncoderSettings,
}

impl Objective for CaptionMatching {
    fn name(&self) -> &'static str {
        "dual-encoder"
    }

    fn items(&mut self, _random: &mut ChaCha8Rng) -> Vec<usize> {
        self.corpus.training.clone()
    }

    fn backward(&mut self, rows: &[usize], random: &mut ChaCha8Rng) -> Result<(f64, Gradients)> {
        let changed = |&row: &usize| self.settings.augmentation.apply(&self.corpus.images[row], random);
        let images: Vec<RgbImage> = rows.iter().map(changed).collect();
        self.backward_of_batch(rows, &images.iter().collect::<Vec<_>>())
    }

    fn after_step(&self) -> Result<()> {
        for (name, variable) in &self.weights {
            if name == "logit_scale" {
                variable.set(&variable.as_tensor().clamp(0.0, LARGEST_LOGIT_SCALE)?)?;
            }
        }
        Ok(())
    }

    /// Validates on the held-out documents in batches of 128. Returns minus the loss, and how often the caption nearest
    /// to an image within its batch is its own or an equal one.
    fn validate(&mut self) -> Result<(f64, BTreeMap<String, f64>)> {
        let (mut loss_sum, mut hits, mut batches) = (0.0, 0, 0);
        for rows in self.corpus.validation.chunks(128) {
            let images: Vec<&RgbImage> = rows.iter().map(|&row| &self.corpus.images[row]).collect();
            let (images, captions) = self.unit_vectors(rows, &images)?;
            let (images, captions) = (images.detach(), captions.detach());
            let texts: Vec<&str> = rows.iter().map(|&row| self.corpus.captions[row].as_str()).collect();
            let targets = caption_targets(&texts, &Device::Cpu)?;
            let scale = self.model.logit_scale().exp()?.detach();
            loss_sum += f64::from(contrastive_loss(&images, &captions, &scale, &targets)?.to_scalar::<f32>()?);
            let nearest = images.matmul(&captions.t()?)?.argmax(D::Minus1)?.to_vec1::<u32>()?;
            hits += nearest.iter().enumerate().filter(|&(row, &column)| texts[row] == texts[column as usize]).count();
            batches += 1;
        }
        let recall = hits as f64 / self.corpus.validation.len().max(1) as f64;
        Ok((-loss_sum / f64::from(batches.max(1)), BTreeMap::from([("recall_at_1_in_batch".into(), recall)])))
    }

    fn checkpoint(&self) -> Option<(PathBuf, Vec<String>)> {
        Some((self.settings.out.clone(), names_of(&self.files)))
    }

    fn save(&self, _steps: usize) -> Result<()> {
        let tensors = variables_of(&self.variables);
        let settings = &self.settings;
        save_checkpoint(&settings.out, &tensors, &self.config.to_json(), &self.files, settings.stored_type)
    }
}

impl CaptionMatching {
    /// Loss of the whole batch and its gradients. The towers run on parts of the batch, one thread each. The loss needs
    /// all vectors, so it is differentiated with respect to the vectors first, and each part then propagates its share
    /// (gradient caching, Gao et al. 2021; exact).
    fn backward_of_batch(&self, rows: &[usize], images: &[&RgbImage]) -> Result<(f64, Gradients)> {
        let weights = &self.weights;
        let size = rows.len().div_ceil(BATCH_PARTS);
        let parts: Vec<(&[usize], &[&RgbImage])> = rows.chunks(size).zip(images.chunks(size)).collect();
        let vectors: Vec<Result<(Tensor, Tensor)>> = std::thread::scope(|scope| {
            let work = |rows, images| caught(|| self.unit_vectors(rows, images));
            let workers: Vec<_> = parts.iter().map(|(rows, images)| scope.spawn(move || work(rows, images))).collect();
            workers
                .into_iter()
                .map(|worker| worker.join().flatten().unwrap_or_else(|panic| Err(died(&*panic))))
                .collect()
        });
        let vectors = vectors.into_iter().collect::<Result<Vec<_>>>()?;

        let stack = |pick: fn(&(Tensor, Tensor)) -> &Tensor| -> Result<Var> {
            let parts: Vec<Tensor> = vectors.iter().map(|pair| pick(pair).detach()).collect();
            Ok(Var::from_tensor(&Tensor::cat(&parts, 0)?)?)
        };
        let (image_vectors, caption_vectors) = (stack(|pair| &pair.0)?, stack(|pair| &pair.1)?);
        let captions: Vec<&str> = rows.iter().map(|&row| self.corpus.captions[row].as_str()).collect();
        let targets = caption_targets(&captions, &Device::Cpu)?;
        let scale = self.model.logit_scale().exp()?;
        let loss = contrastive_loss(image_vectors.as_tensor(), caption_vectors.as_tensor(), &scale, &targets)?;
        let store = loss.backward()?;
        let missing = || anyhow::anyhow!("the contrastive loss gave no gradient");
        let by_image = store.get(image_vectors.as_tensor()).ok_or_else(missing)?.detach();
        let by_caption = store.get(caption_vectors.as_tensor()).ok_or_else(missing)?.detach();
        let mut gradients = Gradients::of_store(&store, named(weights));

        let mut first = 0;
        let mut parts = Vec::new();
        for (images, captions) in vectors {
            let count = images.dim(0)?;
            parts.push((images, captions, by_image.narrow(0, first, count)?, by_caption.narrow(0, first, count)?));
            first += count;
        }
        let (_, towers) = sum_over_parts(&parts, |(images, captions, by_image, by_caption)| {
            let surrogate = ((images * by_image)?.sum_all()? + (captions * by_caption)?.sum_all()?)?;
            Ok((0.0, Gradients::of_loss(&surrogate, named(weights))?))
        })?;
        gradients.add(towers)?;
        Ok((f64::from(loss.to_scalar::<f32>()?), gradients))
    }

    fn unit_vectors(&self, rows: &[usize], images: &[&RgbImage]) -> Result<(Tensor, Tensor)> {
        let pixels = self.processor.pixels(images)?;
        let tokens: Vec<Vec<u32>> = rows.iter().map(|&row| self.corpus.tokens[row].clone()).collect();
        let ids = self.tokenizer.pad(&tokens, &Device::Cpu)?;
        Ok((div_l2_norm(&self.model.image_features(&pixels)?)?, div_l2_norm(&self.model.text_features(&ids)?)?))
    }
}

fn load_corpus(dataset: &Dataset, processor: &ImageProcessor, tokenizer: &Tokenizer) -> Result<Corpus> {
    let paths: Vec<_> = dataset.corpus.iter().map(|document| document.image).collect();
    let images = decode_all(dataset, &paths, |image| processor.resized(image))?;
    let captions: Vec<String> = dataset.corpus.iter().map(|document| document.caption.to_owned()).collect();
    let texts: Vec<&str> = captions.iter().map(String::as_str).collect();
    let tokens = tokenizer.encode(&texts)?;
    // Holds out every twentieth document, at most 1024 and at least two: with one caption, the nearest one is always
    // right.
    let step = 20.min(captions.len() / 2).max(2).max(captions.len() / 1024);
    let validation: Vec<usize> = (0..captions.len()).step_by(step).collect();
    let training = (0..captions.len()).filter(|row| row % step != 0).collect();
    Ok(Corpus { images, captions, tokens, training, validation })
}

fn config_of(shape: ClipShape, vocabulary: usize) -> ClipConfig {
    let mut config = ClipConfig::small(vocabulary);
    let width = shape.heads * 32;
    config.vision_config.hidden_size = width;
    config.vision_config.intermediate_size = width * 3;
    config.vision_config.num_attention_heads = shape.heads;
    config.vision_config.num_hidden_layers = shape.layers;
    config.vision_config.image_size = shape.image_size;
    config.vision_config.patch_size = shape.patch_size;
    config.text_config.num_hidden_layers = shape.text_layers;
    config.projection_dim = shape.embedding;
    config
}

fn session_settings(dataset: &Dataset, settings: &DualEncoderSettings) -> SessionSettings {
    let tower = settings.image_tower.as_ref().map_or_else(|| "none".into(), |path| path.display().to_string());
    SessionSettings {
        out: settings.out.clone(),
        seed: settings.seed,
        description: format!(
            "dual encoder, corpus {}, {:?}, seed {}, {:?}, {:?}, image tower {tower}",
            dataset.corpus_fingerprint(),
            settings.training,
            settings.seed,
            settings.shape,
            settings.augmentation,
        ),
        restart: settings.restart,
    }
}

/// Parses the tokenizer of the finished checkpoint.
fn read_back(files: &CheckpointFiles) -> Result<Tokenizer> {
    let folder = tempfile::tempdir()?;
    for (name, content) in files {
        std::fs::write(folder.path().join(name), content)?;
    }
    Tokenizer::read(folder.path(), LONGEST_CAPTION, 0)
}

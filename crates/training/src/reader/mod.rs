//! `dissent train reader`: retrieval-augmented fine-tuning (paper, stage 1; docs/method.md, "Fine-tuning").
//!
//! | file | content |
//! |---|---|
//! | `samples` | one sample for each case with each of its documents |
//! | `pairs` | `pairs.jsonl`: documents given by hand instead of retrieved |
//! | `vision_warm_up` | the image tower learns the labels through linear heads, before the decoder |
//! | `answers` | the decoder learns the answers; the loss covers only the answer's tokens |

mod answers;
mod pairs;
mod samples;
mod settings;
mod vision_warm_up;

use super::epochs::run_epochs;
use super::known_answers::KnownAnswers;
use super::session::{EpochReport, Session, SessionSettings, beside};
use super::variables::sorted_variables;
use super::watcher::{TrainingEvent, TrainingWatcher};
use answers::AnswerLearning;
use anyhow::{Context, Result};
use candle_core::Device;
use candle_nn::VarMap;
use dissent_core::data::{Dataset, Split};
use dissent_models::model::checkpoint::CheckpointFiles;
use dissent_models::model::pixtral::{
    PixtralConfig, PixtralImageProcessor, PixtralProcessor, SmallPixtral, processor_files, train_tokenizer,
    trainable_pixtral,
};
use dissent_retrieval::retriever::Retriever;
use samples::Samples;
pub(super) use samples::documents_of;
use settings::CheckpointParts;
pub use settings::ReaderSettings;
use std::path::Path;
use vision_warm_up::VisionWarmUp;

/// Files of a checkpoint beside config and weights.
const PROCESSOR_FILES: [&str; 6] = [
    "tokenizer.json",
    "tokenizer_config.json",
    "processor_config.json",
    "preprocessor_config.json",
    "generation_config.json",
    "chat_template.jinja",
];
/// Most tokens in the tokenizer of a new reader.
const LARGEST_VOCABULARY: usize = 512;

/// Trains a reader on the training cases. Documents come from `pairs.jsonl` if the dataset has one, else from
/// `retriever`; a dataset with neither is read closed-book. Returns the last report.
pub fn train_reader(
    dataset: &Dataset,
    retriever: Option<&mut Retriever>,
    settings: &ReaderSettings,
    watcher: &dyn TrainingWatcher,
) -> Result<Option<EpochReport>> {
    settings.vision.check()?;
    settings.answers.check()?;
    let device = Device::Cpu;
    let (config, files) = match &settings.init {
        Some(folder) => (PixtralConfig::read(folder)?, read_files(folder)?),
        None => new_model(dataset, &settings.sizes)?,
    };
    let processor = read_back(&files)?;
    let known = KnownAnswers::of(dataset, settings.part);
    if let Some(remark) = known.remark() {
        watcher.notify(TrainingEvent::Note(&remark));
    }
    let samples = Samples::collect(dataset, retriever, &processor, &known)?;
    let variables = VarMap::new();
    let model = trainable_pixtral(&config, &variables, settings.seed, settings.init.as_deref(), &device)?;
    let checkpoint = CheckpointParts { variables: &variables, config: &config, files: &files };
    let mut last = None;
    if settings.vision.epochs > 0 {
        let mut session = Session::open(session_settings(dataset, settings, "vision"))?;
        let mut objective = VisionWarmUp::new(&samples, &model, checkpoint, &processor, settings)?;
        let weights = objective.weights();
        last = run_epochs(&mut objective, &weights, &mut session, settings.vision, watcher)?;
    }
    if settings.answers.epochs == 0 {
        return Ok(last);
    }
    let mut session = Session::open(session_settings(dataset, settings, "answers"))?;
    let weights: Vec<_> = sorted_variables(&variables)
        .into_iter()
        .filter(|(name, _)| settings.train_vision || !name.starts_with("vision_tower."))
        .collect();
    let mut objective = AnswerLearning::new(&samples, &model, &weights, checkpoint, &processor, settings)?;
    Ok(run_epochs(&mut objective, &weights, &mut session, settings.answers, watcher)?.or(last))
}

fn new_model(dataset: &Dataset, sizes: &SmallPixtral) -> Result<(PixtralConfig, CheckpointFiles)> {
    let mut texts: Vec<&str> = dataset.corpus.iter().map(|document| document.caption).collect();
    for task in &dataset.tasks {
        texts.extend([task.prompt.with_document.as_str(), task.prompt.closed_book.as_str()]);
        texts.extend(task.labels.iter().map(|label| label.id.as_str()));
    }
    let learned_from = dataset.cases.iter().filter(|case| case.split != Split::Test);
    texts.extend(learned_from.map(|case| dataset.question_of(case)));
    let (tokenizer, vocabulary) = train_tokenizer(texts.into_iter(), LARGEST_VOCABULARY)?;
    let config = PixtralConfig::small_with(vocabulary, sizes);
    // Applies the same checks as to a configuration file.
    serde_json::from_value::<PixtralConfig>(serde_json::json!(config)).context("these sizes make no reader")?;
    let images = PixtralImageProcessor::new(sizes.image_size as u32, sizes.patch_size as u32);
    let files = processor_files(&images, tokenizer, sizes.positions)?;
    Ok((config, files))
}

/// Largest size in bytes of a tokenizer or template that is copied into a checkpoint.
const LONGEST_FILE: u64 = 256 << 20;

fn read_files(folder: &Path) -> Result<CheckpointFiles> {
    let mut files = CheckpointFiles::new();
    for name in PROCESSOR_FILES {
        let path = folder.join(name);
        if path.is_file() {
            files.insert(
                name.into(),
                dissent_core::files::input_file::read(&path, LONGEST_FILE)
                    .with_context(|| format!("cannot read {}", path.display()))?,
            );
        }
    }
    Ok(files)
}

/// Parses the processor of the finished checkpoint.
fn read_back(files: &CheckpointFiles) -> Result<PixtralProcessor> {
    let folder = tempfile::tempdir()?;
    for (name, content) in files {
        std::fs::write(folder.path().join(name), content)?;
    }
    PixtralProcessor::read(folder.path())
}

fn session_settings(dataset: &Dataset, settings: &ReaderSettings, stage: &str) -> SessionSettings {
    let out = if stage == "vision" { beside(&settings.out, ".vision") } else { settings.out.clone() };
    let init =
        settings.init.as_ref().map_or_else(|| format!("new {:?}", settings.sizes), |path| path.display().to_string());
    SessionSettings {
        out,
        seed: settings.seed,
        description: format!(
            "reader {stage}, {} cases, corpus {}, vision {:?}, answers {:?}, vision trained {}, closed-book {}, balanced {}, {:?}, {} views, part {}, seed {}, from {init}",
            dataset.cases.len(),
            dataset.corpus_fingerprint(),
            settings.vision,
            settings.answers,
            settings.train_vision,
            settings.closed_book_share,
            settings.balance,
            settings.augmentation,
            settings.views,
            settings.part.map_or_else(|| "all".into(), |part| part.to_string()),
            settings.seed,
        ),
        restart: settings.restart,
    }
}

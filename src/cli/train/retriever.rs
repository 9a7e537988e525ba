//! `dissent train retriever`.

use super::options::Weights;
use super::progress::TrainingProgress;
use super::session::open_retriever;
use crate::cli::Common;
use crate::cli::costs::ConsentFlag;
use crate::cli::encoder_flags::EncoderFlags;
use crate::cli::models::{resolve_adapter, resolve_reader};
use crate::cli::open_dataset::open_with_images;
use crate::cli::store_flags::StoreFlags;
use crate::data::Part;
use crate::index::Index;
use crate::output::{print_json, print_line, say};
use crate::pipeline::Pipeline;
use crate::reader::{CandleReader, Reader};
use crate::retriever::heads::HeadKind;
use crate::training::{
    Direction, Likelihood, LoopSettings, LossSettings, RetrieverReport, RetrieverSettings, TeacherSource,
    train_retriever,
};
use crate::workspace::Workspace;
use anyhow::{Context, Result};
use candle_core::{DType, Device};
use clap::ValueEnum;
use std::path::PathBuf;
use std::sync::Arc;

/// Forward passes of the reader for one answer in the reference code: 8 greedy steps without a cache (docs/method.md, "Steps").
const REFERENCE_PASSES: usize = 8;

/// Arguments of `dissent train retriever`. `--compat` sets the defaults.
#[derive(Debug, clap::Args)]
pub(super) struct RetrieverArgs {
    /// Dataset directory
    dataset: PathBuf,
    /// Folder for the heads; DIR.caption holds the caption head alone, DIR.training and DIR.caption.training state and log
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    #[command(flatten)]
    encoder: EncoderFlags,
    #[command(flatten)]
    store: StoreFlags,
    #[command(flatten)]
    consent: ConsentFlag,
    /// The reader: a folder, or org/name@revision in the Hugging Face cache; default: WORKSPACE/models/reader
    #[arg(long, env = "DISSENT_READER", value_name = "DIR")]
    reader: Option<PathBuf>,
    /// LoRA adapter (PEFT) to merge into the reader: a folder, or org/name@revision in the Hugging Face cache
    #[arg(long, env = "DISSENT_ADAPTER", value_name = "DIR")]
    adapter: Option<PathBuf>,
    /// Architecture of the heads [default: adapter; reference: tower]
    #[arg(long, value_enum)]
    kind: Option<HeadKind>,
    /// Loss and default values: clean, or those of the reference code
    #[arg(long, value_enum, default_value_t = Compat::Clean)]
    compat: Compat,
    /// Weight of the trained head in the query vector, from 0 to 1 [default: 0.7; reference: 0.15]
    #[arg(long, value_name = "SHARE")]
    alpha: Option<f64>,
    /// Steps per head, rounded up to a multiple of --validate-every [default: 150; reference: 50000]
    #[arg(long, value_name = "N")]
    steps: Option<usize>,
    /// Cases per step [default: 128; reference: 2]
    #[arg(long, value_name = "N")]
    batch: Option<usize>,
    /// Documents retrieved for each case
    #[arg(long, default_value_t = 50, value_name = "N")]
    candidates: usize,
    /// Steps after which the retrieving head is updated [default: 15; reference: 10]
    #[arg(long, value_name = "N")]
    snapshot_every: Option<usize>,
    /// Learning rate [default: 3e-3, 1e-4 for tower heads; reference: 1e-4]
    #[arg(long)]
    learning_rate: Option<f64>,
    /// Steps of linear warm-up before the cosine schedule [default: 10; reference: 20]
    #[arg(long, value_name = "N")]
    warm_up: Option<usize>,
    /// Weight decay [default: 0.01; reference: 1.0]
    #[arg(long)]
    weight_decay: Option<f64>,
    /// Gradients are clipped to this global norm [default: 1.0; reference: no limit]
    #[arg(long)]
    clip: Option<f64>,
    /// Temperature of the retriever's scores [default: 0.2; reference: 1]
    #[arg(long)]
    temperature: Option<f64>,
    /// Temperature of the reader's scores [default: 0.3; reference: 1]
    #[arg(long)]
    reader_temperature: Option<f64>,
    /// Direction of the divergence between posterior and retriever
    #[arg(long, value_enum, default_value_t = Direction::PosteriorFirst)]
    direction: Direction,
    /// Leave the current retriever out of the posterior
    #[arg(long)]
    no_prior: bool,
    /// Repeat the cases of rare labels until all labels of a task are equally frequent, as the reference code does
    #[arg(long)]
    balance: bool,
    /// Use one of several equal parts of the training cases, for example 2/2; the reader should be trained on another part
    #[arg(long, value_name = "N/OF")]
    part: Option<Part>,
    /// Source of the documents' ratings: reader, or as a control shuffled or a CSV file with id,entity
    #[arg(long, default_value = "reader")]
    signal: TeacherSource,
    /// Steps between two validations
    #[arg(long, default_value_t = 50, value_name = "N")]
    validate_every: usize,
    /// Stop after this many validations without improvement
    #[arg(long, value_name = "N")]
    patience: Option<usize>,
    /// Documents retrieved per head in validation
    #[arg(short, default_value_t = 2, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    k: u16,
    /// Seed of the order of the cases
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Number type of the saved weights
    #[arg(long, value_enum, default_value_t = Weights::F32)]
    weights: Weights,
    /// Start anew instead of resuming an earlier training in the same folder
    #[arg(long)]
    restart: bool,
    /// Print the table as JSON
    #[arg(long)]
    json: bool,
}

/// The loss and the default values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Compat {
    /// ℓ = log p(gold), mean over cases, weight decay 0.01
    Clean,
    /// Like the reference code: double softmax, mean over cases and candidates, weight decay 1.0, temperatures 1
    Reference,
}

impl RetrieverArgs {
    fn settings(&self) -> RetrieverSettings {
        let is_reference = self.compat == Compat::Reference;
        let by_mode = |clean: f64, reference: f64| if is_reference { reference } else { clean };
        let count_by_mode = |clean: usize, reference: usize| if is_reference { reference } else { clean };
        let loss = if is_reference { LossSettings::REFERENCE } else { LossSettings::CLEAN };
        let kind = self.kind.unwrap_or(if is_reference { HeadKind::Tower } else { HeadKind::Adapter });
        let clean_rate = if kind == HeadKind::Tower { 1e-4 } else { 3e-3 };
        let steps = self.steps.unwrap_or(count_by_mode(150, 50_000));
        RetrieverSettings {
            out: self.out.clone(),
            seed: self.seed,
            kind,
            alpha: self.alpha.unwrap_or(by_mode(0.7, 0.15)),
            loss: LossSettings {
                temperature: self.temperature.unwrap_or(loss.temperature),
                reader_temperature: self.reader_temperature.unwrap_or(loss.reader_temperature),
                prior: !self.no_prior,
                direction: self.direction,
                ..loss
            },
            training: LoopSettings {
                epochs: steps.div_ceil(self.validate_every.max(1)),
                batch: self.batch.unwrap_or(count_by_mode(128, 2)),
                learning_rate: self.learning_rate.unwrap_or(by_mode(clean_rate, 1e-4)),
                weight_decay: self.weight_decay.unwrap_or(by_mode(0.01, 1.0)),
                warm_up_steps: self.warm_up.unwrap_or(count_by_mode(10, 20)),
                // The reference code clips before there are gradients, which has no effect.
                clip_norm: self.clip.unwrap_or(by_mode(1.0, f64::MAX)),
                decay_vectors: is_reference,
                patience: self.patience,
            },
            validate_every: self.validate_every,
            candidates: self.candidates,
            snapshot_every: self.snapshot_every.unwrap_or(count_by_mode(15, 10)),
            // See docs/method.md, "Class balance".
            balance: self.balance || is_reference,
            teacher: self.signal.clone(),
            part: self.part,
            stored_type: self.weights.into(),
            restart: self.restart,
        }
    }
}

/// Trains both heads and prints what they learned.
pub(super) fn retriever(args: RetrieverArgs, common: &Common, progress: &TrainingProgress) -> Result<()> {
    let settings = args.settings();
    settings.check()?;
    let dataset = Arc::new(open_with_images(&args.dataset)?);
    let workspace = Workspace::open(&dataset.root, common.workspace.as_deref())?;
    let store = args.store.resolve()?;
    let is_given = store.is_none() && Index::is_given(&workspace.index_dir());
    let needs_encoder = !is_given || args.encoder.is_named();
    let encoder = needs_encoder.then(|| args.encoder.resolve(&workspace.path)).transpose()?;
    let folder = resolve_reader(args.reader.as_deref(), &workspace.path)?;
    let adapter = resolve_adapter(args.adapter.as_deref()).context("--adapter")?;
    let interrupt = Some(&progress.interrupt);
    let source = (encoder.as_ref(), store.as_ref());
    let retriever = open_retriever(&dataset, source, usize::from(args.k), common, interrupt, args.consent)?;
    let retriever = retriever.context("expected an encoder or an index with vectors of another program")?;
    retriever.head_base().check(settings.kind)?;
    let reader = CandleReader::load_with(&folder, adapter.as_deref(), &Device::Cpu, DType::F32)?;
    for note in reader.notes() {
        say(&format!("{}: {note}", reader.name()));
    }
    let print = reader.checkpoint_fingerprint().clone();
    let pipeline = Pipeline::new(dataset.clone(), None, Box::new(reader), &workspace.cache_dir())?;
    let report = train_retriever(&dataset, &retriever, pipeline, &print, &settings, progress)?;
    let RetrieverReport { comparison, likelihoods, parameters, calls } = report;
    if args.json {
        let value = serde_json::json!({
            "out": args.out, "parameters_per_head": parameters, "reader_calls": calls.asked,
            "reader_answers_wanted": calls.wanted, "comparison": comparison, "likelihoods": likelihoods,
        });
        return print_json(&value);
    }
    let saved = 100.0 * (1.0 - calls.asked as f64 / calls.wanted.max(1) as f64);
    say(&format!(
        "{parameters} trained parameters per head; the reader ran {} times for {} answers, {saved:.1} % saved \
         (the reference's procedure: {} forward passes)",
        calls.asked,
        calls.wanted,
        calls.wanted * REFERENCE_PASSES
    ));
    let table = if comparison.tasks.iter().any(|task| task.n > 0) { comparison.text() } else { String::new() };
    let texts: String = likelihoods.iter().map(Likelihood::text).collect();
    print_line(&format!("{table}{texts}{}", args.out.display()))
}

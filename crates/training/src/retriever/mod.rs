//! `dissent train retriever`: the LVLM-aware heads (paper, "Sequential multimodal retriever fine-tuning";
//! docs/method.md, "Heads").
//!
//! | file | content |
//! |---|---|
//! | `settings` | settings of a training |
//! | `loss` | ℓ, the posterior over candidates, the divergence |
//! | `queries` | inputs of the heads for each case, computed once |
//! | `head_weights` | a head with its variables |
//! | `reader_scores` | answers of the frozen reader, cached |
//! | `teacher` | ℓ from the reader, or from a control |
//! | `stage` | the training of one head |
//! | `step_metrics` | cost of the steps |
//! | `validation` | both heads on the validation cases |
//! | `save` | best and last checkpoints |

mod head_weights;
mod loss;
mod queries;
mod reader_scores;
mod save;
mod settings;
mod stage;
mod step_metrics;
mod teacher;
mod validation;

pub use loss::{Direction, LossSettings};
pub use settings::RetrieverSettings;
pub use teacher::TeacherSource;
pub use validation::Likelihood;

use super::epochs::run_epochs;
use super::known_answers::KnownAnswers;
use super::session::{Session, SessionSettings, beside, forget};
use super::watcher::{TrainingEvent, TrainingWatcher};
use anyhow::{Context as _, Result, ensure};
use candle_core::DType;
use dissent_core::data::Dataset;
use dissent_core::files::fingerprint::Fingerprint;
use dissent_core::run::{cases_fingerprint, prompts_fingerprint};
use dissent_evaluation::Comparison;
use dissent_models::model::checkpoint::Weights;
use dissent_models::model::dual_encoder::DualEncoder;
use dissent_models::model::layers::Mode;
use dissent_readers::pipeline::Pipeline;
use dissent_retrieval::index::VectorSide;
use dissent_retrieval::retriever::heads::{HEADS_MODEL_TYPE, HeadRecord, HeadsRecord, TrainedHeads};
use dissent_retrieval::retriever::{Encoder, Retriever};
use head_weights::{HeadWeights, query_vectors};
use queries::Queries;
use reader_scores::{ReaderCalls, ReaderScores};
use save::{Save, load_head};
use stage::{Common, HeadTraining};
use std::collections::HashMap;
use std::path::PathBuf;
use step_metrics::StepMetrics;
use teacher::Teacher;
use validation::Validation;

/// The result of a training.
#[derive(Clone, Debug)]
pub struct RetrieverReport {
    /// Standard RAG against the best heads, on the validation split.
    pub comparison: Comparison,
    /// The same for tasks whose answer is a text.
    pub likelihoods: Vec<Likelihood>,
    /// Trained parameters of one head.
    pub parameters: usize,
    pub calls: ReaderCalls,
}

/// Trains the caption head, then the image head (of a side without vectors none), and compares the best of both with
/// standard RAG. `retriever` searches with the encoder itself, or with given vectors. `pipeline` holds the reader and its cache; `reader` is the fingerprint of its checkpoint.
/// The watcher receives the figures of standard RAG.
///
/// # Errors
/// Fails if a setting is out of range, there are no cases to learn from or to validate on, the user interrupts, or the
/// disk is full.
pub fn train_retriever(
    dataset: &Dataset,
    retriever: &Retriever,
    pipeline: Pipeline,
    reader: &Fingerprint,
    settings: &RetrieverSettings,
    watcher: &dyn TrainingWatcher,
) -> Result<RetrieverReport> {
    settings.check()?;
    if settings.restart {
        // Discards both heads at once: heads of two runs must not be mixed.
        for side in [VectorSide::Caption, VectorSide::Image] {
            forget(&stage_folder(settings, side, true))?;
        }
    }
    let (training, validation_cases) = split_cases(dataset, settings, watcher)?;
    let base = retriever.head_base();
    base.check(settings.kind)?;
    let cases = [training.as_slice(), validation_cases.as_slice()].concat();
    let queries = match retriever.encoder() {
        Some(Encoder::Local(encoder)) => Queries::of(dataset, encoder, settings.kind, &cases)?,
        Some(Encoder::Served(encoder)) => Queries::served(dataset, &**encoder, &cases)?,
        None => {
            let index = retriever.given().context("expected an encoder or vectors of another program")?;
            Queries::given(dataset, index, &cases)?
        }
    };
    let teacher = Teacher::open(&settings.teacher, dataset, settings.seed)?;
    let record = HeadsRecord {
        model_type: HEADS_MODEL_TYPE.into(),
        kind: settings.kind,
        image: None,
        caption: None,
        base: base.fingerprint().clone(),
        base_name: base.name().into(),
        reader: reader.clone(),
        reader_name: pipeline.reader().name().into(),
        prompts: prompts_fingerprint(dataset),
        corpus: dataset.corpus_fingerprint(),
        seed: settings.seed,
    };
    let mut reader_scores = ReaderScores::new(pipeline, watcher);
    let base_queries = queries.inputs(&validation_cases)?.base.to_dtype(DType::F32)?.to_vec2()?;
    let validation = Validation::new(dataset, retriever, &mut reader_scores, validation_cases, &base_queries)?;
    watcher.notify(TrainingEvent::Note(&validation.standard_line()));
    let mut stages = Stages {
        common: Common {
            dataset,
            retriever,
            queries: &queries,
            reader_scores: &mut reader_scores,
            teacher: &teacher,
            validation: &validation,
            settings,
            training: &training,
        },
        base: retriever.local_encoder().map(DualEncoder::weights).transpose()?,
        record,
        watcher,
    };
    let inputs = |cases: &[usize]| queries.inputs(cases);
    let store = retriever.store();
    let mut caption_queries = base_queries.clone();
    let mut caption = None;
    if store.has_side(VectorSide::Caption) {
        let (head, record) = stages.train(VectorSide::Caption, None, base_queries.clone())?;
        caption_queries = query_vectors(&head.head, &validation.cases, inputs)?;
        caption = Some((head, record));
    }
    let mut image_queries = base_queries;
    let mut image = None;
    if store.has_side(VectorSide::Image) {
        let finished = caption.as_ref().map(|(head, record)| (VectorSide::Caption, head, record.clone()));
        let (head, _) = stages.train(VectorSide::Image, finished, caption_queries.clone())?;
        image_queries = query_vectors(&head.head, &validation.cases, inputs)?;
        image = Some(head);
    }
    let trained = validation.read(dataset, retriever, &mut reader_scores, &image_queries, &caption_queries)?;
    let head = image.as_ref().or(caption.as_ref().map(|(head, _)| head));
    Ok(RetrieverReport {
        comparison: validation.comparison(dataset, &trained),
        likelihoods: validation.likelihoods(dataset, &trained),
        parameters: head.map_or(0, HeadWeights::count),
        calls: reader_scores.calls(),
    })
}

/// The heads are trained one after the other.
struct Stages<'a, 'j> {
    common: Common<'a, 'j>,
    /// `None` for given vectors.
    base: Option<Weights>,
    record: HeadsRecord,
    watcher: &'a dyn TrainingWatcher,
}

impl Stages<'_, '_> {
    /// Trains one head and returns its best state, as saved. `other_queries` are the validation queries of the head
    /// that is not in training.
    fn train(
        &mut self,
        side: VectorSide,
        finished: Option<(VectorSide, &HeadWeights, HeadRecord)>,
        other_queries: Vec<Vec<f32>>,
    ) -> Result<(HeadWeights, HeadRecord)> {
        let (settings, retriever) = (self.common.settings, self.common.retriever);
        let out = stage_folder(settings, side, retriever.store().has_side(VectorSide::Image));
        let mut session = Session::open(self.session_settings(out.clone()))?;
        let base = retriever.head_base();
        let new_head = |mode| HeadWeights::of_base(settings.kind, base, self.base.as_ref(), settings.alpha, mode);
        let (head, snapshot) = (new_head(Mode::Train)?, new_head(Mode::Infer)?);
        let save =
            Save { settings, record: self.record.clone(), finished, out: out.clone(), session: session.folder() };
        let step_metrics = StepMetrics::new(self.common.reader_scores.calls());
        let mut objective = HeadTraining {
            common: &mut self.common,
            side,
            head: &head,
            snapshot,
            other_queries,
            save: &save,
            fetched: HashMap::new(),
            step_metrics,
        };
        run_epochs(&mut objective, &head.variables, &mut session, settings.training, self.watcher)?;
        load_head(&out, side, &head).with_context(|| {
            format!("the training's best head is not in {}; pass --restart to begin anew", out.display())
        })?;
        let heads = TrainedHeads::load_over(&out, base)?.record;
        let record = match side {
            VectorSide::Image => heads.image,
            VectorSide::Caption => heads.caption,
        };
        Ok((head, record.with_context(|| format!("{} lacks the head that it was saved with", out.display()))?))
    }

    fn session_settings(&self, out: PathBuf) -> SessionSettings {
        let settings = self.common.settings;
        let part = settings.part.map_or_else(|| "all".into(), |part| part.to_string());
        SessionSettings {
            out,
            seed: settings.seed,
            description: format!(
                "{} heads, alpha {}, {:?}, {:?}, round {}, {} candidates, snapshot {}, balanced {}, signal {:?} {}, part {part}, \
                 {:?}, {:?}, seed {}, encoder {}, reader {}, prompts {}, corpus {}, cases {}",
                settings.kind,
                settings.alpha,
                settings.loss,
                settings.training,
                settings.validate_every,
                settings.candidates,
                settings.snapshot_every,
                settings.balance,
                settings.teacher,
                self.common.teacher.fingerprint(),
                self.common.retriever.hits_per_head(),
                settings.stored_type,
                settings.seed,
                self.record.base,
                self.record.reader,
                self.record.prompts,
                self.record.corpus,
                cases_fingerprint(self.common.dataset),
            ),
            restart: settings.restart,
        }
    }
}

/// The image head comes last and completes the checkpoint, so its folder is OUT; without one the caption head's is.
fn stage_folder(settings: &RetrieverSettings, side: VectorSide, has_image_head: bool) -> PathBuf {
    match side {
        VectorSide::Caption if has_image_head => beside(&settings.out, ".caption"),
        VectorSide::Image | VectorSide::Caption => settings.out.clone(),
    }
}

/// The training cases and the validation cases.
fn split_cases(
    dataset: &Dataset,
    settings: &RetrieverSettings,
    watcher: &dyn TrainingWatcher,
) -> Result<(Vec<usize>, Vec<usize>)> {
    let known = KnownAnswers::of(dataset, settings.part);
    if let Some(remark) = known.remark() {
        watcher.notify(TrainingEvent::Note(&remark));
    }
    let KnownAnswers { training, validation, .. } = known;
    let root = dataset.root.display();
    let part = settings.part.map_or_else(String::new, |part| format!(" in part {part}"));
    ensure!(!training.is_empty(), "{root}: expected cases of the split train to learn from{part}, found none");
    ensure!(
        !validation.is_empty(),
        "{root}: expected cases of the split validation to choose the best heads by, found none"
    );
    Ok((training, validation))
}

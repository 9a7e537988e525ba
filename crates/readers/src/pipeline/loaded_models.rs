//! Loads retriever and reader, and builds the index if needed.

use super::{
    Confirm, EncoderSource, HostedReader, ModelDescription, Pipeline, PlannedRequests, Progress, planned_build,
};
use crate::reader::{OpenedReader, ReaderError, ReaderSource};
use anyhow::{Context, Result, ensure};
use candle_core::DType;
use dissent_core::data::Dataset;
use dissent_core::files::fingerprint::Fingerprint;
use dissent_core::run::hit_lists::read_hits;
use dissent_core::run::{Ablation, GivenHits, RetrieverIdentity, RunIdentity, prompts_fingerprint};
use dissent_core::workspace::Workspace;
use dissent_models::model::device::choose_device;
use dissent_models::model::precision::{ChosenDtype, Precision};
use dissent_retrieval::index::{DocumentStore, Embedder, EncoderProbe, Index, IndexError, Stage, VectorSide};
use dissent_retrieval::milvus::StoreSource;
use dissent_retrieval::retriever::heads::{HeadBase, TrainedHeads};
use dissent_retrieval::retriever::{HitSource, HitsFromFile, HitsPerHead, Merging, RandomDocuments, Retriever};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Shortest time between two progress lines of an index build.
const BETWEEN_LINES: Duration = Duration::from_millis(100);

/// The chosen models and the device they run on.
#[derive(Clone, Debug)]
pub struct ModelChoice {
    /// The encoder; `None` retrieves nothing, so that every case is read closed-book only.
    pub encoder: Option<EncoderSource>,
    /// Search the vectors of the index, which another program computed; `encoder` is then not used.
    pub given_vectors: bool,
    /// The store of the documents; `None` is the index in the workspace, which is built if it is missing.
    pub store: Option<StoreSource>,
    /// Checkpoint folder of trained heads; `None` searches with the dual encoder itself (standard RAG).
    pub heads: Option<PathBuf>,
    /// Hits of another program, in place of an encoder.
    pub given: Option<GivenHitsChoice>,
    pub reader: ReaderSource,
    /// Value of `--device`.
    pub device: String,
    /// Value of `--dtype`.
    pub precision: Precision,
    pub hits: HitsPerHead,
    /// Ablation of the evidence.
    pub ablation: Ablation,
    /// Called before the index is built with many requests to a server.
    pub confirm: Confirm,
}

/// A file of hits.
#[derive(Clone, Debug)]
pub struct GivenHitsChoice {
    pub path: PathBuf,
    /// The file as the user named it.
    pub name: String,
    /// Largest number of hits per head.
    pub k: usize,
    /// `None` merges as the heads of this program are merged.
    pub merging: Option<Merging>,
}

/// Loading stopped because `cancelled` returned true.
#[derive(Debug, thiserror::Error)]
#[error("loading was interrupted")]
pub struct LoadingInterrupted;

/// Loaded models and their description.
pub struct LoadedModels {
    pub pipeline: Pipeline,
    pub description: ModelDescription,
    /// Identity of a run with these models.
    pub identity: RunIdentity,
}

/// Loads all models. `cancelled` is called between the steps and while an index is built.
///
/// # Errors
/// Returns [`LoadingInterrupted`] if cancelled. Fails if a checkpoint, the index or a cache cannot be read, or the
/// index cannot be built.
pub fn load_models(
    dataset: &Arc<Dataset>,
    workspace: &Workspace,
    choice: &ModelChoice,
    progress: Progress,
    cancelled: &dyn Fn() -> bool,
) -> Result<LoadedModels> {
    let (device, device_reason) = choose_device(&choice.device)?;
    let encoder = choice.encoder.as_ref().filter(|_| !choice.given_vectors);
    let encoder_type = encoder.and_then(|source| source.number_type(choice.precision, &device));
    let reader_type = choice.reader.number_type(choice.precision, &device);
    progress(format!("models run on {device_reason}{}", in_types(encoder_type, reader_type)));
    let retriever = match encoder {
        Some(source) => {
            if source.is_here() {
                progress(format!("loading the dual encoder {source}"));
            }
            let dtype = encoder_type.map_or(DType::F32, |chosen| chosen.dtype);
            let known = known_probe(choice.store.as_ref(), workspace);
            let encoder = source.open_as(&device, dtype, known, workspace, progress)?;
            let heads_over =
                |base: HeadBase| choice.heads.as_ref().map(|folder| TrainedHeads::load_over(folder, base)).transpose();
            // Heads of another encoder are refused before an index is built.
            let of_local = encoder.local().map(|local| heads_over(HeadBase::Encoder(local))).transpose()?;
            let store: Arc<dyn DocumentStore> = match &choice.store {
                Some(source) => {
                    progress(format!("opening the store {source}"));
                    source.open(dataset, Some(&encoder))?
                }
                None => Arc::new(open_index(dataset, workspace, &encoder, choice.confirm, (progress, cancelled))?),
            };
            say_left_out(&*store, progress);
            let heads = match of_local {
                Some(heads) => heads,
                None => heads_over(HeadBase::given(&*store))?,
            };
            let hits = heads_with_vectors(&encoder, &*store, choice.hits, progress)?;
            Some(Retriever::new(encoder, store, hits, heads))
        }
        None if choice.given_vectors => Some(open_given(dataset, workspace, choice, progress)?),
        None => None,
    };
    let given = choice.given.as_ref().map(|given| open_given_hits(dataset, given, progress)).transpose()?;
    if cancelled() {
        return Err(LoadingInterrupted.into());
    }
    let opened = choice.reader.open(&device, reader_type, progress, cancelled).map_err(|error| match error {
        ReaderError::Cancelled => LoadingInterrupted.into(),
        ReaderError::Failed(error) => error,
    })?;
    let OpenedReader { reader, description: reader_description, checkpoint, service } = opened;
    if let Some(heads) = retriever.as_ref().and_then(Retriever::heads) {
        say_what_differs(heads, checkpoint.as_ref(), dataset, progress);
    }
    let identity_of_retriever = retriever.as_ref().map(identity_of);
    let mut identity = RunIdentity::new(dataset, reader.name(), reader.fingerprint(), identity_of_retriever.as_ref());
    identity.set_ablation(choice.ablation);
    identity.reader_service = service;
    if let Some((source, record)) = &given {
        identity.set_given_hits(record.clone(), source.fingerprint().clone());
    }
    let description = ModelDescription {
        heads: match (&retriever, &given) {
            (_, Some(_)) => "given hits".into(),
            (None, None) => "no retriever".into(),
            (Some(retriever), _) if retriever.heads().is_some() => "trained retriever".into(),
            (Some(retriever), _) if retriever.encoder().is_none() => "given vectors".into(),
            (Some(_), _) => "standard retriever".into(),
        },
        retriever: match (&retriever, &given) {
            (_, Some((_, record))) => {
                format!("hits of {}, {} by {}", record.file, record.k, record.heads.join(" and "))
            }
            (Some(retriever), None) => name_of(retriever),
            (None, None) => "none".to_string(),
        },
        reader: reader_description,
        device: device_reason,
        index: retriever.as_ref().map_or_else(|| "none".to_string(), |retriever| retriever.store().summary()),
        run_fingerprint: identity.fingerprint().to_string(),
        reader_fingerprint: reader.fingerprint().clone(),
        hosted: HostedReader::of(&choice.reader, identity.reader_service.as_ref(), hits_of(&identity)),
        is_sampled: identity.is_sampled(),
    };
    let mut source: Option<Box<dyn HitSource>> = match (given, retriever) {
        (Some((given, _)), _) => Some(Box::new(given)),
        (None, Some(retriever)) => Some(Box::new(retriever)),
        (None, None) => None,
    };
    if choice.ablation.random_documents {
        source = source.map(|source| -> Box<dyn HitSource> { Box::new(RandomDocuments::new(source)) });
    }
    let pipeline = Pipeline::new(dataset.clone(), source, reader, &workspace.cache_dir())?;
    let pipeline = pipeline.with_ablation(choice.ablation);
    Ok(LoadedModels { pipeline, description, identity })
}

/// ", in f32, as asked", or the dtype of each model if they differ. The dtype of a served reader is unknown.
fn in_types(encoder: Option<ChosenDtype>, reader: Option<ChosenDtype>) -> String {
    match (encoder, reader) {
        (Some(encoder), Some(reader)) if encoder != reader => {
            format!("; the encoder computes in {encoder}; the reader in {reader}")
        }
        (Some(only), _) | (None, Some(only)) => format!(", in {only}"),
        (None, None) => String::new(),
    }
}

/// Reports differences from the reader and prompts that the heads were trained with. They work with others too.
fn say_what_differs(heads: &TrainedHeads, reader: Option<&Fingerprint>, dataset: &Dataset, progress: Progress) {
    let (name, record) = (&heads.name, &heads.record);
    let then = (&record.reader_name, &record.reader);
    match reader {
        Some(now) if record.reader != *now => {
            progress(format!("the heads {name} learned from the reader {} ({}), this one is {now}", then.0, then.1));
        }
        Some(_) => {}
        None => progress(format!(
            "the heads {name} learned from the reader {} ({}); pass --reader-processor to check whether it is the served one",
            then.0, then.1
        )),
    }
    if record.prompts != prompts_fingerprint(dataset) {
        progress(format!("the heads {name} learned with other questions, labels or prompts"));
    }
}

/// What the server of the encoder was known by that filled the store, or made the index in the workspace.
pub fn known_probe(store: Option<&StoreSource>, workspace: &Workspace) -> Option<EncoderProbe> {
    match store {
        Some(source) => source.probe(),
        None => Index::probe_of(&workspace.index_dir()),
    }
}

fn say_left_out(store: &dyn DocumentStore, progress: Progress) {
    for document in store.left_out() {
        progress(format!("document {} is skipped: {}", document.document, document.reason));
    }
}

fn open_index(
    dataset: &Dataset,
    workspace: &Workspace,
    encoder: &dyn Embedder,
    confirm: Confirm,
    (progress, cancelled): (Progress, &dyn Fn() -> bool),
) -> Result<Index> {
    let index_folder = workspace.index_dir();
    let mut last_line = Instant::now();
    // Nobody has to agree if there is nothing to build.
    let mut planned = planned_build(dataset.corpus.len(), encoder).filter(PlannedRequests::are_many);
    let mut on_rebuild = |error: &IndexError| progress(format!("{error}; building it now"));
    let index = Index::open_or_build(dataset, &index_folder, encoder, &mut on_rebuild, &mut |step| {
        if cancelled() {
            return Err(LoadingInterrupted.into());
        }
        if step.stage != Stage::Waiting
            && let Some(planned) = planned.take()
        {
            confirm(&planned)?;
        }
        if let Some(remark) = encoder.take_remark() {
            progress(remark);
        }
        if step.done < step.total && last_line.elapsed() < BETWEEN_LINES {
            return Ok(());
        }
        last_line = Instant::now();
        let what = match step.stage {
            Stage::Waiting => {
                progress("another program is building this index: waiting".into());
                return Ok(());
            }
            Stage::Images => "indexing images",
            Stage::Captions => "indexing captions",
            Stage::Clusters => "clustering the vectors",
            Stage::Vectors => "indexing the vectors",
            Stage::Recall => "measuring the recall",
            Stage::Documents => "storing documents",
            Stage::Writing => "writing the index",
        };
        progress(format!("{what}: {} of {}", step.done, step.total));
        Ok(())
    })?;
    Ok(index)
}

/// The retriever over the vectors of the index. A head whose side has no vectors is left out, and said.
fn open_given(dataset: &Dataset, workspace: &Workspace, choice: &ModelChoice, progress: Progress) -> Result<Retriever> {
    let folder = workspace.index_dir();
    let index = Index::open_given(&folder, &dataset.corpus_fingerprint())?;
    let index =
        index.with_context(|| format!("{}: expected vectors of another program, found none", folder.display()))?;
    progress(format!("searching {}, which another program computed; no encoder is used", index.encoder_name()));
    if let Some(encoder) = &choice.encoder {
        progress(format!(
            "the encoder {} is not used: the index has vectors of another program; `dissent index {} --encoder {0} \
             --force` replaces them",
            encoder,
            dataset.root.display()
        ));
    }
    say_left_out(&index, progress);
    let heads =
        choice.heads.as_ref().map(|folder| TrainedHeads::load_over(folder, HeadBase::given(&index))).transpose()?;
    let hits = hits_with_vectors(&index, choice.hits, progress)?;
    Retriever::over_given(index, hits, heads)
}

/// The hits of the heads that can search with this encoder: a case needs a vector of its image, and documents need vectors
/// on the head's side. A head without is left out, and said.
///
/// # Errors
/// Fails if no head is left.
pub fn heads_with_vectors(
    encoder: &dyn Embedder,
    store: &dyn DocumentStore,
    mut hits: HitsPerHead,
    progress: Progress,
) -> Result<HitsPerHead> {
    if !encoder.embeds_pictures() && hits.caption > 0 {
        hits.caption = 0;
        progress(format!("the caption head is left out: the encoder {} embeds no image of a case", encoder.name()));
    }
    hits_with_vectors(store, hits, progress)
}

/// The hits of the heads whose side has vectors. A head without is left out, and said.
///
/// # Errors
/// Fails if no head is left.
pub fn hits_with_vectors(store: &dyn DocumentStore, mut hits: HitsPerHead, progress: Progress) -> Result<HitsPerHead> {
    for (side, count, what) in
        [(VectorSide::Image, &mut hits.image, "image"), (VectorSide::Caption, &mut hits.caption, "caption")]
    {
        if *count > 0 && !store.has_side(side) {
            *count = 0;
            progress(format!(
                "the {what} head is left out: the index has no {what} vectors; --heads {other},lexical finds captions by \
                 their words",
                other = if side == VectorSide::Image { "caption" } else { "image" }
            ));
        }
    }
    ensure!(
        hits != HitsPerHead { image: 0, caption: 0, lexical: 0 },
        "none of the chosen heads has vectors in the index in {}; choose others by --heads",
        store.place()
    );
    Ok(hits)
}

fn open_given_hits(
    dataset: &Dataset,
    choice: &GivenHitsChoice,
    progress: Progress,
) -> Result<(HitsFromFile, GivenHits)> {
    let lists = read_hits(&choice.path, dataset)?;
    for warning in &lists.warnings {
        progress(format!("warning: {warning}"));
    }
    let merging = choice.merging.unwrap_or_else(|| Merging::usual(&lists.heads));
    let record = GivenHits {
        file: choice.name.clone(),
        fingerprint: lists.fingerprint(dataset),
        heads: lists.heads.iter().map(ToString::to_string).collect(),
        k: choice.k,
        merged: merging.to_string(),
    };
    Ok((HitsFromFile::new(dataset, lists, choice.k, merging), record))
}

/// Most documents that are read for a case.
fn hits_of(identity: &RunIdentity) -> usize {
    match &identity.given_hits {
        Some(given) => given.k * given.heads.len(),
        None => identity.k_image + identity.k_caption + identity.k_lexical,
    }
}

fn identity_of(retriever: &Retriever) -> RetrieverIdentity {
    let hits = retriever.hits_per_head();
    RetrieverIdentity {
        encoder_name: retriever.head_base().name().to_string(),
        encoder: retriever.store().encoder_fingerprint().clone(),
        index: retriever.store().fingerprint(),
        fingerprint: HitSource::fingerprint(retriever).clone(),
        k_image: hits.image,
        k_caption: hits.caption,
        k_lexical: hits.lexical,
        heads_name: retriever.heads().map(|heads| heads.name.clone()),
        heads: retriever.heads().map(|heads| heads.fingerprint().clone()),
    }
}

/// For example "dual-encoder, standard, 2 by image and 2 by caption".
fn name_of(retriever: &Retriever) -> String {
    let HitsPerHead { image, caption, lexical } = retriever.hits_per_head();
    let heads =
        retriever.heads().map_or_else(|| "standard".to_string(), |heads| format!("trained: {}", heads.description()));
    let mut name = format!("{}, {heads}, {image} by image and {caption} by caption", retriever.head_base().name());
    if lexical > 0 {
        name.push_str(&format!(" and {lexical} by words"));
    }
    name
}

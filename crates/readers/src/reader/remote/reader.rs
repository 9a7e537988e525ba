//! The `Reader` that asks servers.

use super::capability::{Capability, SeveralTokens};
use super::chat::SentPrompt;
use super::connection::{ServerConnection, first_up};
use super::error::ServerErrorKind;
use super::fleet::Fleet;
use super::http::Http;
use super::images::{ImageEncoding, SentImage};
use super::mode::{ReaderMode, SampleSettings};
use super::request_threads::{RequestThreads, in_order, wanted_still};
use super::sampling::Sampling;
use super::score::{Means, Scorer};
use super::server_kind::{ServerIdentity, ServerKind};
use super::tokens::{ServedLabels, Tokens};
use super::usage::UsageCounter;
use super::{ServerAddress, sglang};
use crate::reader::{ReadRequest, Reader, ReaderError, SampledAnswer};
use anyhow::{Context, Result};
use dissent_core::data::{Label, Picture};
use dissent_core::files::fingerprint::Fingerprint;
use dissent_core::run::{LabelScores, ServiceRecord, TokenUsage};
use dissent_models::model::reader_family::ReaderFamily;
use dissent_models::model::vlm::PromptProcessor;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::sync::watch;
use tokio::task::JoinSet;

/// [`API_VERSION`] of the mode `answers`.
const SAMPLING_VERSION: &str = "sampled answers 1";
/// Incremented if requests change in a way that may change an answer.
const API_VERSION: &str = "chat completions 1";

/// Addresses and settings of a served model.
#[derive(Clone, Debug)]
pub struct ServedModel {
    pub connection: ServerConnection,
    /// Checkpoint folder with the model's image processor and tokenizer. Without it, images are sent without resizing
    /// and prompts are not checked.
    pub processor: Option<PathBuf>,
    /// Whether labels are scored or answers sampled, and how.
    pub answers: SampleSettings,
}

/// Scores labels on servers.
pub struct RemoteReader {
    name: String,
    fingerprint: Fingerprint,
    /// Fingerprint of the checkpoint that the processor comes from.
    checkpoint: Option<Fingerprint>,
    record: ServiceRecord,
    images: ImageEncoding,
    processor: Option<Arc<dyn PromptProcessor>>,
    scorer: Arc<Scorer>,
    /// Tokens of known label sets, by the ids of the labels.
    labels: HashMap<Vec<String>, Arc<ServedLabels>>,
    // Must be dropped last, because requests run on it.
    runtime: RequestThreads,
}

impl RemoteReader {
    /// Connects to the servers and finds out their abilities. Waits for a server that is still loading.
    ///
    /// # Errors
    /// Returns `Cancelled` if cancelled. Fails if no server answers, a server is unsuitable, or the processor's folder
    /// cannot be read.
    pub fn connect(
        served: &ServedModel,
        progress: &dyn Fn(String),
        cancelled: &dyn Fn() -> bool,
    ) -> Result<Self, ReaderError> {
        let runtime = RequestThreads::start()?;
        let checkpoint = served.processor.as_deref().map(read_checkpoint).transpose();
        let (processor, checkpoint) = checkpoint.context("--reader-processor")?.unzip();
        let http = served.connection.http(progress)?;
        let (identity, servers) = wanted_still(&runtime, cancelled, served.connection.find(&http, progress))??;
        let images = ImageEncoding::new(processor.clone());
        let sample = images.of(&small_picture())?;
        let first = first_up(&servers)?.clone();
        let usage = UsageCounter::default();
        let trying = find_means(&http, (&first, &identity), (&sample, processor.as_deref()), served.answers, &usage);
        let means = wanted_still(&runtime, cancelled, trying)??;
        let (record, version, abilities) = match &means {
            Means::Exact(capability) => {
                (capability.record(&identity, processor.is_some()), API_VERSION, format!("{capability:?}"))
            }
            Means::Sampled(sampling) => {
                (sampling.record(&identity, processor.is_some()), SAMPLING_VERSION, sampling.identity())
            }
        };
        if let Some(answers) = record.answers.as_ref().filter(|_| served.answers.mode == ReaderMode::Auto) {
            progress(format!(
                "no log-probabilities ({}): {} answers are sampled for each question, and their shares stand for \
                 probabilities (≈)",
                answers.reason, answers.samples
            ));
        }
        let fingerprint = Fingerprint::of_parts([
            version,
            &identity.engine(),
            &identity.model,
            &identity.weights,
            &abilities,
            checkpoint.as_ref().map_or("no processor", Fingerprint::as_str),
        ]);
        if processor.is_none() {
            progress(
                "images are sent as they are and prompts are not checked: --reader-processor DIR would do both".into(),
            );
        }
        let name = identity.shown_model.clone();
        let fleet = Fleet::new(http, servers, identity, &served.connection);
        let scorer = Arc::new(Scorer::new(fleet, means, usage));
        Ok(Self { name, fingerprint, checkpoint, record, images, processor, scorer, labels: HashMap::new(), runtime })
    }

    /// Fingerprint of the local copy of the served checkpoint, if any.
    pub fn checkpoint_fingerprint(&self) -> Option<&Fingerprint> {
        self.checkpoint.as_ref()
    }

    /// The record of the servers' abilities.
    pub fn record(&self) -> &ServiceRecord {
        &self.record
    }

    fn prompt_of(&self, request: &ReadRequest) -> Result<SentPrompt> {
        let kind = self.scorer.fleet.identity().kind;
        SentPrompt::new(request, &self.images, (self.processor.as_deref(), kind))
    }

    fn score_all(
        &mut self,
        requests: &[ReadRequest],
        cancelled: &dyn Fn() -> bool,
    ) -> Result<Vec<LabelScores>, ReaderError> {
        let mut prepared = Vec::with_capacity(requests.len());
        for request in requests {
            if cancelled() {
                return Err(ReaderError::Cancelled);
            }
            let prompt = self.prompt_of(request)?;
            let labels = self.labels_of(&request.task.labels, cancelled).map_err(|error| match error {
                ReaderError::Cancelled => ReaderError::Cancelled,
                ReaderError::Failed(error) => error.context(format!("task {}", request.task.id)).into(),
            })?;
            prepared.push((Arc::new(prompt), labels));
        }
        let scores = ask_together(&self.scorer, prepared, Scorer::score);
        wanted_still(&self.runtime, cancelled, scores)?.map_err(ReaderError::Failed)
    }

    fn labels_of(&mut self, labels: &[Label], cancelled: &dyn Fn() -> bool) -> Result<Arc<ServedLabels>, ReaderError> {
        let ids: Vec<String> = labels.iter().map(|label| label.id.clone()).collect();
        if let Some(known) = self.labels.get(&ids) {
            return Ok(known.clone());
        }
        let tokens = Tokens { fleet: &self.scorer.fleet, local: self.processor.as_deref() };
        let one_by_one = self.scorer.capability()?.several_tokens == SeveralTokens::OneByOne;
        let found = wanted_still(&self.runtime, cancelled, tokens.of_labels(labels, one_by_one))?;
        let found = Arc::new(found?);
        // Each open answer is a label set of its own that is used a few times, so the cache must be cleared.
        if self.labels.len() >= 1000 {
            self.labels.clear();
        }
        self.labels.insert(ids, found.clone());
        Ok(found)
    }
}

impl Reader for RemoteReader {
    fn name(&self) -> &str {
        &self.name
    }

    fn fingerprint(&self) -> &Fingerprint {
        &self.fingerprint
    }

    fn score(
        &mut self,
        requests: &[ReadRequest],
        cancelled: &dyn Fn() -> bool,
    ) -> Result<Vec<LabelScores>, ReaderError> {
        self.score_all(requests, cancelled)
    }

    fn score_variants(
        &mut self,
        requests: &[ReadRequest],
        cancelled: &dyn Fn() -> bool,
    ) -> Result<Vec<LabelScores>, ReaderError> {
        // Images that are sent once do not displace what is sent often.
        let images = std::mem::replace(&mut self.images, ImageEncoding::new(self.processor.clone()));
        let scores = self.score_all(requests, cancelled);
        self.images = images;
        scores
    }

    fn is_sampled(&self) -> bool {
        matches!(self.scorer.means, Means::Sampled(_))
    }

    fn sample(
        &mut self,
        requests: &[ReadRequest],
        cancelled: &dyn Fn() -> bool,
    ) -> Result<Vec<SampledAnswer>, ReaderError> {
        let mut prepared = Vec::with_capacity(requests.len());
        for request in requests {
            if cancelled() {
                return Err(ReaderError::Cancelled);
            }
            let prompt = self.prompt_of(request)?;
            prepared.push((Arc::new(prompt), request.task.clone()));
        }
        let answers = ask_together(&self.scorer, prepared, Scorer::sample);
        wanted_still(&self.runtime, cancelled, answers)?.map_err(ReaderError::Failed)
    }

    fn usage(&self) -> Option<TokenUsage> {
        Some(self.scorer.usage.sum())
    }

    fn generate(&mut self, requests: &[ReadRequest], cancelled: &dyn Fn() -> bool) -> Result<Vec<String>, ReaderError> {
        let mut prepared = Vec::with_capacity(requests.len());
        for request in requests {
            if cancelled() {
                return Err(ReaderError::Cancelled);
            }
            let prompt = self.prompt_of(request)?;
            prepared.push((Arc::new(prompt), request.most_tokens()));
        }
        let answers = ask_together(&self.scorer, prepared, Scorer::generate);
        wanted_still(&self.runtime, cancelled, answers)?.map_err(ReaderError::Failed)
    }
}

/// Whether labels are scored or answers sampled. By itself the reader samples only if the server gives no log-probabilities
/// with token ids; a server whose log-probabilities contradict themselves stays an error.
async fn find_means(
    http: &Http,
    (server, identity): (&ServerAddress, &ServerIdentity),
    (image, processor): (&SentImage, Option<&dyn PromptProcessor>),
    settings: SampleSettings,
    usage: &UsageCounter,
) -> Result<Means> {
    let reason = if settings.mode == ReaderMode::Answers {
        "asked for by --reader-mode".to_owned()
    } else {
        let tried = match (identity.kind, processor) {
            (ServerKind::Sglang, Some(processor)) => {
                sglang::try_out(http, server, &SentPrompt::probe_of_ids(image, processor)?, usage).await
            }
            (ServerKind::Sglang, None) => Err(http.failed(server, ServerErrorKind::NeedsProcessor)),
            _ => Capability::try_out(http, server, identity, &image.uri, usage).await,
        };
        match tried {
            Ok(capability) => return Ok(Means::Exact(capability)),
            Err(error) => match error.kind.lack_of_log_probabilities() {
                Some(reason) if settings.mode == ReaderMode::Auto => reason.to_owned(),
                _ => return Err(error.into()),
            },
        }
    };
    let lead = processor.map(|processor| processor.answer_lead().to_owned());
    let sampling = Sampling::try_out(http, (server, identity), (&image.uri, lead), (settings, reason), usage).await?;
    Ok(Means::Sampled(sampling))
}

/// The processor and the fingerprint of the local copy of the served checkpoint.
fn read_checkpoint(folder: &Path) -> Result<(Arc<dyn PromptProcessor>, Fingerprint)> {
    ReaderFamily::of(folder)?.read_processor(folder)
}

/// Sends all prompts at once, within the servers' limits. Of prompts with the same prefix one goes first, so that the
/// others find the prefix in the server's cache.
async fn ask_together<W, T, A>(
    scorer: &Arc<Scorer>,
    prepared: Vec<(Arc<SentPrompt>, W)>,
    ask: impl Fn(Arc<Scorer>, Arc<SentPrompt>, W) -> A,
) -> Result<Vec<T>>
where
    T: Send + 'static,
    A: Future<Output = Result<T>> + Send + 'static,
{
    let count = prepared.len();
    let mut leaders: HashMap<String, watch::Receiver<bool>> = HashMap::new();
    let mut tasks = JoinSet::new();
    for (number, (prompt, wanted)) in prepared.into_iter().enumerate() {
        let (is_done, done) = watch::channel(false);
        let mut leader = leaders.get(&prompt.prefix_key).cloned();
        leaders.entry(prompt.prefix_key.clone()).or_insert(done);
        let asking = ask(scorer.clone(), prompt, wanted);
        tasks.spawn(async move {
            if let Some(leader) = &mut leader {
                // An error means that the first prompt failed; then all requests end.
                let _ = leader.wait_for(|is_done| *is_done).await;
            }
            let answer = asking.await;
            let _ = is_done.send(true);
            (number, answer)
        });
    }
    in_order(&scorer.fleet, tasks, count).await
}

/// A picture for test requests.
fn small_picture() -> Picture {
    let image = image::DynamicImage::ImageRgb8(image::RgbImage::from_pixel(32, 32, image::Rgb([128; 3])));
    Picture { path: "a grey square".into(), fingerprint: Fingerprint::of_bytes(b"a grey square"), image, window: None }
}

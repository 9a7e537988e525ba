//! The `Reader` that asks servers.

use super::answer::LONGEST_ABOUT_SERVER;
use super::api_key::ApiKey;
use super::capability::{Capability, SeveralTokens};
use super::chat::SentPrompt;
use super::embedding::ask_identity;
use super::error::{ServerError, ServerErrorKind};
use super::fleet::Fleet;
use super::http::Http;
use super::images::{ImageEncoding, SentImage};
use super::mode::{ReaderMode, SampleSettings};
use super::sampling::Sampling;
use super::score::{Means, Scorer};
use super::server_kind::{ServerIdentity, ServerKind};
use super::tokens::{ServedLabels, Tokens};
use super::usage::UsageCounter;
use super::{ServerAddress, WITHIN_SHORT, sglang};
use crate::reader::{ReadRequest, Reader, ReaderError, SampledAnswer};
use anyhow::{Context, Result};
use dissent_core::data::{Label, Picture};
use dissent_core::files::fingerprint::Fingerprint;
use dissent_core::panics::caught_on_this_thread;
use dissent_core::run::{LabelScores, ServiceRecord, TokenUsage};
use dissent_models::model::reader_family::ReaderFamily;
use dissent_models::model::vlm::PromptProcessor;
use serde::de::IgnoredAny;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::watch;
use tokio::task::JoinSet;

/// Pause between checks whether an answer is still needed.
const LOOK: Duration = Duration::from_millis(10);
/// Pause between attempts while a server is loading its model.
const LOADING: Duration = Duration::from_millis(500);
/// Name of the threads; a panic on one is an error of its request.
const REMOTE_THREAD: &str = "dissent-remote";
/// [`API_VERSION`] of the mode `answers`.
const SAMPLING_VERSION: &str = "sampled answers 1";
/// Incremented if requests change in a way that may change an answer.
const API_VERSION: &str = "chat completions 1";

/// Addresses and settings of a served model.
#[derive(Clone, Debug)]
pub struct ServedModel {
    /// Servers of the same model; the first one determines the identity.
    pub addresses: Vec<ServerAddress>,
    /// Name of the model; `None` if the server has only one.
    pub model: Option<String>,
    /// Checkpoint folder with the model's image processor and tokenizer. Without it, images are sent without resizing
    /// and prompts are not checked.
    pub processor: Option<PathBuf>,
    pub key: Option<ApiKey>,
    /// Most concurrent requests to each server.
    pub requests: usize,
    /// Time limit for every answer; `None` for limits that depend on the request.
    pub timeout: Option<Duration>,
    /// How long a request waits for servers that are down or overloaded.
    pub patience: Duration,
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

/// The threads of the requests. Dropping does not wait for them, because a DNS look-up cannot be cancelled.
#[derive(Debug)]
pub(super) struct RequestThreads(Option<Runtime>);

impl RequestThreads {
    pub fn start() -> Result<Self> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name(REMOTE_THREAD)
            .on_thread_start(caught_on_this_thread)
            .enable_all()
            .build();
        Ok(Self(Some(runtime.context("cannot start the threads for requests")?)))
    }
}

impl Drop for RequestThreads {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
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
        let http = Http::new(served.key.clone(), &served.addresses, served.timeout)?;
        if served.key.is_some() && served.addresses.iter().any(ServerAddress::is_in_the_clear) {
            progress("the key goes over the network in the clear: https:// would hide it".into());
        }
        let finding = find_servers(&http, &served.addresses, served.model.as_deref(), served.patience, progress);
        let (identity, servers) = wanted_still(&runtime, cancelled, finding)??;
        let images = ImageEncoding::new(processor.clone());
        let sample = images.of(&small_picture())?;
        let first = servers.iter().find(|(_, is_up)| *is_up).map(|(address, _)| address.clone());
        let first = first.context("no server answers")?;
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
        let fleet = Fleet::new(http, servers, identity, served.requests, served.patience);
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

/// Runs a future until it is done or cancelled. Cancelling drops the future and thereby its requests.
pub(super) fn wanted_still<T>(
    threads: &RequestThreads,
    cancelled: &dyn Fn() -> bool,
    work: impl Future<Output = T>,
) -> Result<T, ReaderError> {
    let runtime = threads.0.as_ref().context("the threads for requests have ended")?;
    runtime.block_on(async {
        tokio::pin!(work);
        loop {
            tokio::select! {
                result = &mut work => return Ok(result),
                () = tokio::time::sleep(LOOK) => {
                    if cancelled() {
                        return Err(ReaderError::Cancelled);
                    }
                }
            }
        }
    })
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

/// Identity of the first server that answers, and the servers that are up. All servers that are up must be the same.
pub(super) async fn find_servers(
    http: &Http,
    addresses: &[ServerAddress],
    model: Option<&str>,
    patience: Duration,
    progress: &dyn Fn(String),
) -> Result<(ServerIdentity, Vec<(ServerAddress, bool)>)> {
    let mut identity: Option<ServerIdentity> = None;
    let mut servers = Vec::new();
    let mut first_error = None;
    for address in addresses {
        let found = match ask_until_loaded(http, address, model, patience, progress).await {
            Ok(found) => found,
            Err(error) if error.kind.passes() && addresses.len() > 1 => {
                progress(format!("{error}; it is skipped for now"));
                first_error.get_or_insert(error);
                servers.push((address.clone(), false));
                continue;
            }
            Err(error) => return Err(error.into()),
        };
        if let Some(what) = identity.as_ref().and_then(|first| first.difference(&found)) {
            return Err(http.failed(address, ServerErrorKind::Unequal { what }).into());
        }
        identity.get_or_insert(found);
        servers.push((address.clone(), true));
    }
    match (identity, first_error) {
        (Some(identity), _) => Ok((identity, servers)),
        (None, Some(error)) => Err(error.into()),
        (None, None) => anyhow::bail!("no server was named"),
    }
}

async fn ask_until_loaded(
    http: &Http,
    address: &ServerAddress,
    model: Option<&str>,
    patience: Duration,
    progress: &dyn Fn(String),
) -> Result<ServerIdentity, ServerError> {
    let begun = Instant::now();
    let mut is_said = false;
    loop {
        let error = match ask_identity(http, address, model).await {
            Ok(identity) if identity.kind != ServerKind::LlamaCpp => return Ok(identity),
            // llama.cpp lists its model before it is loaded.
            Ok(identity) => {
                match http.get::<IgnoredAny>(address, "/health", LONGEST_ABOUT_SERVER, WITHIN_SHORT).await {
                    Ok(_) => return Ok(identity),
                    Err(error) => error,
                }
            }
            Err(error) => error,
        };
        if !matches!(error.kind, ServerErrorKind::Busy { .. }) || begun.elapsed() > patience {
            return Err(error);
        }
        if !is_said {
            progress(format!("waiting for {address}, which is still loading"));
            is_said = true;
        }
        tokio::time::sleep(LOADING).await;
    }
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
    let mut answers: Vec<Option<T>> = (0..count).map(|_| None).collect();
    while let Some(joined) = tasks.join_next().await {
        let (number, answer) = joined.context("internal error while asking a server")?;
        answers[number] = Some(answer?);
    }
    scorer.fleet.check().await?;
    answers.into_iter().collect::<Option<Vec<_>>>().context("a prompt was not answered")
}

/// A picture for test requests.
fn small_picture() -> Picture {
    let image = image::DynamicImage::ImageRgb8(image::RgbImage::from_pixel(32, 32, image::Rgb([128; 3])));
    Picture { path: "a grey square".into(), fingerprint: Fingerprint::of_bytes(b"a grey square"), image, window: None }
}

//! The encoder that asks servers.

use super::super::connection::{ServerConnection, first_up};
use super::super::error::ServerError;
use super::super::fleet::Fleet;
use super::super::images::data_uri;
use super::super::request_threads::{RequestThreads, in_order, wanted_still};
use super::super::usage::UsageCounter;
use super::super::waiting_time;
use super::form::{Form, TEXTS, text_body, try_out};
use super::probe::{KnownProbe, TestInputs};
use super::vectors::{EmbeddingList, longest_answer};
use crate::reader::ReaderError;
use anyhow::{Result, bail};
use dissent_core::files::fingerprint::Fingerprint;
use dissent_core::run::TokenUsage;
use dissent_retrieval::index::EncoderProbe;
use image::RgbImage;
use serde_json::Value;
use std::sync::Arc;
use tokio::task::JoinSet;

/// Incremented if requests change in a way that may change a vector.
const API_VERSION: &str = "embeddings 2";
/// Tokens of a text or image, for the time that an answer may take.
const TOKENS_PER_INPUT: usize = 512;

/// Embeds texts and images on servers.
#[derive(Debug)]
pub struct EmbeddingServer {
    name: String,
    engine: String,
    form: Form,
    probe: EncoderProbe,
    /// Address of a server outside this machine and its network.
    hosted: Option<String>,
    usage: Arc<UsageCounter>,
    fleet: Arc<Fleet>,
    // Must be dropped last, because requests run on it.
    runtime: RequestThreads,
}

impl EmbeddingServer {
    /// Connects to the servers and finds out what they embed. Waits for a server that is still loading. Every server is
    /// probed, and all must give nearly the same vectors. If they are near one of `known`, probes of an index and of kept
    /// vectors, the encoder has the fingerprint of that one.
    ///
    /// # Errors
    /// Fails if no server answers, none embeds anything in a known form, or two differ.
    pub fn connect(connection: &ServerConnection, known: &[EncoderProbe], progress: &dyn Fn(String)) -> Result<Self> {
        let runtime = RequestThreads::start()?;
        let http = connection.http(progress)?;
        let inputs = TestInputs::new()?;
        let (identity, servers) = on(&runtime, connection.find(&http, progress))??;
        let first = first_up(&servers)?.clone();
        let usage = Arc::new(UsageCounter::default());
        let form = on(&runtime, try_out(&http, &first, &identity.model, &inputs))??;
        let asking = KnownProbe::ask(&http, &first, (&identity.model, &form), &inputs);
        let (texts, pictures) = on(&runtime, asking)??;
        let fingerprint = Fingerprint::of_bytes(b"");
        let (model, weights) = (identity.model.clone(), identity.weights.clone());
        let mut probe = EncoderProbe { model, weights, fingerprint, texts, pictures };
        probe.fingerprint = match known.iter().find(|known| known.is_near(&probe)) {
            Some(known) => known.fingerprint.clone(),
            None => fingerprint_of(&identity.engine(), &form, &probe),
        };
        let known = KnownProbe { form, probe };
        for (address, _) in servers.iter().filter(|(address, is_up)| *is_up && *address != first) {
            on(&runtime, known.check(&http, address))??;
        }
        let fleet = Fleet::new(http, servers, identity, connection).with_probe(known.clone());
        Ok(Self {
            name: fleet.identity().shown_model.clone(),
            engine: fleet.identity().engine(),
            form,
            probe: known.probe,
            hosted: connection.hosted(),
            usage,
            fleet: Arc::new(fleet),
            runtime,
        })
    }

    /// Address of a server that may cost money.
    pub fn hosted(&self) -> Option<String> {
        self.hosted.clone()
    }

    /// What was asked of the servers so far; trying them out is not counted.
    pub fn usage(&self) -> TokenUsage {
        self.usage.sum()
    }

    /// Requests for this many pictures and texts, of those that it embeds.
    pub fn requests_for(&self, pictures: usize, texts: usize) -> usize {
        let of_pictures = self.form.images.map_or(0, |form| pictures.div_ceil(form.per_request()));
        of_pictures + if self.form.has_texts { texts.div_ceil(TEXTS) } else { 0 }
    }

    /// Unit vectors of the pictures, in their order.
    ///
    /// # Errors
    /// Fails if the server embeds no images, or its answer is not usable.
    pub fn embed_pictures(&self, pictures: &[&RgbImage]) -> Result<Vec<Vec<f32>>> {
        let Some(form) = self.form.images else {
            bail!("the encoder {} embeds texts alone: the server takes no images", self.name);
        };
        let uris = pictures.iter().map(|picture| data_uri(picture)).collect::<Result<Vec<_>>>()?;
        let uris: Vec<&str> = uris.iter().map(String::as_str).collect();
        let model = &self.fleet.identity().model;
        let batches = uris.chunks(form.per_request()).map(|batch| (form.body(model, batch), batch.len())).collect();
        self.ask(batches)
    }

    /// Unit vectors of the texts, in their order.
    ///
    /// # Errors
    /// Fails if the server embeds no texts, or its answer is not usable.
    pub fn embed_texts(&self, texts: &[&str]) -> Result<Vec<Vec<f32>>> {
        if !self.form.has_texts {
            bail!("the encoder {} embeds images alone: the server takes no texts", self.name);
        }
        let model = &self.fleet.identity().model;
        self.ask(texts.chunks(TEXTS).map(|batch| (text_body(model, batch), batch.len())).collect())
    }

    /// Sends all requests at once, within the servers' limits; vectors in their order.
    fn ask(&self, batches: Vec<(Value, usize)>) -> Result<Vec<Vec<f32>>> {
        let asking = ask_together((self.fleet.clone(), self.usage.clone()), self.form, batches);
        on(&self.runtime, asking)?
    }

    /// Length of the vectors.
    pub fn dimension(&self) -> usize {
        self.form.dimension
    }

    /// Whether it embeds texts.
    pub fn embeds_texts(&self) -> bool {
        self.form.has_texts
    }

    /// Whether it embeds images.
    pub fn embeds_pictures(&self) -> bool {
        self.form.images.is_some()
    }

    /// The model's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// For example "vLLM 0.32.0".
    pub fn engine(&self) -> &str {
        &self.engine
    }

    /// Fingerprint of server, model, dimension and probe.
    pub fn fingerprint(&self) -> &Fingerprint {
        &self.probe.fingerprint
    }

    /// What the server is known by.
    pub fn probe(&self) -> &EncoderProbe {
        &self.probe
    }
}

/// Fingerprint of a server that no index knows.
fn fingerprint_of(engine: &str, form: &Form, probe: &EncoderProbe) -> Fingerprint {
    let bits = |vectors: &[Vec<f32>]| {
        let numbers: Vec<String> = vectors.iter().flatten().map(|value| format!("{:08x}", value.to_bits())).collect();
        numbers.concat()
    };
    Fingerprint::of_parts([
        API_VERSION,
        engine,
        &probe.model,
        &probe.weights,
        &format!("{form:?}"),
        &bits(&probe.texts),
        &bits(&probe.pictures),
    ])
}

/// Runs a future on the threads of the requests.
fn on<T>(runtime: &RequestThreads, work: impl Future<Output = T>) -> Result<T> {
    wanted_still(runtime, &|| false, work).map_err(|error| match error {
        ReaderError::Failed(error) => error,
        ReaderError::Cancelled => anyhow::anyhow!("cancelled"),
    })
}

async fn ask_together(
    (fleet, usage): (Arc<Fleet>, Arc<UsageCounter>),
    form: Form,
    batches: Vec<(Value, usize)>,
) -> Result<Vec<Vec<f32>>> {
    let count = batches.len();
    let mut tasks = JoinSet::new();
    for (number, (body, inputs)) in batches.into_iter().enumerate() {
        let (fleet, usage) = (fleet.clone(), usage.clone());
        tasks.spawn(async move { (number, ask_once((&fleet, &usage), form, &body, inputs).await.map_err(Into::into)) });
    }
    Ok(in_order(&fleet, tasks, count).await?.into_iter().flatten().collect())
}

async fn ask_once(
    (fleet, usage): (&Fleet, &UsageCounter),
    form: Form,
    body: &Value,
    count: usize,
) -> Result<Vec<Vec<f32>>, ServerError> {
    let most = longest_answer(count, Some(form.dimension));
    let within = waiting_time(count * TOKENS_PER_INPUT);
    let (answer, server) = fleet.ask::<EmbeddingList>(form.path, body, most, within).await?;
    usage.add(Some(&answer.value.usage()));
    let vectors = answer.value.vectors(count, Some(form.dimension), &answer.beginning);
    vectors.map_err(|kind| fleet.failed(&server, kind))
}

//! The encoder that asks servers.

use super::super::api_key::ApiKey;
use super::super::error::ServerError;
use super::super::fleet::Fleet;
use super::super::http::Http;
use super::super::images::data_uri;
use super::super::reader::{RequestThreads, find_servers, wanted_still};
use super::super::{ServerAddress, waiting_time};
use super::form::{Form, TEXTS, text_body, try_out};
use super::message::encoder_error;
use super::probe::{OTHER_PICTURE, PICTURE, test_picture};
use super::vectors::{EmbeddingList, longest_answer};
use crate::reader::ReaderError;
use anyhow::{Context, Result, bail};
use dissent_core::files::fingerprint::Fingerprint;
use dissent_retrieval::index::EncoderProbe;
use image::RgbImage;
use serde_json::Value;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;

/// Incremented if requests change in a way that may change a vector.
const API_VERSION: &str = "embeddings 1";
/// Tokens of a text or image, for the time that an answer may take.
const TOKENS_PER_INPUT: usize = 512;

/// Addresses and settings of a served encoder.
#[derive(Clone, Debug)]
pub struct ServedEncoder {
    /// Servers of the same model; the first one determines the identity.
    pub addresses: Vec<ServerAddress>,
    /// Name of the model; `None` if the server has only one.
    pub model: Option<String>,
    pub key: Option<ApiKey>,
    /// Most concurrent requests to each server.
    pub requests: usize,
    /// Time limit for every answer; `None` for limits that depend on the request.
    pub timeout: Option<Duration>,
    /// How long a request waits for servers that are down or overloaded.
    pub patience: Duration,
}

/// Embeds texts and images on servers.
#[derive(Debug)]
pub struct EmbeddingServer {
    name: String,
    engine: String,
    form: Form,
    probe: EncoderProbe,
    fleet: Arc<Fleet>,
    // Must be dropped last, because requests run on it.
    runtime: RequestThreads,
}

impl EmbeddingServer {
    /// Connects to the servers and finds out what they embed. Waits for a server that is still loading. If the probe is near
    /// `known`, that of an index, the encoder has the fingerprint of that index.
    ///
    /// # Errors
    /// Fails if no server answers or none embeds anything in a known form.
    pub fn connect(served: &ServedEncoder, known: Option<&EncoderProbe>, progress: &dyn Fn(String)) -> Result<Self> {
        let runtime = RequestThreads::start()?;
        let http = Http::new(served.key.clone(), &served.addresses, served.timeout)?;
        if served.key.is_some() && served.addresses.iter().any(ServerAddress::is_in_the_clear) {
            progress("the encoder's key goes over the network in the clear: https:// would hide it".into());
        }
        let finding = find_servers(&http, &served.addresses, served.model.as_deref(), served.patience, progress);
        let (identity, servers) = on(&runtime, finding)?.map_err(with_own_advice)?;
        let first = servers.iter().find(|(_, is_up)| *is_up).map(|(address, _)| address.clone());
        let first = first.context("no server answers")?;
        let pictures = [data_uri(&test_picture(PICTURE))?, data_uri(&test_picture(OTHER_PICTURE))?];
        let trying = try_out(&http, &first, &identity, [&pictures[0], &pictures[1]]);
        let tried = on(&runtime, trying)?.map_err(|error| encoder_error(&error))?;
        let mut probe = EncoderProbe {
            model: identity.model.clone(),
            weights: identity.weights.clone(),
            fingerprint: Fingerprint::of_bytes(b""),
            text: tried.text.unwrap_or_default(),
            picture: tried.picture.unwrap_or_default(),
        };
        probe.fingerprint = match known.filter(|known| known.is_near(&probe)) {
            Some(known) => known.fingerprint.clone(),
            None => fingerprint_of(&identity.engine(), &tried.form, &probe),
        };
        Ok(Self {
            name: identity.shown_model.clone(),
            engine: identity.engine(),
            form: tried.form,
            probe,
            fleet: Arc::new(Fleet::new(http, servers, identity, served.requests, served.patience)),
            runtime,
        })
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
        let asking = ask_together(self.fleet.clone(), self.form, batches);
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
    let bits = |vector: &[f32]| {
        let numbers: Vec<String> = vector.iter().map(|value| format!("{:08x}", value.to_bits())).collect();
        numbers.concat()
    };
    Fingerprint::of_parts([
        API_VERSION,
        engine,
        &probe.model,
        &probe.weights,
        &format!("{form:?}"),
        &bits(&probe.text),
        &bits(&probe.picture),
    ])
}

/// Runs a future on the threads of the requests.
fn on<T>(runtime: &RequestThreads, work: impl Future<Output = T>) -> Result<T> {
    wanted_still(runtime, &|| false, work).map_err(|error| match error {
        ReaderError::Failed(error) => error,
        ReaderError::Cancelled => anyhow::anyhow!("cancelled"),
    })
}

fn with_own_advice(error: anyhow::Error) -> anyhow::Error {
    match error.downcast_ref::<ServerError>() {
        Some(error) => encoder_error(error),
        None => error,
    }
}

async fn ask_together(fleet: Arc<Fleet>, form: Form, batches: Vec<(Value, usize)>) -> Result<Vec<Vec<f32>>> {
    let mut answers: Vec<Option<Vec<Vec<f32>>>> = (0..batches.len()).map(|_| None).collect();
    let mut tasks = JoinSet::new();
    for (number, (body, count)) in batches.into_iter().enumerate() {
        let fleet = fleet.clone();
        tasks.spawn(async move { (number, ask_once(&fleet, form, &body, count).await) });
    }
    while let Some(joined) = tasks.join_next().await {
        let (number, answer) = joined.context("internal error while asking a server")?;
        answers[number] = Some(answer.map_err(|error| encoder_error(&error))?);
    }
    fleet.check().await.map_err(|error| encoder_error(&error))?;
    let answers = answers.into_iter().collect::<Option<Vec<_>>>().context("a request was not answered")?;
    Ok(answers.into_iter().flatten().collect())
}

async fn ask_once(fleet: &Fleet, form: Form, body: &Value, count: usize) -> Result<Vec<Vec<f32>>, ServerError> {
    let most = longest_answer(count, Some(form.dimension));
    let within = waiting_time(count * TOKENS_PER_INPUT);
    let (answer, server) = fleet.ask::<EmbeddingList>(form.path, body, most, within).await?;
    let vectors = answer.value.vectors(count, Some(form.dimension), &answer.beginning);
    vectors.map_err(|kind| fleet.failed(&server, kind))
}

//! The connection to a server: one call at a time or several from several threads, with retries. Async inside; callers block.

use super::error::{StoreError, StoreErrorKind};
use super::wire::Status;
use super::{OnWait, StoreSource, wire};
use anyhow::{Context, Result};
use dissent_core::secret::{Secret, excerpt};
use prost::Message;
use std::time::{Duration, Instant};
use tokio::runtime::Runtime;
use tonic::client::Grpc;
use tonic::codegen::http::uri::PathAndQuery;
use tonic::metadata::{Ascii, MetadataValue};
use tonic::transport::{Channel, ClientTlsConfig, Endpoint};
use tonic::{Code, Request};
use tonic_prost::ProstCodec;

/// The first waiting time between two tries; it doubles with every one.
const FIRST_WAIT: Duration = Duration::from_millis(100);
const LONGEST_WAIT: Duration = Duration::from_secs(5);
/// Between two remarks on the same wait.
const BETWEEN_REMARKS: Duration = Duration::from_secs(30);
const WITHIN_TO_CONNECT: Duration = Duration::from_secs(10);
/// Largest message: what Milvus itself sends at most.
const MOST_BYTES: usize = 64 << 20;

/// An answer with a status.
pub(super) trait Answer: Message + Default + 'static {
    fn status(&self) -> Option<&Status>;
}

impl Answer for Status {
    fn status(&self) -> Option<&Status> {
        Some(self)
    }
}

macro_rules! answers_with_a_status {
    ($($name:ident),*) => {
        $(impl Answer for wire::$name {
            fn status(&self) -> Option<&Status> {
                self.status.as_ref()
            }
        })*
    };
}
answers_with_a_status!(
    CollectionDescription,
    IndexDescriptions,
    LoadStateAnswer,
    StatusAnswer,
    CollectionNames,
    VersionAnswer,
    UpsertAnswer,
    QueryAnswer,
    SearchAnswer
);

pub(super) struct Connection {
    runtime: Runtime,
    channel: Channel,
    authorization: Option<MetadataValue<Ascii>>,
    secrets: Vec<Secret>,
    place: String,
    timeout: Duration,
    patience: Duration,
    on_wait: OnWait,
}

impl Connection {
    /// Prepares a connection; the first call connects.
    ///
    /// # Errors
    /// Fails if the address or the token cannot be used.
    pub fn new(source: &StoreSource) -> Result<Self> {
        if source.token.is_some() && source.address.is_in_the_clear() {
            (source.on_wait)("the token goes over the network in the clear: milvus+tls:// would hide it");
        }
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("store")
            .enable_all()
            .build()
            .context("cannot start a thread for the store")?;
        let mut endpoint = Endpoint::from_shared(source.address.endpoint())
            .with_context(|| format!("the store's address {} cannot be used", source.address))?
            .connect_timeout(WITHIN_TO_CONNECT)
            .tcp_nodelay(true);
        if source.address.is_encrypted {
            endpoint = endpoint.tls_config(ClientTlsConfig::new().with_native_roots()).context("cannot prepare TLS")?;
        }
        let authorization = source.token.as_ref().map(authorization).transpose()?;
        // The channel is made where a runtime is.
        let channel = runtime.block_on(async { endpoint.connect_lazy() });
        Ok(Self {
            runtime,
            channel,
            authorization,
            secrets: source.token.iter().cloned().collect(),
            place: source.address.to_string(),
            timeout: source.timeout,
            patience: source.patience,
            on_wait: source.on_wait.clone(),
        })
    }

    /// Calls a method of the service, and again for as long as the patience lasts if the server does not answer. All calls of
    /// this client have the same effect when they are repeated.
    ///
    /// # Errors
    /// Fails if the server refuses the call, or does not answer in time.
    pub fn call<A: Answer>(
        &self,
        method: &'static str,
        request: &(impl Message + Clone + 'static),
    ) -> Result<A, StoreError> {
        let start = Instant::now();
        let mut wait = FIRST_WAIT;
        let mut said: Option<Instant> = None;
        loop {
            let error = match self.runtime.block_on(self.once(method, request.clone())) {
                Ok(answer) => return Ok(answer),
                Err(kind) => StoreError { place: self.place.clone(), call: method, kind },
            };
            let left = self.patience.saturating_sub(start.elapsed());
            if !error.kind.passes() || left.is_zero() {
                return Err(error);
            }
            // A first try that fails may be the connection of before.
            if said.map_or(wait > FIRST_WAIT, |then| then.elapsed() > BETWEEN_REMARKS) {
                said = Some(Instant::now());
                (self.on_wait)(&format!("{error}; trying for {} s more", left.as_secs()));
            }
            std::thread::sleep(wait.min(left));
            wait = (wait * 2).min(LONGEST_WAIT);
        }
    }

    async fn once<A: Answer>(
        &self,
        method: &str,
        message: impl Message + Clone + 'static,
    ) -> Result<A, StoreErrorKind> {
        let mut request = Request::new(message);
        if let Some(authorization) = &self.authorization {
            request.metadata_mut().insert("authorization", authorization.clone());
        }
        let unusable = |said: String| StoreErrorKind::Unexpected { said };
        let path = PathAndQuery::try_from(format!("/milvus.proto.milvus.MilvusService/{method}"))
            .map_err(|error| unusable(error.to_string()))?;
        let mut client =
            Grpc::new(self.channel.clone()).max_decoding_message_size(MOST_BYTES).max_encoding_message_size(MOST_BYTES);
        let exchange = async {
            client.ready().await.map_err(|error| StoreErrorKind::Unreachable { said: self.cause_of(&error) })?;
            let codec = ProstCodec::default();
            client.unary(request, path, codec).await.map_err(|status| self.kind_of(&status))
        };
        let answer: tonic::Response<A> = match tokio::time::timeout(self.timeout, exchange).await {
            Ok(answer) => answer?,
            Err(_) => return Err(StoreErrorKind::TimedOut { within: self.timeout }),
        };
        let answer = answer.into_inner();
        let said = answer.status().map(|status| excerpt(&status.reason, &self.secrets)).unwrap_or_default();
        match answer.status().and_then(|status| StoreErrorKind::of_status(status, said)) {
            Some(kind) => Err(kind),
            None => Ok(answer),
        }
    }

    fn kind_of(&self, status: &tonic::Status) -> StoreErrorKind {
        let said = match std::error::Error::source(status) {
            Some(source) => self.cause_of(source),
            None => excerpt(status.message(), &self.secrets),
        };
        match status.code() {
            Code::Unavailable | Code::Aborted | Code::Cancelled => StoreErrorKind::Unreachable { said },
            // A server that is killed ends its streams so.
            Code::Unknown | Code::Internal if std::error::Error::source(status).is_some() => {
                StoreErrorKind::Unreachable { said }
            }
            Code::DeadlineExceeded => StoreErrorKind::TimedOut { within: self.timeout },
            Code::ResourceExhausted => StoreErrorKind::Busy { said },
            Code::Unauthenticated | Code::PermissionDenied => StoreErrorKind::Denied { said },
            Code::Unimplemented => StoreErrorKind::NoSuchCall,
            code => StoreErrorKind::Unexpected { said: format!("{code:?}: {said}") },
        }
    }

    /// The innermost cause: the outer ones say "transport error".
    fn cause_of(&self, error: &dyn std::error::Error) -> String {
        let mut cause = error;
        while let Some(inner) = cause.source() {
            cause = inner;
        }
        excerpt(&cause.to_string(), &self.secrets)
    }

    /// How long a server is waited for.
    pub fn patience(&self) -> Duration {
        self.patience
    }

    /// The address.
    pub fn place(&self) -> &str {
        &self.place
    }
}

/// Milvus takes `user:password` or an API key in base64.
fn authorization(token: &Secret) -> Result<MetadataValue<Ascii>> {
    use base64::Engine as _;
    let encoded = base64::engine::general_purpose::STANDARD.encode(token.reveal());
    let mut value: MetadataValue<Ascii> = encoded.parse().context("the token cannot be sent")?;
    value.set_sensitive(true);
    Ok(value)
}

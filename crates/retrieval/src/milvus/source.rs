//! The value of `--store` with its companions: what is needed to reach a store. Without the feature `milvus` it says that it
//! cannot be reached.

use super::StoreAddress;
use crate::index::{DocumentStore, Embedder, EncoderProbe, Progress};
use anyhow::Result;
use dissent_core::data::Dataset;
use dissent_core::secret::Secret;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// Called with a sentence for the user when a call has to wait for the server.
pub type OnWait = Arc<dyn Fn(&str) + Send + Sync>;

/// A collection and how to reach it.
#[derive(Clone)]
pub struct StoreSource {
    pub address: StoreAddress,
    /// `user:password` or an API key.
    pub token: Option<Secret>,
    /// Longest wait for one answer.
    pub timeout: Duration,
    /// How long a server that does not answer is called again.
    pub patience: Duration,
    /// Told when the server does not answer and is waited for.
    pub on_wait: OnWait,
}

/// How a collection is filled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BuildOptions {
    /// Most documents for exact search.
    pub flat_limit: usize,
    /// Fill a new collection even if there is a complete one, and drop unfinished ones.
    pub afresh: bool,
}

/// What a report says of a store.
#[derive(Clone, Debug, PartialEq)]
pub struct StoreFacts {
    /// Name and value.
    pub lines: Vec<(&'static str, String)>,
    /// What is wrong.
    pub warning: Option<String>,
}

#[cfg(feature = "milvus")]
impl StoreSource {
    /// Opens the collection of a dataset's corpus. With an encoder, its vectors must be that encoder's.
    ///
    /// # Errors
    /// Fails if the server does not answer or refuses, or the collection is missing, unfinished, or of another corpus or encoder.
    pub fn open(&self, dataset: &Dataset, encoder: Option<&dyn Embedder>) -> Result<Arc<dyn DocumentStore>> {
        let fingerprint = encoder.map(Embedder::fingerprint);
        Ok(Arc::new(super::MilvusStore::open(self, dataset, fingerprint)?))
    }

    /// Fills the collection of a dataset's corpus, or goes on where an earlier call stopped; whether anything was to be done.
    ///
    /// # Errors
    /// Fails if `progress` fails, the encoder fails, the server does not answer or refuses, or a text is too long for it.
    pub fn build(
        &self,
        dataset: &Dataset,
        encoder: &dyn Embedder,
        options: BuildOptions,
        progress: &mut dyn FnMut(Progress) -> Result<()>,
    ) -> Result<(Arc<dyn DocumentStore>, bool)> {
        let (store, is_built) = super::build::build(self, dataset, encoder, options, progress)?;
        Ok((Arc::new(store), is_built))
    }

    /// What the server and the collection are, for a report.
    ///
    /// # Errors
    /// Fails if the server does not answer or refuses.
    pub fn facts(&self) -> Result<StoreFacts> {
        super::store::facts(self)
    }

    /// What the server of the encoder was known by that filled the collection, if it was one.
    pub fn probe(&self) -> Option<EncoderProbe> {
        super::store::probe(self)
    }
}

#[cfg(not(feature = "milvus"))]
impl StoreSource {
    fn missing(&self) -> anyhow::Error {
        anyhow::anyhow!("{self}: this program was built without the feature `milvus`, so it reaches no store")
    }

    /// Fails: the feature `milvus` is off.
    pub fn open(&self, _: &Dataset, _: Option<&dyn Embedder>) -> Result<Arc<dyn DocumentStore>> {
        Err(self.missing())
    }

    /// Fails: the feature `milvus` is off.
    pub fn build(
        &self,
        _: &Dataset,
        _: &dyn Embedder,
        _: BuildOptions,
        _: &mut dyn FnMut(Progress) -> Result<()>,
    ) -> Result<(Arc<dyn DocumentStore>, bool)> {
        Err(self.missing())
    }

    /// Fails: the feature `milvus` is off.
    pub fn facts(&self) -> Result<StoreFacts> {
        Err(self.missing())
    }

    /// `None`: the feature `milvus` is off.
    pub fn probe(&self) -> Option<EncoderProbe> {
        None
    }
}

impl fmt::Display for StoreSource {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.address.fmt(formatter)
    }
}

impl fmt::Debug for StoreSource {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "StoreSource({self})")
    }
}

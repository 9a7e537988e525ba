//! What heads start from and are mixed with.

use super::{HeadKind, QueryHead};
use crate::index::DocumentStore;
use anyhow::{Result, bail};
use candle_core::{DType, Device};
use candle_nn::VarBuilder;
use dissent_core::files::fingerprint::Fingerprint;
use dissent_models::model::dual_encoder::DualEncoder;
use dissent_models::model::layers::Mode;

/// The frozen dual encoder, or the vectors that another program computed.
#[derive(Clone, Copy)]
pub enum HeadBase<'a> {
    Encoder(&'a DualEncoder),
    Given {
        name: &'a str,
        /// Of all vectors of the index.
        fingerprint: &'a Fingerprint,
        dimension: usize,
    },
}

impl<'a> HeadBase<'a> {
    /// The vectors of a store without an encoder in this process.
    pub fn given(store: &'a dyn DocumentStore) -> Self {
        Self::Given {
            name: store.encoder_name(),
            fingerprint: store.encoder_fingerprint(),
            dimension: store.dimension(),
        }
    }

    /// The name that the heads record.
    pub fn name(&self) -> &'a str {
        match self {
            Self::Encoder(encoder) => encoder.name(),
            Self::Given { name, .. } => name,
        }
    }

    /// The fingerprint that the heads record; heads of another base are refused.
    pub fn fingerprint(&self) -> &'a Fingerprint {
        match self {
            Self::Encoder(encoder) => encoder.checkpoint_fingerprint(),
            Self::Given { fingerprint, .. } => fingerprint,
        }
    }

    /// Device of the weights.
    pub fn device(&self) -> &'a Device {
        match self {
            Self::Encoder(encoder) => encoder.device(),
            Self::Given { .. } => &Device::Cpu,
        }
    }

    /// Number type of the weights.
    pub fn dtype(&self) -> DType {
        match self {
            Self::Encoder(encoder) => encoder.dtype(),
            Self::Given { .. } => DType::F32,
        }
    }

    /// Checks that a head of this kind can start from the base.
    ///
    /// # Errors
    /// Fails for kinds that need an encoder, if there is none.
    pub fn check(&self, kind: HeadKind) -> Result<()> {
        let needs = match (self, kind) {
            (Self::Encoder(_), _) | (Self::Given { .. }, HeadKind::Adapter) => return Ok(()),
            (Self::Given { .. }, HeadKind::Tower) => "image tower",
            (Self::Given { .. }, HeadKind::Question) => "text tower",
        };
        bail!(
            "a head of kind {kind} needs the {needs} of an encoder, and the index has {}, which another program computed; \
             use --kind adapter, or index the dataset with --encoder DIR --force",
            self.name()
        );
    }

    /// A head over `vars`.
    ///
    /// # Errors
    /// Fails like [`Self::check`], and if a tensor is missing or has the wrong shape.
    pub fn head(&self, kind: HeadKind, alpha: f64, vars: &VarBuilder, mode: Mode) -> Result<QueryHead> {
        self.check(kind)?;
        match self {
            Self::Encoder(encoder) => QueryHead::new(kind, encoder.architecture(), alpha, vars, mode),
            Self::Given { dimension, .. } => QueryHead::over_given(*dimension, alpha, vars),
        }
    }
}

//! The pipeline from a case to its predictions: models, caches and the order of the calls.

mod cached_explanations;
mod cached_reader;
mod case_pipeline;
mod costs;
mod encoder_source;
mod event;
mod explaining;
mod image_like;
#[cfg(feature = "remote")]
mod kept_vectors;
mod keyed_log;
mod loaded_models;
mod open_case;
mod pictures;
#[cfg(feature = "remote")]
mod served_encoder;
#[cfg(feature = "remote")]
mod vector_log;

pub use cached_explanations::CachedExplanations;
pub use case_pipeline::{AskAbout, OWN_GROUP, Pipeline};
pub use costs::{Confirm, HostedReader, MANY_REQUESTS, PlannedRequests, ServerUsage, planned_build, planned_queries};
pub use encoder_source::EncoderSource;
pub use event::{Event, ModelDescription, Progress, Ticket};
pub use explaining::{ExplainOutcome, ExplainProgress, ExplainRequest, GridChoice};
pub use image_like::ImageLike;
pub use keyed_log::KeyedLog;
pub use loaded_models::{
    GivenHitsChoice, LoadedModels, LoadingInterrupted, ModelChoice, heads_with_vectors, hits_with_vectors, known_probe,
    load_models,
};
#[cfg(feature = "remote")]
pub use served_encoder::CachedEncoder;

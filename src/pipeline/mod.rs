//! From a case to its predictions: models, caches and the order of the calls.

mod cached_reader;
mod case_pipeline;
mod event;
mod keyed_log;
mod loaded_models;
mod open_case;
mod pictures;
mod probe;

pub use case_pipeline::{AskAbout, Pipeline};
pub use event::{Event, ModelDescription, Progress, Ticket};
pub use keyed_log::KeyedLog;
pub use loaded_models::{LoadedModels, LoadingInterrupted, ModelChoice, load_models};
pub use probe::{ImageLike, Probe};

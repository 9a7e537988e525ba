//! Worker threads behind channels. Newest request wins; nothing here knows a terminal.

mod ablation;
mod answer;
mod cached_reader;
mod handle;
mod keyed_log;
mod mailbox;
mod message;
mod models;
mod parts;
mod pictures;
mod pipeline;
mod probe;
pub mod reference_run;
pub mod run;
mod shown;
mod spawn;
mod worker;

pub use crate::index::CaptionResult;
pub use ablation::{Ablation, CaptionShown, ShownCaptions};
pub use answer::CaseAnswer;
pub use handle::{EngineHandle, LoadParts, LoadSearch, Progress};
pub use keyed_log::KeyedLog;
pub use message::{EngineDescription, Event, Request, Ticket};
pub use models::{LoadedModels, LoadingInterrupted, ModelChoice, load_models};
pub use parts::{Parts, SearchCaptions};
pub use pipeline::{AskAbout, Pipeline};
pub use probe::{ImageLike, Probe};
pub use shown::{Given, Shown};
pub use spawn::EngineConfig;

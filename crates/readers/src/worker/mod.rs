//! Worker threads behind channels. The newest request wins; no code here depends on a terminal.

mod handle;
mod loaded_pipeline;
mod mailbox;
mod request;
mod spawn;
mod threads;

pub use handle::WorkerHandle;
pub use loaded_pipeline::{LoadPipeline, LoadSearch, LoadedPipeline, SearchCaptions};
pub use request::Request;
pub use spawn::WorkerConfig;

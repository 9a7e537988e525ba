//! Worker threads behind channels. Newest request wins; nothing here knows a terminal.

mod handle;
mod keyed_log;
mod mailbox;
mod message;
mod parts;
mod pictures;
mod pipeline;
mod worker;

pub use handle::{EngineHandle, LoadParts, LoadSearch, Progress};
pub use keyed_log::KeyedLog;
pub use message::{CaptionResult, EngineDescription, Event, Request, Ticket};
pub use parts::{Parts, SearchCaptions};
pub use pipeline::{CaseAnswer, Pipeline};

//! Worker threads behind channels. Newest request wins; nothing here knows a terminal.

mod message;

pub use message::{CaptionResult, EngineDescription, Event, Request, Ticket};

//! Engine, runs, prompts, the candle reader and `dissent predict`. One binary, because linking one is slow.
#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod families;
mod open_answers;
mod predict;
mod prompt;
mod reader;
mod reference_run;
mod run;
#[path = "../small_disk/mod.rs"]
mod small_disk;
mod support;
mod threads;

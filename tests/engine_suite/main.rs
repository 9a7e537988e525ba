//! Engine, runs, prompts, the candle reader and `dissent predict`. One binary, because linking one is slow.

mod predict;
mod prompt;
mod reader;
mod run;
#[path = "../small_disk/mod.rs"]
mod small_disk;
mod support;
mod threads;

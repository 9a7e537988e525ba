//! Hostile inputs for the real program: docs/fuzzing.md. One binary, because linking one is slow.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test stops at the first surprise")]

mod annotations;
mod datasets;
mod drive;
mod explorer;
#[path = "../support/folders.rs"]
mod folders;
mod ground;
mod imports;
mod input;
mod judge;
mod known_values;
mod models;
mod mutate;
mod pictures;
mod places;
mod program;
mod records;
mod report;
mod seeds;
mod servers;
#[path = "../../fuzz/src/targets/mod.rs"]
mod targets;
mod ways_to_print;
mod words;

//! Hostile inputs for the real program: docs/fuzzing.md.
//!
//! A program of its own: the time that each input takes is judged, so nothing else may want the processor meanwhile; and the
//! program that renders chat templates is chosen once for a whole process (`use_program`).
#![cfg(unix)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stderr,
    reason = "a test stops at the first surprise, and says why it does not run"
)]

mod annotations;
mod datasets;
mod drive;
mod explorer;
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
#[path = "../support/mod.rs"]
mod support;
#[path = "../../fuzz/src/targets/mod.rs"]
mod targets;
mod templates;
mod ways_to_print;
mod words;

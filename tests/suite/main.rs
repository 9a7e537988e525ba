//! The tests that share one process: of the library, and of the program as a command. One program, because each is linked
//! with FAISS and candle again: 100 MB. `cargo test --test suite annotation::` runs one subject.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stderr,
    reason = "a test stops at the first surprise, and says why it does not run"
)]

mod annotation;
mod bench;
mod casebook;
mod clip;
mod command_line;
mod data;
mod dual_encoder;
mod engine;
mod index;
mod metrics;
mod phantom;
mod pixtral;
mod reader_families;
mod reliability;
mod remote;
mod retriever;
#[path = "../support/mod.rs"]
mod support;
mod tui;

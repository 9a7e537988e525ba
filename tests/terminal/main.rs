//! The real program in a terminal: in a pseudo-terminal with an emulator at the other end, and in tmux.
//!
//! A program of its own: a pseudo-terminal hangs up once nobody holds it open, and a child that another test happens to start
//! at the wrong moment would hold it; one test takes the terminal of its process.
#![cfg(unix)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stderr,
    reason = "a test stops at the first surprise, and says why it does not run"
)]

mod annotation;
mod broken_models;
mod explorer;
mod silent_terminal;
#[path = "../support/mod.rs"]
mod support;
mod tasks;

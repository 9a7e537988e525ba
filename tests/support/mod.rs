//! Shared support for tests: datasets, explorers, terminals, disks. Every test program includes all of it and uses a
//! part.
#![allow(dead_code, clippy::unwrap_used, reason = "a test stops at the first surprise")]

pub mod absent;
pub mod annotated_dataset;
pub mod annotations;
pub mod dataset;
pub mod explorer;
pub mod fixtures;
pub mod folders;
pub mod gguf;
pub mod json_places;
pub mod patience;
pub mod picture_fidelity;
pub mod pictures;
#[cfg(unix)]
pub mod preload;
pub mod program;
#[cfg(unix)]
pub mod pty;
pub mod small_disk;
pub mod source_files;
#[cfg(unix)]
pub mod tmux;
pub mod wire;
pub mod world;

//! The LVLM-aware retriever: heads on disk, their training, and what is refused.
#![allow(clippy::unwrap_used)]

#[path = "../support/folders.rs"]
mod folders;
mod heads;
mod training;
#[path = "../reliability_suite/world.rs"]
#[allow(dead_code)]
mod world;

//! Broken input and broken machines against the real binary: every fault gives a message that names it and exit code 1
//! (2 for wrong usage), none a panic. One binary, because linking one is slow.
#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod dataset;
#[cfg(unix)]
mod explore;
#[path = "../support/folders.rs"]
mod folders;
mod index;
mod models;
#[path = "../small_disk/mod.rs"]
mod small_disk;
mod storage;
#[cfg(unix)]
mod templates;
#[cfg(unix)]
#[path = "../support/pty.rs"]
mod terminal;
mod training;
mod usage;
mod world;

//! Tests of annotations: the fold, the journal on disk, agreement, the command. One binary, because linking one is slow.
#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "a test stops at the first surprise")]

#[path = "../support/absent.rs"]
mod absent;
mod agreement;
mod annotate;
mod assignment;
mod command;
mod explore;
mod exports;
mod final_set;
mod fold;
mod journal;
mod merge;
#[path = "../support/preload.rs"]
mod preload;
mod prodigy;
mod session;
#[path = "../small_disk/mod.rs"]
mod small_disk;
#[path = "../support/pty.rs"]
mod terminal;
mod torture;
mod world;

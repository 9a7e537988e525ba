//! Tests of annotations: the fold, the journal on disk, the command. One binary, because linking one is slow.

mod command;
mod fold;
mod journal;
#[path = "../small_disk/mod.rs"]
mod small_disk;

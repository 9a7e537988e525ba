//! Datasets, runs and files of dissent.

pub mod data;
pub mod files;
pub mod lru;
pub mod panics;
pub mod run;
pub mod secret;
pub mod text;
pub mod workspace;

//! Datasets, runs, and the files they are in.

pub mod data;
pub mod files;
pub mod lru;
pub mod panics;
#[cfg(feature = "import")]
pub mod predictions;
pub mod run;
pub mod secret;
pub mod text;
pub mod workspace;

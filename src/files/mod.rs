//! Reading other people's files within limits, and writing files atomically.

pub mod durable;
pub mod fingerprint;
pub mod input_file;
pub(crate) mod known_files;
pub(crate) mod line_blocks;
pub(crate) mod litter;

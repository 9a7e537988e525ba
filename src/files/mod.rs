//! Reading other people's files with limits, and writing ours so that none is ever half there.

pub mod durable;
pub mod fingerprint;
pub mod input_file;
pub(crate) mod known_files;
pub(crate) mod line_blocks;
pub(crate) mod litter;

//! Reading other people's files within limits, and writing files atomically.

pub mod archive_member;
pub mod distinct_numbers;
pub mod durable;
pub(crate) mod file_state;
pub mod fingerprint;
pub mod input_file;
pub mod known_files;
mod known_table;
pub mod line_blocks;
pub mod litter;
pub mod mapped_bytes;
pub mod npy_header;

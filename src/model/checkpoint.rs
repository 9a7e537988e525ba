//! Hugging Face checkpoint folders: reading weights with checks, writing them whole or not at all.

mod error;
mod identity;
mod read;
mod write;

pub use error::CheckpointError;
pub use identity::{fingerprint_of, folder_name};
pub use read::{Weights, read_json};
pub use write::{CheckpointFiles, StoredType, pretty_json, save_checkpoint, variables_of};

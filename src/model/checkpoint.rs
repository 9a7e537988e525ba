//! Hugging Face checkpoint folders: reading weights with checks, writing them whole or not at all.

mod adapter;
mod error;
mod identity;
mod mapped;
mod read;
mod shards;
mod write;

pub use adapter::Adapter;
pub use error::CheckpointError;
pub use identity::{fingerprint_of, folder_name};
pub use read::{Weights, read_json};
pub use shards::weight_files;
pub use write::{CheckpointFiles, StoredType, pretty_json, save_checkpoint, variables_of};

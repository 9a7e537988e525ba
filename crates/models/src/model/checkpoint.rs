//! Hugging Face checkpoint folders: reading weights with checks, writing them whole or not at all.

mod adapter;
mod error;
mod files;
mod header;
mod identity;
mod json;
mod layout;
mod mapped;
mod picture_settings;
mod read;
mod typed;
mod unused;
mod write;

pub use adapter::Adapter;
pub use error::CheckpointError;
pub(crate) use files::has_transformers_weights;
pub use identity::{fingerprint_of, folder_name};
pub use json::read_json;
pub(in crate::model) use json::{image_processor_json, object_in};
pub use layout::{Part, TargetTensor};
pub(in crate::model) use picture_settings::{refuse_other_steps, two_picture_settings};
pub use read::Weights;
pub(in crate::model) use typed::typed;
pub use unused::UnusedTensors;
pub(in crate::model) use unused::is_harmless;
pub use write::{CheckpointFiles, StoredType, names_of, pretty_json, save_checkpoint, variables_of};

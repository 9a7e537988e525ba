//! Pixtral (Agrawal et al. 2024, arXiv 2410.07073): vision tower, projector and Mistral decoder
//! ([`decoder`](super::decoder)), differentiable, with the tensor names of transformers.
//!
//! | file | content |
//! |---|---|
//! | `config`, `config_json` | `config.json` |
//! | `vision`, `projector`, `model` | the network |
//! | `processor`, `image_processor`, `tokenizer`, `special` | images and text to model inputs |
//! | `checkpoint` | loading and saving |

mod checkpoint;
mod config;
mod config_json;
mod image_processor;
mod model;
mod processor;
mod projector;
pub mod special;
mod tokenizer;
mod tokenizer_training;
mod vision;

pub use crate::model::decoder::{
    Decoded, Decoder, DecoderInput, DecoderRow, KvCache, PaddingSide, TextConfig, TokenIndex,
};
pub use crate::model::vlm::{ContentPart, ImageGrid, PreparedImage};
pub(in crate::model) use checkpoint::canonical_name as canonical_llava_name;
pub(crate) use checkpoint::pixtral_fingerprint;
pub use checkpoint::{PixtralCheckpoint, save_pixtral, trainable_pixtral};
pub use config::{PixtralConfig, SmallPixtral, VisionConfig};
pub(in crate::model) use config_json::{TextJson as DecoderJson, check_fixed};
pub use image_processor::PixtralImageProcessor;
pub use model::PixtralModel;
pub use processor::{PixtralProcessor, processor_files};
pub(in crate::model) use projector::{Projector, ProjectorShape};
pub use tokenizer::{PixtralTokenizer, SpecialIds};
pub use tokenizer_training::train_tokenizer;

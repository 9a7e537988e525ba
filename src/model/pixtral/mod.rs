//! Pixtral: image tower, projector and Mistral decoder, differentiable, under Hugging Face weight names.
//!
//! | file | what is in it |
//! |---|---|
//! | `config`, `config_json` | `config.json` |
//! | `vision`, `projector`, `decoder` | the three parts; `layers`, `rotary` what they share |
//! | `model`, `input`, `layout`, `cache` | the whole, its batches, masks, keys and values |
//! | `processor`, `image_processor`, `tokenizer`, `special` | pictures and text to tokens |
//! | `checkpoint` | a directory: loading, saving |

mod cache;
mod checkpoint;
mod config;
mod config_json;
mod decoder;
mod image_processor;
mod input;
mod layers;
mod layout;
mod model;
mod processor;
mod projector;
mod rotary;
pub mod special;
mod tokenizer;
mod tokenizer_training;
mod vision;

pub use cache::KvCache;
pub use checkpoint::{PixtralCheckpoint, save_pixtral, trainable_pixtral};
pub use config::{PixtralConfig, SmallPixtral, TextConfig, VisionConfig};
pub use image_processor::{ImageGrid, PixtralImageProcessor, PreparedImage};
pub use input::{Decoded, DecoderInput, DecoderRow, PaddingSide, TokenPlace};
pub use model::PixtralModel;
pub use processor::{Piece, PixtralProcessor, processor_files};
pub use tokenizer::{PixtralTokenizer, SpecialIds};
pub use tokenizer_training::train_tokenizer;

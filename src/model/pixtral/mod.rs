//! Pixtral: image tower, projector and Mistral decoder, differentiable, under Hugging Face weight names.
//!
//! | file | what is in it |
//! |---|---|
//! | `config`, `config_json` | `config.json` |
//! | `vision`, `projector`, `decoder` | the three parts; `layers`, `rotary` what they share |
//! | `model`, `input`, `layout`, `cache` | the whole, its batches, masks, keys and values |
//! | `weights` | names, shapes, reading, first values |

mod cache;
mod config;
mod config_json;
mod decoder;
mod input;
mod layers;
mod layout;
mod mode;
mod model;
mod projector;
mod rotary;
pub mod special;
mod vision;
mod weights;

pub use cache::KvCache;
pub use config::{Activation, PixtralConfig, SmallPixtral, TextConfig, VisionConfig};
pub use input::{Decoded, DecoderInput, DecoderRow, PaddingSide, TokenPlace};
pub use mode::Mode;
pub use model::PixtralModel;
pub use weights::PixtralWeights;

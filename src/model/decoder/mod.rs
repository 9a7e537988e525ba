//! The language model that every reader ends in: a decoder of the Llama kind (Mistral, Qwen2, Llama), differentiable,
//! over batches of padded rows with image features in the place of image tokens.
//!
//! | file | what is in it |
//! |---|---|
//! | `config` | the shape |
//! | `layers`, `rotary` | blocks and rotation, which image towers use too |
//! | `stack`, `model` | the blocks, and the whole: embedding, image features, logits |
//! | `input`, `layout`, `cache` | batches, masks, positions, keys and values |

mod cache;
mod config;
mod input;
pub(in crate::model) mod layers;
mod layout;
mod model;
mod rope_scaling;
pub(in crate::model) mod rotary;
mod stack;
mod weights;

pub use cache::KvCache;
pub use config::TextConfig;
pub(in crate::model) use config::{divides, in_range, layers_in_range};
pub use input::{Decoded, DecoderInput, DecoderRow, PaddingSide, TokenPlace};
pub use model::Decoder;
pub(in crate::model) use rope_scaling::RopeFields;
pub use rope_scaling::RopeScaling;
pub(in crate::model) use weights::LayerWeights;

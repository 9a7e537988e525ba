//! The language model of every reader: a Llama-like decoder (Mistral, Qwen2, Qwen3, Llama, Gemma) over padded batches, with image
//! features in place of image-token embeddings; differentiable in training.
//!
//! | file | content |
//! |---|---|
//! | `config`, `gemma`, `rope_scaling` | configuration; what Gemma does otherwise |
//! | `layers`, `rotary` | attention, MLP and RoPE, which vision towers share |
//! | `stack`, `model` | the text model, and the whole: image features, logits |
//! | `gradient` | integrated gradients, for explanations |
//! | `input`, `layout`, `cache` | batches, masks and positions, KV cache |

mod cache;
mod config;
mod gemma;
mod gradient;
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
pub use gemma::{GemmaOptions, LooksAhead};
pub use input::{Decoded, DecoderInput, DecoderRow, PaddingSide, TokenIndex};
pub use model::Decoder;
pub(in crate::model) use rope_scaling::RopeFields;
pub use rope_scaling::RopeScaling;
pub(in crate::model) use weights::LayerWeights;

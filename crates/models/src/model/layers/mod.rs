//! Layers shared by all models, each in two forms: differentiable for training, fused for inference.
//!
//! candle-nn's own `LayerNorm`, `softmax_last_dim` and `RmsNorm` have no backward pass and drop gradients without an
//! error (huggingface/candle#3011). Every layer is therefore built with an explicit [`Mode`].

mod activation;
mod attention;
mod attention_blocks;
mod bias_fused;
mod cpu_storage;
mod embedding;
mod encoder;
mod float_matmul;
mod half_convert;
mod half_matmul;
mod half_norms;
mod half_rope;
mod layer_norm;
mod layer_norm_fused;
mod linear;
mod matrix;
mod patch_embedding;
mod per_channel;
mod quantised_matmul;
mod simd;
mod softmax;

pub use activation::Activation;
pub(crate) use attention::{attend, attend_scaled};
pub use embedding::embedding;
pub use encoder::{Encoder, EncoderShape};
pub use half_norms::rms_norm;
pub use half_rope::apply_rope;
pub use layer_norm::{LayerNorm, layer_norm};
pub use linear::{Linear, linear, linear_without_bias};
pub use matrix::Matrix;
pub use patch_embedding::{PatchEmbedding, PatchShape};
pub use per_channel::{add_per_channel, multiply_per_channel};
pub use softmax::softmax_last_dim;

/// The form of a layer: for training or for inference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Differentiable: gradients reach every variable.
    Train,
    /// Fused and faster; gradients are not tracked.
    Infer,
}

//! Decoders that llama.cpp quantised: a GGUF file beside the checkpoint's own files, which keep the tower, the processor
//! and the tokenizer. Matrices stay in their blocks of 4 to 8 bits; norms and biases become f32.

mod decoder;
mod fields;
mod files;
mod header;
mod metadata;
mod rope;
mod tensors;

pub use decoder::{DecoderPlace, GgufDecoder};
pub use files::decoder_files;

//! Decoders quantised by llama.cpp: a GGUF file in a checkpoint folder, whose other files still provide the vision tower,
//! the processor and the tokenizer. Matrices stay quantised in blocks; norms and biases are converted to f32.

mod decoder;
mod fields;
mod files;
mod header;
mod metadata;
mod rope;
mod tensors;

pub use decoder::{DecoderSpec, GgufDecoder};
pub(crate) use files::decoder_files;

/// Whether the checkpoint in `folder` has a decoder quantised by llama.cpp.
pub fn has_decoder(folder: &std::path::Path) -> bool {
    decoder_files(folder).is_ok_and(|files| !files.is_empty())
}

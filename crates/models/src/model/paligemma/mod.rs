//! PaliGemma (Beyer et al. 2024, arXiv 2407.07726) with its SigLIP tower and Gemma decoder, for inference, with the tensor
//! names of transformers. All tokens of a prompt attend to each other, so no part of a prompt can be read before the rest.
//!
//! | file | content |
//! |---|---|
//! | `config` | `config.json` |
//! | `processor` | images and text to model inputs |
//! | `checkpoint` | loading |

mod checkpoint;
mod config;
mod processor;

pub use checkpoint::PaliGemmaCheckpoint;
pub use config::PaliGemmaConfig;
pub use processor::PaliGemmaProcessor;

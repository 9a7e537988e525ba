//! Gemma 3 (Gemma Team 2025, arXiv 2503.19786) and MedGemma (Sellergren et al. 2025, arXiv 2507.05201) with their SigLIP
//! tower, for inference, with the tensor names of transformers.
//!
//! | file | content |
//! |---|---|
//! | `config` | `config.json` |
//! | `projector` | average pooling of patches, norm and projection |
//! | `processor` | images and text to model inputs |
//! | `checkpoint` | loading |

mod checkpoint;
mod config;
mod processor;
mod projector;

pub use checkpoint::Gemma3Checkpoint;
pub use config::Gemma3Config;
pub use processor::Gemma3Processor;

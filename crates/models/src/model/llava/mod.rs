//! LLaVA 1.5 (Liu et al. 2023, arXiv 2310.03744) and LLaVA-Med (Li et al. 2023, arXiv 2306.00890) in the layout of
//! transformers (`LlavaForConditionalGeneration` with a CLIP tower), for inference. The decoder is Llama's or Mistral's.
//!
//! | file | content |
//! |---|---|
//! | `config` | `config.json` |
//! | `image_processor` | CLIP's image processor, with padding to a square where the checkpoint has it |
//! | `processor` | images and text to model inputs |
//! | `checkpoint` | tower, projector, decoder; loading |

mod checkpoint;
mod config;
mod image_processor;
mod processor;

pub use checkpoint::LlavaCheckpoint;
pub use config::{DecoderKind, LlavaConfig};
pub use processor::LlavaProcessor;

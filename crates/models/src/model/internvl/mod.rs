//! InternVL 3 (Zhu et al. 2025, arXiv 2504.10479) in its transformers format (`InternVLForConditionalGeneration`), for
//! inference, with the tensor names of transformers.
//!
//! | file | content |
//! |---|---|
//! | `config`, `text_config` | `config.json`; its decoder, a Qwen2 |
//! | `image_processor` | splitting an image into tiles |
//! | `vision`, `projector` | the InternViT vision tower; pixel shuffle and a small network |
//! | `processor` | images and text to model inputs |
//! | `checkpoint` | loading |

mod checkpoint;
mod config;
mod image_processor;
mod processor;
mod projector;
mod text_config;
mod vision;

pub use checkpoint::InternVlCheckpoint;
pub use config::InternVlConfig;
pub use image_processor::InternVlImageProcessor;
pub use processor::InternVlProcessor;

//! SmolVLM (Marafioti et al. 2025, arXiv 2504.05299) and Idefics3 (Laurençon et al. 2024, arXiv 2408.12637), for inference,
//! with the tensor names of transformers.
//!
//! | file | content |
//! |---|---|
//! | `config` | `config.json` |
//! | `image_processor` | splitting an image into tiles |
//! | `vision`, `connector` | the SigLIP vision tower, and pixel shuffle with a projection |
//! | `processor` | images and text to model inputs |
//! | `checkpoint` | loading |

mod checkpoint;
mod config;
mod connector;
mod image_processor;
mod processor;
mod vision;

pub use checkpoint::SmolVlmCheckpoint;
pub use config::SmolVlmConfig;
pub use image_processor::SmolVlmImageProcessor;
pub use processor::SmolVlmProcessor;

//! SmolVLM (Marafioti et al. 2025, arXiv 2504.05299) and Idefics3 (Laurençon et al. 2024, arXiv 2408.12637), for inference,
//! under Hugging Face weight names.
//!
//! | file | what is in it |
//! |---|---|
//! | `config` | `config.json` |
//! | `image_processor` | a picture as tiles and once as a whole |
//! | `vision`, `connector` | the SigLIP tower, and squares of its patches to tokens |
//! | `processor` | pictures and text to tokens |
//! | `checkpoint` | a directory: loading |

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

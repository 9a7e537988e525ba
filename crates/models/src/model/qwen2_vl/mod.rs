//! Qwen2-VL (Wang et al. 2024, arXiv 2409.12191) and Qwen2.5-VL (Bai et al. 2025, arXiv 2502.13923), for inference, with the
//! tensor names of transformers.
//!
//! | file | content |
//! |---|---|
//! | `config` | `config.json`, flat as published or nested as in transformers 5 |
//! | `image_processor` | dynamic resolution, patches ordered by merge group |
//! | `vision`, `windows` | the vision tower; window attention of Qwen2.5-VL |
//! | `processor` | images and text to model inputs |
//! | `checkpoint` | loading |

mod checkpoint;
mod config;
mod image_processor;
mod processor;
mod vision;
mod windows;

pub use checkpoint::Qwen2VlCheckpoint;
pub use config::Qwen2VlConfig;
pub use image_processor::Qwen2VlImageProcessor;
pub use processor::Qwen2VlProcessor;

//! Qwen2-VL (Wang et al. 2024, arXiv 2409.12191) and Qwen2.5-VL (Bai et al. 2025, arXiv 2502.13923), for inference, with the
//! tensor names of transformers. Qwen3-VL has the same processor and the same attention in its tower.
//!
//! | file | content |
//! |---|---|
//! | `config` | `config.json`, flat as published or nested as in transformers 5 |
//! | `image_processor` | dynamic resolution, patches ordered by merge group |
//! | `vision`, `attention`, `windows` | the vision tower; window attention of Qwen2.5-VL |
//! | `batches` | images of one grid in one pass of the tower |
//! | `processor` | images and text to model inputs |
//! | `checkpoint` | loading |

mod attention;
mod batches;
mod checkpoint;
mod config;
mod image_processor;
mod processor;
mod vision;
mod windows;

pub(in crate::model) use attention::{INIT_STD, PatchAttention};
pub(in crate::model) use batches::encode_by_grid;
pub use checkpoint::Qwen2VlCheckpoint;
pub use config::Qwen2VlConfig;
pub(in crate::model) use config::VisionRopeJson;
pub use image_processor::Qwen2VlImageProcessor;
pub(in crate::model) use image_processor::patch_positions;
pub(in crate::model) use processor::ProcessedModel;
pub use processor::Qwen2VlProcessor;

//! Qwen2-VL (Wang et al. 2024, arXiv 2409.12191) and Qwen2.5-VL (Bai et al. 2025, arXiv 2502.13923), for inference, under
//! Hugging Face weight names.
//!
//! | file | what is in it |
//! |---|---|
//! | `config` | `config.json`, flat as on the hub or nested as transformers 5 writes it |
//! | `image_processor` | dynamic resolution, patches in the order in which they are merged |
//! | `vision`, `windows` | the image tower; which patches see each other in Qwen2.5-VL |
//! | `processor` | pictures and text to tokens |
//! | `checkpoint` | a directory: loading |

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

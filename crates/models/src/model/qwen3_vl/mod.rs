//! Qwen3-VL (Bai et al. 2025, arXiv 2511.21631), the dense models, for inference, with the tensor names of transformers.
//!
//! | file | content |
//! |---|---|
//! | `config` | `config.json`, as published or as written by transformers 5 |
//! | `vision`, `positions` | the vision tower with its deepstack features; interpolated positions |
//! | `processor` | that of Qwen2-VL with another template |
//! | `checkpoint` | loading |

mod checkpoint;
mod config;
mod positions;
mod processor;
mod vision;

pub use checkpoint::Qwen3VlCheckpoint;
pub use config::Qwen3VlConfig;
pub use processor::read_qwen3_processor;

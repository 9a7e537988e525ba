//! DINOv2 as an encoder of images alone (`Dinov2Model`; Oquab et al. 2024), among others RAD-DINO (Pérez-García et al. 2025).
//!
//! `candle_transformers::models::dinov2` gives other vectors: it has the tanh form of GELU, an epsilon of 1e-5 and the
//! nearest position instead of bicubic ones, and it demands a classifier of 1000 classes.

mod architecture;
mod config;
mod layer;
mod positions;
mod vision;

pub use config::Dinov2Config;

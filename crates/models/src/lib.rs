//! Vision-language models and dual encoders over candle, with a backward pass for training.

#[cfg(feature = "download")]
pub mod download;
pub mod model;

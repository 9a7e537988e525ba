//! Vision-language models and dual encoders of dissent, over candle.

#[cfg(feature = "download")]
pub mod download;
pub mod model;

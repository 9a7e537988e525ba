//! Encoders and language models over candle, and the layers they share. Dual encoders of every family are used through
//! `dual_encoder`.
//!
//! Every model is built from a [`candle_nn::VarBuilder`] with Hugging Face weight names: over a `VarMap` for training
//! ([`initialise`]), over safetensors files for inference ([`checkpoint`]).

pub mod bert;
pub mod checkpoint;
pub mod clip;
pub mod device;
pub mod dual_encoder;
pub mod initialise;
pub mod jina_clip;
pub mod layers;
mod limits;
pub mod open_clip;
pub mod pillow_resize;
pub mod pixtral;
pub mod siglip;
pub mod tokenizer;

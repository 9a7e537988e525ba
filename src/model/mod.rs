//! Encoders and language models over candle: CLIP (`clip`), Pixtral (`pixtral`) and the layers they share.
//!
//! Every model is built from a [`candle_nn::VarBuilder`] with Hugging Face weight names: over a `VarMap` for training
//! ([`initialise`]), over safetensors files for inference ([`checkpoint`]).

pub mod checkpoint;
pub mod clip;
pub mod device;
pub mod initialise;
pub mod layers;
pub mod pillow_resize;
pub mod pixtral;
pub mod tokenizer;

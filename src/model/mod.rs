//! Encoders and language models over candle: CLIP (`clip`) and the families of readers (`family`: `pixtral`, `qwen2_vl`,
//! `smolvlm`), with the decoder, the chat templates and the layers that they share.
//!
//! Every model is built from a [`candle_nn::VarBuilder`] with Hugging Face weight names: over a `VarMap` for training
//! ([`initialise`]), over safetensors files for inference ([`checkpoint`]).

pub mod chat;
pub mod checkpoint;
pub mod clip;
pub mod decoder;
pub mod device;
pub mod family;
pub mod hub;
pub mod initialise;
pub mod layers;
pub mod memory;
pub mod pillow_resize;
pub mod pixtral;
pub mod qwen2_vl;
pub mod smolvlm;
pub mod tokenizer;

//! Dual encoders and vision-language models over candle, with their shared layers. Dual encoders of all families are used
//! through [`dual_encoder`], readers through [`reader_family`] and [`vlm`].
//!
//! Every model is built from a [`candle_nn::VarBuilder`] with Hugging Face weight names: over a `VarMap` for training
//! ([`initialise`]), over safetensors files for inference ([`checkpoint`]).

pub mod bert;
pub mod chat;
pub mod checkpoint;
pub mod clip;
#[cfg(any(feature = "cuda", test))]
mod cuda;
pub mod decoder;
pub mod device;
pub mod device_error;
pub mod dinov2;
pub mod dual_encoder;
mod fixed_fields;
pub mod gemma3;
pub mod gguf;
pub mod hub;
pub mod initialise;
pub mod internvl;
pub mod jina_clip;
pub mod layers;
mod limits;
pub mod llava;
pub mod memory;
pub mod open_clip;
pub mod paligemma;
pub mod pillow_resize;
pub mod pixtral;
pub mod precision;
pub mod qwen2_vl;
pub mod qwen3_vl;
pub mod reader_family;
pub mod settings_notes;
pub mod siglip;
pub mod siglip2;
pub mod smolvlm;
pub mod tokenizer;
pub mod vlm;

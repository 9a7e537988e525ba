//! Qwen2-VL, Qwen2.5-VL and SmolVLM against transformers and PEFT on random tiny checkpoints
//! (tests/fixtures/readers/generate.py).

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod faults;
mod gguf;
#[path = "../support/json_places.rs"]
mod json_places;
mod llama_cpp;
mod prompts;
mod refusals;
mod settings;
mod transformers;
mod wide;
mod world;

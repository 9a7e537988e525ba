//! Qwen2-VL, Qwen2.5-VL and SmolVLM against transformers and PEFT on random tiny checkpoints
//! (tests/fixtures/readers/generate.py).

mod faults;
mod gguf;
mod llama_cpp;
mod prompts;
mod refusals;
mod settings;
mod transformers;
mod wide;
mod world;

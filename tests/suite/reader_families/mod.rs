//! Readers of each family against transformers and PEFT on random tiny checkpoints
//! (tests/fixtures/readers/generate.py).

mod every_tensor;
mod faults;
mod gemma3;
mod gguf;
mod gradients;
mod internvl;
mod llama_cpp;
mod llava;
mod paligemma;
mod prompts;
mod qwen3_vl;
mod refusals;
mod settings;
mod transformers;
mod wide;
mod world;

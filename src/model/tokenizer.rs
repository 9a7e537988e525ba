//! Tokenizers: `tokenizer.json` of any checkpoint, and a small one built from captions.

mod build;
mod load;

pub use build::{TokenizerPlan, build_tokenizer_files};
pub use load::{Cleaning, Tokenizer};

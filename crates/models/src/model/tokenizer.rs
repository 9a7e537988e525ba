//! Tokenizers: `tokenizer.json` of any checkpoint, and a small one built from captions.

mod bounded;
mod build;
mod charsmap;
mod definition;
mod load;
mod pattern;
mod refused_part;

pub(in crate::model) use bounded::BoundedTokenizer;
pub use build::{TokenizerPlan, build_tokenizer_files};
pub use load::{Cleaning, Tokenizer};

//! dissent: a terminal explorer for retrieval-augmented medical diagnosis.
//!
//! A retriever fetches documents (image and caption) for a case, a reader (vision-language model) answers once per
//! document, and where those answers disagree the case is *inconsistent*. The way of the data:
//!
//! | module | what is in it |
//! |---|---|
//! | [`data`] | cases, documents, tasks, the dataset directory, importers, `dissent check` |
//! | [`phantom`] | the synthetic sample: images, captions, site tables |
//! | [`model`] | differentiable CLIP and Pixtral over candle, Hugging Face weight names |
//! | [`download`] | models of the Hugging Face hub into its cache |
//! | [`train`] | optimiser, schedule, checkpoints; the training of dual encoder, reader and retriever |
//! | [`index`] | FAISS for vectors, Tantivy for captions |
//! | [`retriever`] | heads, hits, merging |
//! | [`reader`] | prompts, the `Reader` trait and its engines, label scoring |
//! | [`analysis`] | fusion, verdict, oracle, summary figures, one run against another |
//! | [`engine`] | worker threads behind channels; knows no terminal |
//! | [`annotation`] | journal of events, taxonomy, export |
//! | [`tui`] | the explorer |
//! | [`cli`] | one file per subcommand |

pub mod analysis;
pub mod annotation;
pub mod cli;
pub mod data;
pub mod download;
pub mod engine;
pub mod index;
pub mod model;
pub mod phantom;
pub mod reader;
pub mod retriever;
pub mod train;
pub mod tui;

pub mod csv_cells;
pub mod durable;
pub mod fingerprint;
pub mod input_file;
mod known_files;
mod line_blocks;
mod litter;
pub mod lru;
pub mod out_of_memory;
pub mod panics;
pub mod printable;
pub mod sample;
pub mod secret;
mod single_keys;
pub mod terminal_size;
pub mod thread_counts;
mod toml_text;
pub mod workspace;
mod written_json;

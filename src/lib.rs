//! dissent: a terminal explorer for retrieval-augmented medical diagnosis.
//!
//! A retriever fetches documents (image and caption) for a case, and a reader (vision-language model) answers once
//! per document. If those answers disagree, the case is *inconsistent*. The modules, in the order of the data:
//!
//! | module | what is in it |
//! |---|---|
//! | [`files`], [`text`] | reading other people's files with limits, writing ours whole; dialects of CSV, JSON, TOML |
//! | [`data`] | cases, documents, tasks, the dataset directory, importers, `dissent check` |
//! | [`predictions`] | predictions of other programs: reading, joining to cases, storing as runs; writing them |
//! | [`phantom`] | the synthetic sample: images, captions, site tables |
//! | [`run`] | hits, predictions and answers of each case, in memory and on disk |
//! | [`model`] | vision-language models and dual encoders over candle, differentiable, with Hugging Face's weight names |
//! | [`download`] | models of the Hugging Face hub into its cache |
//! | [`index`] | FAISS for vectors, Tantivy for captions |
//! | [`milvus`] | a corpus in a Milvus server |
//! | [`retriever`] | heads, search, merging of hits |
//! | [`reader`] | prompts, the `Reader` trait and its implementations, label scoring |
//! | [`explain`] | which words and regions decided a prediction |
//! | [`pipeline`] | computes the predictions of a case: models, caches, the order of the calls |
//! | [`worker`] | the pipeline on threads behind channels |
//! | [`training`] | optimiser, schedule, checkpoints; the training of dual encoder, reader and retriever |
//! | [`evaluation`] | fusion, verdict, oracle, figures with intervals, one run against another, reports |
//! | [`annotation`] | journal of events, taxonomy, agreement, adjudication, exports |
//! | [`run_import`] | runs of the paper's reference code |
//! | [`cases`] | all data on the cases of a dataset, and filters of them |
//! | [`casebook`] | chosen cases as an HTML page |
//! | [`terminal`] | the terminal's capabilities, taking and restoring it, pictures on it |
//! | [`tui`] | the explorer |
//! | [`processor`], [`build_facts`] | what the processor can do; what this program was built from |
//! | [`cli`] | one file per subcommand |

pub mod build_facts;
pub mod casebook;
pub mod cases;
pub mod cli;
pub mod out_of_memory;
pub mod output;
pub mod phantom;
pub mod processor;
pub mod run_import;
pub mod sample;
pub mod terminal;
pub mod thread_counts;
pub mod tui;

pub use dissent_annotation as annotation;
pub use dissent_core::{data, files, lru, panics, predictions, run, secret, text, workspace};
pub use dissent_evaluation as evaluation;
pub use dissent_models::{download, model};
pub use dissent_readers::{explain, pipeline, reader, worker};
pub use dissent_retrieval::{index, milvus, retriever};
pub use dissent_training as training;

//! Cases, documents, tasks and the dataset directory that holds them.

mod case;
mod check;
mod dataset;
mod dicom;
mod document;
mod fields;
mod identity;
pub mod import;
mod jpeg_end;
mod leakage;
mod lines;
mod manifest;
mod named_label;
mod open_answer;
mod part;
mod picture;
mod problem;
mod task;
mod writer;

pub use case::{Case, Split};
pub use check::{CheckReport, Summary, check};
pub use dataset::{CASES_FILE, CORPUS_FILE, Dataset, LenientDataset};
pub use document::Document;
pub use manifest::{MANIFEST_FILE, Manifest};
pub use open_answer::{answer_number, answer_words};
pub use part::Part;
pub use picture::{Picture, ValueWindow};
pub use problem::{Problem, Severity};
pub use task::{Label, PromptTemplate, Task, TaskKind};
pub use writer::{DatasetWriter, Existing};

//! Cases, documents, tasks and the dataset directory that holds them.

mod answer;
mod caption_label;
mod case;
mod check;
mod contradictions;
mod corpus;
mod corpus_print;
mod dataset;
#[cfg(feature = "dicom")]
mod dicom;
mod dicom_start;
mod document;
mod drop_leaks;
mod fields;
mod files_aside;
pub mod identifier;
mod image_checks;
mod image_hashes;
#[cfg(feature = "import")]
pub mod import;
mod jpeg_data;
mod jpeg_file;
mod jpeg_scans;
mod jsonl;
#[cfg(feature = "import")]
mod kept_copies;
mod known_ids;
mod known_prints;
mod label;
mod label_in_text;
mod label_set;
mod leakage;
mod look_alikes;
mod manifest;
mod picture;
mod picture_limits;
mod picture_print;
mod png_file;
mod problem;
mod raster;
mod remark;
mod set_prompt;
mod summary;
mod task;
mod train_part;
mod unfinished;
mod value_range;
mod value_window;
pub mod vectors;
mod writer;

pub use answer::{Answer, AnswerKey, LabelIndex, answer_words};
pub use case::{Case, Split};
pub use check::{CheckReport, check};
pub use corpus::Corpus;
pub use dataset::{CASES_FILE, CORPUS_FILE, Dataset, LenientDataset, OpenedCases};
pub use document::{Document, DocumentView};
pub use drop_leaks::{DROPPED_FILE, drop_leaks};
#[cfg(feature = "import")]
pub use kept_copies::kept_copies_of;
pub use known_ids::{AmbiguousId, KnownIds};
pub use label::Label;
pub use label_in_text::{HowNamed, NamedLabel, label_in_text, numbers_in_text};
pub use label_set::{LabelSet, MOST_LABELS_IN_SETS};
pub use leakage::LeakCounts;
pub use manifest::{MANIFEST_FILE, Manifest, OnlyPart};
pub use picture::{CONVERSION_VERSION, Picture};
pub use picture_print::{MOST_DIFFERENT_BITS, PicturePrint};
pub use problem::{Problem, Severity};
pub use remark::PictureRemark;
pub use set_prompt::{AskForSets, SetPrompt};
pub use summary::Summary;
pub use task::{PromptTemplate, Task, TaskKind};
pub use train_part::Part;
pub use value_window::ValueWindow;
pub use writer::{DatasetWriter, Existing};

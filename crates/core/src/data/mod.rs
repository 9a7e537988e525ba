//! Cases, documents, tasks and the dataset directory that holds them.

mod answer;
mod caption_label;
mod case;
mod check;
mod contradictions;
mod dataset;
#[cfg(feature = "dicom")]
mod dicom;
mod dicom_start;
mod document;
mod fields;
pub mod identifier;
mod image_hashes;
pub mod import;
mod jpeg_data;
mod jpeg_file;
mod jpeg_scans;
mod jsonl;
mod label;
mod label_set;
mod leakage;
mod look_alikes;
mod manifest;
mod picture;
mod picture_limits;
mod png_file;
mod problem;
mod remark;
mod summary;
mod task;
mod train_part;
mod unfinished;
mod value_range;
mod value_window;
mod writer;

pub use answer::{Answer, AnswerKey, LabelIndex, answer_words};
pub use case::{Case, Split};
pub use check::{CheckReport, check};
pub use dataset::{CASES_FILE, CORPUS_FILE, Dataset, LenientDataset, OpenedCases};
pub use document::Document;
pub use label::Label;
<<<<<<< HEAD
pub use manifest::{MANIFEST_FILE, Manifest, OnlyPart};
=======
pub use label_set::{LabelSet, MOST_LABELS_IN_SETS};
pub use manifest::{MANIFEST_FILE, Manifest};
>>>>>>> a59bc29 (Sets of labels as answers: the empty set and unknown labels)
pub use picture::{CONVERSION_VERSION, Picture};
pub use problem::{Problem, Severity};
pub use remark::PictureRemark;
pub use summary::Summary;
pub use task::{PromptTemplate, Task, TaskKind};
pub use train_part::Part;
pub use value_window::ValueWindow;
pub use writer::{DatasetWriter, Existing};

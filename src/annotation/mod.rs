//! Annotations: an append-only journal per annotator, the taxonomy, exports.
//!
//! Events ([`Event`]) are the truth: one JSON line each in `WORKSPACE/annotations/<annotator>@<host>.jsonl`, on disk before
//! [`Journal::append`] returns and never rewritten. What a person sees is a fold over the events of all files in the
//! folder ([`AnnotationState`]), so folders of several people merge by copying their files together.

pub mod agreement;
mod event;
mod export;
mod folder;
mod journal;
mod names;

mod state;
mod taxonomy;

pub use event::{EVENT_VERSION, Event, EventKind};
pub use export::{ExportFormat, ExportRow, export_rows, write_rows};
pub use folder::read_folder;
pub use journal::Journal;
pub use state::{AnnotationState, CaseAnnotation};
pub use taxonomy::{Category, TAXONOMY_FILE, Taxonomy};

//! Annotations of cases, kept in journals, and everything computed from them.
//!
//! Events ([`Event`]) are the truth: one JSON line each in `WORKSPACE/annotations/<annotator>@<host>.jsonl`, on disk
//! Events ([`Event`]) are the truth: one JSON line each in `WORKSPACE/annotations/<annotator>@<host>.jsonl`, on disk
//! before [`Journal::append`] returns and never rewritten. The current annotations are a fold over the events of all
//! files in the folder ([`AnnotationState`]), so folders of several people merge by copying their files together. All
//! annotations of one case are a [`CaseReview`]. An [`AnnotationSession`] has journal, taxonomy and state for one
//! annotator and carries out [`AnnotationEdit`]s.
//!
//! | module | what is in it |
//! |---|---|
//! | `taxonomy`, `category_id` | the error categories that people choose from, and their ids |
//! | `taxonomy_copies`, `taxonomy_versions`, `definition_history` | earlier wordings of categories, and which annotations were made under them |
//! | `event`, `event_json` | events, and their lines in the journal |
//! | `journal`, `journal_file`, `history` | writes events so that none is lost; undo and redo |
//! | `folder`, `interner`, `journal_watch` | reads all journals, and events that others add meanwhile |
//! | `state`, `replay`, `case_annotation` | computes the annotation of a case by one annotator from events |
//! | `case_review`, `disagreement`, `final_set` | all annotations of a case: disputed, decided, final |
//! | `session`, `edit`, `exposure` | one annotator's session; edits; the cases seen unblinded |
//! | `assignment`, `worklist` | which cases an annotator gets, and in which pass |
//! | `rated_cases`, [`agreement`] | annotations as ratings, and the agreement of annotators |
//! | `merge`, `names`, `strangers` | other people's folders; names of annotators; unknown ids |
//! | `export`, `table_export`, `prodigy` | export to tables, Label Studio and Argilla; import from Prodigy |
//! | `staleness` | whether a case has changed since it was annotated |
//!
//! ```
//! use dissent_annotation::{AnnotationState, EventContext, EventKind, Journal};
//!
//! let folder = tempfile::tempdir()?;
//! let mut journal = Journal::open(folder.path(), "ada", "laptop")?;
//! journal.append("case-1", EventKind::annotate("look-alike"), EventContext::default())?;
//! journal.append("case-1", EventKind::Unsure { unsure: true }, EventContext::default())?;
//! journal.undo()?;
//!
//! let (state, problems) = AnnotationState::read(folder.path())?;
//! assert!(problems.is_empty());
//! let annotation = state.of("ada", "case-1").unwrap();
//! assert!(annotation.categories.contains("look-alike") && !annotation.unsure);
//! # anyhow::Ok(())
//! ```

pub mod agreement;
mod assignment;
mod case_annotation;
mod case_review;
mod category_id;
mod definition_history;
mod disagreement;
mod edit;
mod event;
mod event_json;
mod export;
mod exposure;
mod final_set;
mod folder;
mod history;
mod interner;
mod journal;
mod journal_file;
mod journal_watch;
mod merge;
mod names;
mod prodigy;
mod rated_cases;
mod replay;
mod session;
mod staleness;
mod state;
mod strangers;
mod table_export;
mod taxonomy;
mod taxonomy_copies;
mod taxonomy_versions;
mod worklist;

pub use assignment::{Assignment, Plan};
pub use case_annotation::{CaseAnnotation, Decision, remarks};
pub use case_review::{AuthoredAnnotation, CaseReview, Standing};
pub use category_id::{CategoryId, GivenDefinitions};
pub use definition_history::DefinitionHistory;
pub use disagreement::disagreements;
pub use edit::AnnotationEdit;
pub use event::{EVENT_VERSION, Event, EventContext, EventKind};
pub use export::{
    EXPORT_COLUMNS, ExportFormat, ExportRow, LABEL_STUDIO_PREFIX, ToolExport, argilla_files, export_rows,
    label_studio_config, label_studio_tasks,
};
pub use final_set::{FINAL_COLUMNS, FinalRow, final_rows, named_errors};
pub use folder::read_folder;
pub use journal::Journal;
pub use journal_watch::JournalWatch;
pub use merge::{Brought, Merged, merge_folder};
pub use names::check_annotator;
pub use prodigy::{PRODIGY_HOST, ProdigyFile, ProdigyOptions, read_prodigy};
pub use rated_cases::{Counted, rated_cases};
pub use session::AnnotationSession;
pub use staleness::{Staleness, answers_fingerprint};
pub use state::AnnotationState;
pub use strangers::strangers;
#[cfg(feature = "parquet")]
pub use table_export::write_parquet;
pub use table_export::{Column, Kind, TableExport, write_csv, write_jsonl};
pub use taxonomy::{Category, Level, TAXONOMY_FILE, Taxonomy};
pub use taxonomy_copies::TAXONOMIES_FOLDER;
pub use taxonomy_versions::{EarlierDefinition, TaxonomyVersions};
pub use worklist::{Wanted, Worklist};

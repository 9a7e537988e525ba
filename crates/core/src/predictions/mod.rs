//! Predictions of other programs: their files are read, joined to the cases of a dataset and stored as runs.
//!
//! | module | what is in it |
//! |---|---|
//! | `format` | the formats, and how a file is recognised |
//! | `own_lines` | the documented JSONL, which `export` writes |
//! | `lmms_eval`, `vlmevalkit`, `llava`, `helm`, `medmnist_scores` | one file per harness |
//! | `sheet`, `excel` | tables: Excel files, files with tabs, JSON |
//! | `question_file` | questions and pictures that the files of a harness leave out |
//! | `join` | which case an answer belongs to |
//! | `parse` | an answer as a prediction of the case's task |
//! | `counts` | what was done to answers, in words |
//! | `collect` | all answers by model and case |
//! | `write_run` | the runs of the models, or of all as candidates |
//! | `import` | the whole import |

mod collect;
mod counts;
mod excel;
mod export;
mod format;
mod given_answer;
mod helm;
mod import;
mod join;
mod json_file;
mod llava;
mod lmms_eval;
mod medmnist_scores;
mod own_lines;
mod parse;
mod question_file;
mod read_file;
mod sheet;
mod vlmevalkit;
mod write_run;

pub use export::export_predictions;
pub use format::PredictionFormat;
pub use import::{ImportedPredictions, ImportedRun, PredictionOptions, import_predictions};

//! Engine, runs, prompts, the candle reader and `dissent predict`.

mod explain;
mod explained_casebook;
mod families;
mod given_hits;
mod label_sets;
mod open_answers;
mod own_run;
mod predict;
mod prompt;
mod reader;
mod reference_run;
mod run;
mod support;
mod threads;

//! Annotations: the fold, the journal on disk, agreement, adjudication, exports and imports, the commands.

mod agreement;
mod annotate;
mod assignment;
mod command;
mod exports;
mod final_set;
mod fold;
mod journal;
mod merge;
mod prodigy;
mod session;
mod torture;

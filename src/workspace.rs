//! The workspace: where everything derived from a dataset is kept.

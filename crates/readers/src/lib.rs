//! Readers of dissent in this process and on servers, and the pipeline from a case to its predictions.

pub mod pipeline;
pub mod reader;
pub mod worker;

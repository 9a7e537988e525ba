//! A vision-language model as reader, in this process or on servers, and the pipeline from a case to its predictions.

pub mod explain;
pub mod pipeline;
pub mod reader;
pub mod worker;

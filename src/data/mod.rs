//! Cases, documents, tasks and the dataset directory that holds them.

mod case;
mod dataset;
mod document;
mod picture;
mod task;

pub use case::{Case, Split};
pub use dataset::Dataset;
pub use document::Document;
pub use picture::Picture;
pub use task::{Label, PromptTemplate, Task, TaskKind};

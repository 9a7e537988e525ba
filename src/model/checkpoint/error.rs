//! What can be wrong with a checkpoint folder.

use std::path::PathBuf;
use thiserror::Error;

/// A fault of a checkpoint folder or one of its files.
#[derive(Debug, Error)]
pub enum CheckpointError {
    #[error("no model folder {}", .0.display())]
    FolderMissing(PathBuf),
    #[error("{} is missing from the model folder {}: {purpose}", .file, .folder.display())]
    FileMissing { folder: PathBuf, file: String, purpose: &'static str },
    #[error("cannot read {}: {reason}", .path.display())]
    Unreadable { path: PathBuf, reason: String },
    #[error("{}: not a whole safetensors file: {reason}", .path.display())]
    BadSafetensors { path: PathBuf, reason: String },
    #[error("{}: a pickle, which may run any code as it is read; convert it to model.safetensors", .0.display())]
    Pickle(PathBuf),
    #[error("{}: tensor {name} is in another weight file too", .path.display())]
    TensorTwice { path: PathBuf, name: String },
    #[error("{}: {reason}", .path.display())]
    BadJson { path: PathBuf, reason: String },
    #[error("{}: tensor {name} is missing", .path.display())]
    TensorMissing { path: PathBuf, name: String },
    #[error("{}: tensor {name} has shape {found:?}, the configuration asks for {expected:?}", .path.display())]
    WrongShape { path: PathBuf, name: String, expected: Vec<usize>, found: Vec<usize> },
    #[error("{}: tensor {name} has a value that is not a number or infinite, at element {element}", .path.display())]
    NotFinite { path: PathBuf, name: String, element: usize },
    #[error("{}: tensor {name} holds {found}, expected f32, f16 or bf16", .path.display())]
    NotFloating { path: PathBuf, name: String, found: String },
}

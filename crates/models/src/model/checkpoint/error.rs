//! Errors of checkpoint folders.

use super::UnusedTensors;
use std::path::PathBuf;
use thiserror::Error;

/// A problem with a checkpoint folder or one of its files.
#[derive(Debug, Error)]
pub enum CheckpointError {
    #[error("no model folder {}", .0.display())]
    FolderMissing(PathBuf),
    #[error("{} is missing from the model folder {}: {purpose}", .file, .folder.display())]
    FileMissing { folder: PathBuf, file: String, purpose: &'static str },
    #[error(
        "tokenizer.json is missing from the model folder {}, which has {found}: take it from the model's repository on \
         the hub, or let a fast tokenizer of transformers write it (`AutoTokenizer.from_pretrained(…).save_pretrained(…)`)",
        .folder.display()
    )]
    OtherTokenizer { folder: PathBuf, found: String },
    #[error("cannot read {}: {reason}", .path.display())]
    Unreadable { path: PathBuf, reason: String },
    #[error("{}: not a complete safetensors file: {reason}", .path.display())]
    BadSafetensors { path: PathBuf, reason: String },
    #[error("{}: {reason}", .path.display())]
    BadGguf { path: PathBuf, reason: String },
    #[error("{}: tensor {name} is in another weight file too; expected each tensor once", .path.display())]
    TensorTwice { path: PathBuf, name: String },
    #[error("{}: {reason}", .path.display())]
    BadJson { path: PathBuf, reason: String },
    #[error("{}: tensor {name} is missing", .path.display())]
    TensorMissing { path: PathBuf, name: String },
    #[error("{}: tensor {name} has shape {found:?}, the configuration requires {expected:?}", .path.display())]
    WrongShape { path: PathBuf, name: String, expected: Vec<usize>, found: Vec<usize> },
    #[error(
        "{}: tensor {name} differs from {embedding}, and config.json says they are one (tie_word_embeddings true): set it \
         to false, or remove the tensor",
        .path.display()
    )]
    TiedDiffers { path: PathBuf, name: String, embedding: String },
    #[error("{}: {unused}", .path.display())]
    TensorsUnused { path: PathBuf, unused: UnusedTensors },
    #[error(
        "{}: the weights are in {file}, a pickle, which can execute code when loaded; expected {target}, \
         which Python writes: from safetensors.torch import save_file; \
         save_file(torch.load(\"{file}\", weights_only=True), \"{target}\")",
        .folder.display()
    )]
    Pickle { folder: PathBuf, file: String, target: &'static str },
    #[error(
        "{}: the weights are in the pickles that pytorch_model.bin.index.json lists, which can execute code when \
         loaded; expected model.safetensors, or its index and shards, which transformers writes \
         (`AutoModel.from_pretrained(…).save_pretrained(…)`)",
        .0.display()
    )]
    PickledShards(PathBuf),
    #[error("{}: tensor {name} has a NaN or infinite value at element {element}", .path.display())]
    NotFinite { path: PathBuf, name: String, element: usize },
    #[error(
        "{}: tensor {name} has the value {value} at element {element}, which overflows f16 (at most \
         65504); expected --dtype f32, or bf16 if the device supports it",
        .path.display()
    )]
    BeyondF16 { path: PathBuf, name: String, element: usize, value: f32 },
    #[error("{}: tensor {name} holds {found}, expected f32, f16 or bf16", .path.display())]
    NotFloating { path: PathBuf, name: String, found: String },
}

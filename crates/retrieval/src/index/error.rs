//! Errors of an index, for callers that decide how to handle them.

use anyhow::anyhow;
use dissent_core::files::fingerprint::Fingerprint;
use std::io;
use std::path::{Path, PathBuf};

/// Reason why an index cannot be used. Rebuilding with an encoder repairs all but the last six.
#[derive(Debug, thiserror::Error)]
pub enum IndexError {
    /// The index does not exist.
    #[error("no index in {}; `dissent index` builds it", path.display())]
    Missing { path: PathBuf },
    /// The index was built from other inputs.
    #[error(
        "the index in {} is stale: it was built from {what} {found}, expected {expected}; `dissent index` builds it \
         again", path.display()
    )]
    Stale { path: PathBuf, what: &'static str, expected: Fingerprint, found: Fingerprint },
    /// Another version of dissent built the index.
    #[error(
        "the index in {} is stale: it has format {found}, this program writes {expected}; `dissent index` builds it again",
        path.display()
    )]
    OtherVersion { path: PathBuf, expected: u32, found: String },
    /// The index was built with other rules.
    #[error(
        "the index in {} is stale: its {what} is {found}, this program's is {expected}; `dissent index` builds it again",
        path.display()
    )]
    OtherRule { path: PathBuf, what: &'static str, expected: String, found: String },
    /// An image that was left out can be read now.
    #[error("the index in {} lacks the image of document {document}, which can be read now", path.display())]
    Incomplete { path: PathBuf, document: String },
    /// A file is missing, cut short or different from what was written.
    #[error("the index is damaged: {}: {reason}; `dissent index --force` rebuilds it", path.display())]
    Damaged { path: PathBuf, reason: String },
    /// The server of an encoder gives other vectors than those of the index.
    #[error(
        "the encoder {name} on its server is not what made the index in {}: its fingerprint was {expected}, now it is {found} \
         (it gives other vectors for the same text and picture); serve the same model again, or run `dissent index DATASET \
         --encoder URL --force`", path.display()
    )]
    ServerChanged { path: PathBuf, name: String, expected: Fingerprint, found: Fingerprint },
    /// An encoder cannot search the vectors of another program.
    #[error(
        "the index in {} has vectors of another program ({name}), which no encoder can search; `dissent index DATASET \
         --encoder DIR --force` replaces it", path.display()
    )]
    Given { path: PathBuf, name: String },
    /// The vectors of another program no longer fit the dataset or their files.
    #[error(
        "the index in {} has vectors of another program, and {reason}; make the vectors again where they are concerned, \
         then run `{command}`", path.display()
    )]
    GivenStale { path: PathBuf, reason: String, command: String },
    /// The query is invalid.
    #[error(
        "cannot read the query '{query}': {reason}; expected words, \"a phrase\", -word, +word, word~, word*, source:NAME, AND, OR, NOT, brackets"
    )]
    Query { query: String, reason: String },
    /// The engine cannot answer such a query.
    #[error("{engine} cannot answer '{query}': {reason}")]
    Unsupported { engine: &'static str, query: String, reason: String },
    #[error(transparent)]
    Failed(#[from] anyhow::Error),
}

impl IndexError {
    /// A damaged file.
    pub(super) fn damaged(path: &Path, reason: impl std::fmt::Display) -> Self {
        Self::Damaged { path: path.into(), reason: reason.to_string() }
    }

    /// A file that cannot be read. If the process has run out of files or memory, the index itself
    /// is fine.
    pub(super) fn unreadable(path: &Path, error: &io::Error) -> Self {
        let wants = [libc::EMFILE, libc::ENFILE, libc::ENOMEM];
        if error.raw_os_error().is_some_and(|code| wants.contains(&code)) {
            return Self::Failed(anyhow!("cannot read {}: {error}", path.display()));
        }
        Self::damaged(path, error)
    }

    /// Whether rebuilding the index with an encoder would help.
    pub fn is_mended_by_building(&self) -> bool {
        !matches!(
            self,
            Self::ServerChanged { .. }
                | Self::Given { .. }
                | Self::GivenStale { .. }
                | Self::Query { .. }
                | Self::Unsupported { .. }
                | Self::Failed(_)
        )
    }
}

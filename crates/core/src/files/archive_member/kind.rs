//! The kinds of containers, by the ending of their file name.

use std::io::{Error, ErrorKind};

/// What a file with members is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ContainerKind {
    Zip,
    Tar,
    Parquet,
    Arrow,
    /// A compressed tar file: its members cannot be found without decompressing all before them.
    CompressedTar,
}

impl ContainerKind {
    /// The kind of a file with this name; `None` if it is no container.
    pub fn of(path: &str) -> Option<Self> {
        let name = path.rsplit(['/', '\\']).next().unwrap_or_default().to_ascii_lowercase();
        let has = |endings: &[&str]| {
            endings.iter().any(|ending| name.strip_suffix(ending).is_some_and(|stem| !stem.is_empty()))
        };
        if has(&[".tar.gz", ".tgz", ".tar.bz2", ".tar.xz", ".tar.zst"]) {
            return Some(Self::CompressedTar);
        }
        let kinds = [(".zip", Self::Zip), (".tar", Self::Tar), (".parquet", Self::Parquet), (".arrow", Self::Arrow)];
        kinds.into_iter().find(|(ending, _)| has(&[ending])).map(|(_, kind)| kind)
    }

    /// For messages.
    pub fn name(self) -> &'static str {
        match self {
            Self::Zip => "zip file",
            Self::Tar => "tar file",
            Self::Parquet => "parquet file",
            Self::Arrow => "Arrow file",
            Self::CompressedTar => "compressed tar file",
        }
    }

    /// The error for a compressed tar file.
    pub fn compressed() -> Error {
        let message = "expected a plain .tar file, found a compressed one, in which no member can be found without \
                       decompressing all before it; decompress it (`gunzip FILE.tar.gz`) and name FILE.tar";
        Error::new(ErrorKind::Unsupported, message)
    }
}

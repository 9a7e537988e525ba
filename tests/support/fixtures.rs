//! Files of the repository.

use std::path::{Path, PathBuf};

/// The folder of the project.
pub fn project() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A path below `tests/fixtures`.
pub fn path(name: &str) -> PathBuf {
    project().join("tests/fixtures").join(name)
}

/// A path below `sample-data`.
pub fn sample(name: &str) -> PathBuf {
    project().join("sample-data").join(name)
}

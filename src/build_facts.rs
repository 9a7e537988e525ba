//! What this program was built from, for `--version` and bug reports.

use crate::processor;
use std::sync::LazyLock;

/// The commit that a distributed program was built from (`scripts/make-dist`); other builds do not know theirs, because a build that
/// has to look would compile the program again after every commit.
const COMMIT: Option<&str> = option_env!("DISSENT_COMMIT");

/// What `dissent --version` prints after the name.
pub static LONG_VERSION: LazyLock<String> = LazyLock::new(|| {
    format!(
        "{}\ncommit: {}\nfeatures: {}\nprocessor: {}",
        env!("CARGO_PKG_VERSION"),
        commit(),
        features(),
        processor::description()
    )
});

/// The commit, or that it is not known.
pub fn commit() -> &'static str {
    COMMIT.unwrap_or("unknown (not built by make dist)")
}

/// The features that this program was compiled with: "milvus, cuda", or "none".
pub fn features() -> String {
    let all =
        [("milvus", cfg!(feature = "milvus")), ("cuda", cfg!(feature = "cuda")), ("metal", cfg!(feature = "metal"))];
    let on: Vec<&str> = all.iter().filter(|(_, is_on)| *is_on).map(|(name, _)| *name).collect();
    if on.is_empty() { "none".to_owned() } else { on.join(", ") }
}

//! Models that stand in the place of documents in some runs.

use crate::data::Dataset;
use crate::run::{RUN_FILE, RunIdentity};
use crate::workspace::Workspace;
use anyhow::{Result, bail};

/// Adds rows for the models of these runs, so that their answers can be read.
///
/// # Errors
/// Fails if there is no run of a name, or its `run.toml` cannot be read.
pub fn add_models_of<'a>(
    dataset: &mut Dataset,
    workspace: &Workspace,
    runs: impl IntoIterator<Item = &'a str>,
) -> Result<()> {
    for name in runs {
        let path = workspace.existing_run(name)?.join(RUN_FILE);
        // Opening the run says what is missing.
        if path.exists() {
            dataset.add_models(&RunIdentity::read(&path)?.candidates);
        }
    }
    Ok(())
}

/// # Errors
/// Fails if models stand in the place of documents in this run; `what` needs documents.
pub fn refuse_models(identity: &RunIdentity, name: &str, what: &str) -> Result<()> {
    if !identity.candidates.is_empty() {
        bail!(
            "run {name}: expected a run with documents, found one whose candidates are the models {}; {what} needs documents",
            identity.candidates.join(", ")
        );
    }
    Ok(())
}

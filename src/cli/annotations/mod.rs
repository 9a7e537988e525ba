//! `dissent annotations`: lists, compares, merges, imports and exports annotations.

mod agreement;
mod assign;
mod disagreements;
mod export;
mod import;
mod list;
mod merge;

use super::Common;
use crate::annotation::{AnnotationState, ExportRow, Taxonomy, export_rows, strangers};
use crate::cli::open_dataset::say_remarks;
use crate::data::Dataset;
use crate::output::say;
use crate::sample::Sample;
use crate::workspace::Workspace;
use anyhow::{Context, Result};
use clap::Subcommand;
use std::path::{Path, PathBuf};

/// Arguments of `dissent annotations`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List each annotator's latest annotation of each case, or the final annotations
    List(list::Args),
    /// Print the agreement of annotators: percent, kappa, alpha, AC1 with intervals, by task and category, and confusions
    Agreement(agreement::Args),
    /// List the cases that an adjudicator should decide, with each annotator's categories and note
    Disagreements(disagreements::Args),
    /// Export each annotator's latest annotations, or the final annotations, for other programs and annotation tools
    Export(export::Args),
    /// Import annotations made in another tool
    Import(import::Args),
    /// Divide the cases among several people, without a server
    Assign(assign::Args),
    /// Copy other people's journals into this dataset; doing it again changes nothing
    Merge(merge::Args),
}

/// Runs `dissent annotations`.
pub fn run(args: Args, common: &Common) -> Result<()> {
    match args.action {
        Action::Assign(args) => assign::run(args, common),
        Action::Merge(args) => merge::run(args, common),
        Action::List(args) => list::run(args, common),
        Action::Agreement(args) => agreement::run(args, common),
        Action::Disagreements(args) => disagreements::run(args, common),
        Action::Export(args) => export::run(args, common),
        Action::Import(args) => import::run(args, common),
    }
}

/// The dataset and the annotations that the rows are made of.
struct Annotations {
    state: AnnotationState,
    taxonomy: Taxonomy,
    /// The dataset without its invalid lines.
    dataset: Dataset,
    /// The folder of the journals.
    folder: PathBuf,
}

impl Annotations {
    fn open(dataset: Option<PathBuf>, common: &Common) -> Result<Self> {
        if let Some(dataset) = dataset {
            return Self::read(&dataset, common.workspace.as_deref());
        }
        let sample = Sample::unpack()?;
        Self::read(&sample.dataset, Some(common.workspace.as_deref().unwrap_or(&sample.workspace)))
    }

    /// Reads the annotations folder and the dataset. Invalid lines are reported on standard error and skipped: a broken
    /// case must not lock people out of their own annotations.
    fn read(root: &Path, workspace: Option<&Path>) -> Result<Self> {
        let (dataset, errors) = Dataset::open_usable(root)?;
        say_remarks(&dataset);
        let folder = Workspace::open(root, workspace)?.annotations_dir();
        let (state, problems) = AnnotationState::read(&folder)?;
        for problem in errors.iter().chain(&problems) {
            say(&format!("warning: {problem}"));
        }
        let taxonomy = Taxonomy::read(&folder)?;
        for remark in strangers(&state, &taxonomy, &dataset.cases) {
            say(&format!("warning: {remark}"));
        }
        Ok(Self { state, taxonomy, dataset, folder })
    }

    fn rows(&self) -> Result<Vec<ExportRow<'_>>> {
        export_rows(&self.state, &self.taxonomy, &self.dataset.cases).context("cannot list the annotations")
    }
}

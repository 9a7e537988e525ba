//! `dissent annotations merge`: copies other people's journals into this dataset's folder.

use crate::annotation::{Brought, Merged, Taxonomy, merge_folder};
use crate::cli::Common;
use crate::output::{count, one_line, print_json, print_line, say};
use crate::workspace::Workspace;
use anyhow::Result;
use std::path::PathBuf;

/// Arguments of `dissent annotations merge`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Dataset directory
    dataset: PathBuf,
    /// Annotations folders, workspaces or datasets of other people
    #[arg(required = true, value_name = "FOLDER")]
    folders: Vec<PathBuf>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// Copies the journals and prints what was copied.
pub fn run(args: Args, common: &Common) -> Result<()> {
    let folder = Workspace::open(&args.dataset, common.workspace.as_deref())?.annotations_dir();
    let mut merged: Vec<Merged> = Vec::new();
    for source in &args.folders {
        merged.extend(merge_folder(source, &folder)?);
    }
    for problem in merged.iter().flat_map(|journal| &journal.problems) {
        say(&format!("warning: {problem}"));
    }
    // Differing definitions matter before figures are computed from both.
    let taxonomy = Taxonomy::read(&folder)?;
    let (events, _) = crate::annotation::read_folder(&folder)?;
    let mut earlier: Vec<&str> =
        events.iter().flat_map(|event| taxonomy.changed_since(&event.context.definitions)).collect();
    earlier.sort_unstable();
    earlier.dedup();
    if args.json {
        let report = serde_json::json!({
            "folder": folder,
            "journals": merged,
            "events": events.len(),
            "other_definitions": earlier,
        });
        return print_json(&report);
    }
    for journal in &merged {
        let what = match journal.brought {
            Brought::New => format!("copied to {}", journal.target.display()),
            Brought::Longer => format!("copy updated: {}", journal.target.display()),
            Brought::Known => "already up to date".to_owned(),
            Brought::NoJournal => "skipped, no events".to_owned(),
        };
        let line = format!("{} ({}): {what}", journal.source.display(), count(journal.events, "event"));
        print_line(&one_line(&line))?;
    }
    if !earlier.is_empty() {
        let ids = one_line(&earlier.join(", "));
        print_line(&format!("some events use an earlier definition of these categories: {ids}"))?;
    }
    print_line(&one_line(&format!("{} in {}", count(events.len(), "event"), folder.display())))
}

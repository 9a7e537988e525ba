//! `dissent annotations merge`: other people's journals into this dataset's folder.

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
    /// Annotations folder, workspace or dataset of somebody else
    #[arg(required = true, value_name = "FOLDER")]
    folders: Vec<PathBuf>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// Copies the journals and says what came.
pub fn run(args: Args, common: &Common) -> Result<()> {
    let folder = Workspace::open(&args.dataset, common.workspace.as_deref())?.annotations_dir();
    let mut merged: Vec<Merged> = Vec::new();
    for source in &args.folders {
        merged.extend(merge_folder(source, &folder)?);
    }
    for problem in merged.iter().flat_map(|journal| &journal.problems) {
        say(&format!("warning: {problem}"));
    }
    // A definition that differs here and there is worth knowing before figures are made of both.
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
            Brought::Longer => format!("its copy {} brought up to date", journal.target.display()),
            Brought::Known => "there already".to_owned(),
            Brought::NoJournal => "left out, no event in it".to_owned(),
        };
        let line = format!("{} ({}): {what}", journal.source.display(), count(journal.events, "event"));
        print_line(&one_line(&line))?;
    }
    if !earlier.is_empty() {
        let ids = one_line(&earlier.join(", "));
        print_line(&format!("given under another definition than taxonomy.toml has now, by some events: {ids}"))?;
    }
    print_line(&one_line(&format!("{} in {}", count(events.len(), "event"), folder.display())))
}

//! `dissent download`: a model of the Hugging Face hub into its cache on this machine.

use super::interrupt::{InterruptFlag, Interrupted};
use crate::download::{Hub, download, plan, readable_size, was_cancelled};
use crate::model::hub::HubId;
use crate::output::{count, one_line, print_json, print_line, progress_bar, say};
use anyhow::Result;
use serde_json::json;

/// Arguments of `dissent download`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The model: org/name or org/name@revision (a branch, tag or commit)
    #[arg(value_name = "ORG/NAME[@REVISION]")]
    model: HubId,
    /// Only print what would be downloaded, and to which folder
    #[arg(long)]
    dry_run: bool,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// Prints size and destination, then downloads the missing files.
pub fn run(args: Args) -> Result<()> {
    let interrupt = InterruptFlag::watch()?;
    let hub = Hub::of_environment()?;
    let plan = plan(&hub, &args.model, &|| interrupt.is_set()).map_err(|error| {
        if was_cancelled(&error) { Interrupted { kept: "nothing was downloaded".into() }.into() } else { error }
    })?;
    let (total, missing) = (plan.total(), plan.missing());
    let destination = plan.destination();
    let still =
        if missing < total { format!(", {} of them still missing", readable_size(missing)) } else { String::new() };
    say(&format!(
        "{} at revision {} ({}): {}, {}{still}, into {}",
        args.model,
        args.model.revision(),
        plan.commit(),
        count(plan.count(), "file"),
        readable_size(total),
        destination.display()
    ));
    if !args.dry_run {
        let bar = progress_bar("kB");
        bar.set_length(total / 1000);
        let fetched = download(&hub, &plan, &|| interrupt.is_set(), &mut |step| {
            bar.set_message(one_line(step.file));
            bar.set_position(step.done / 1000);
        });
        bar.finish_and_clear();
        if let Err(error) = fetched {
            if was_cancelled(&error) {
                return Err(Interrupted {
                    kept: "the downloaded part is kept; run the same command to continue".into(),
                }
                .into());
            }
            return Err(error.context(format!("cannot download {}", args.model)));
        }
    }
    if args.json {
        return print_json(&json!({
            "model": args.model.to_string(),
            "revision": args.model.revision(),
            "commit": plan.commit(),
            "files": plan.count(),
            "bytes": total,
            "missing_bytes": plan.missing(),
            "folder": destination,
        }));
    }
    if args.dry_run { Ok(()) } else { print_line(&destination.display().to_string()) }
}

//! `dissent annotations import`: imports annotations of another tool as separate journals.

use super::Annotations;
use crate::annotation::{PRODIGY_HOST, ProdigyFile, ProdigyOptions, read_prodigy};
use crate::cli::Common;
use crate::data::identifier::look_alikes;
use crate::files::fingerprint::Fingerprint;
use crate::files::{durable, input_file};
use crate::output::{count, one_line, print_json, print_line, say};
use anyhow::{Context, Result, bail};
use serde_json::json;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use time::OffsetDateTime;

/// Arguments of `dissent annotations import`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Tool that wrote the file
    #[arg(value_enum)]
    format: Format,
    /// File to import
    file: PathBuf,
    /// Dataset directory whose cases were annotated
    dataset: PathBuf,
    /// Annotator of the lines that name none
    #[arg(long, value_name = "NAME")]
    annotator: Option<String>,
    /// Prefix to remove from the annotators' names (Prodigy puts its dataset and a hyphen in front)
    #[arg(long, default_value = "", value_name = "TEXT")]
    drop_prefix: String,
    /// Rename an annotator, for example 'Ada L.=ada' (letters, digits, `.`, `_`, `-`); may be given several times
    #[arg(long = "map-annotator", value_name = "THERE=HERE", value_parser = name_and_name)]
    map: Vec<(String, String)>,
    /// Import the valid lines even if others are invalid
    #[arg(long)]
    partial: bool,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// Maximum file size in bytes: Prodigy may store every picture in its line.
const LONGEST: u64 = 4 << 30;

fn name_and_name(text: &str) -> Result<(String, String), String> {
    let (there, here) = text.split_once('=').ok_or("expected THERE=HERE, as in 'Ada L.=ada'")?;
    Ok((there.trim().to_owned(), here.trim().to_owned()))
}

/// The formats that can be imported.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// JSON lines of `prodigy db-out`
    Prodigy,
}

/// Imports the file and prints a summary.
pub fn run(args: Args, common: &Common) -> Result<()> {
    let Format::Prodigy = args.format;
    let annotations = Annotations::open(Some(args.dataset.clone()), common)?;
    let bytes = input_file::read(&args.file, LONGEST)
        .and_then(|bytes| input_file::text(&bytes).map(|_| ()).map(|()| bytes))
        .with_context(|| format!("cannot read {}", args.file.display()))?;
    let map: BTreeMap<String, String> = args.map.iter().cloned().collect();
    let options = ProdigyOptions {
        annotator: args.annotator.clone(),
        drop_prefix: args.drop_prefix.clone(),
        map,
        otherwise_at: last_changed(&args.file)?,
    };
    let read = read_prodigy(&args.file, &bytes, &annotations.dataset.cases, &annotations.taxonomy, &options);
    for problem in &read.problems {
        say(&problem.to_string());
    }
    if !read.problems.is_empty() && !args.partial {
        bail!(
            "{} cannot be imported, so nothing was (--partial imports the others)",
            count(read.problems.len(), "line")
        );
    }
    let names = read.events.keys().map(String::as_str).chain(annotations.state.annotators());
    for (one, other) in look_alikes(names) {
        say(&format!(
            "warning: annotators {one:?} and {other:?} differ in case or spelling only and are two people; --map-annotator \
             makes them one"
        ));
    }
    let mut journals = Vec::new();
    for (annotator, events) in &read.events {
        let mut lines = Vec::new();
        for event in events {
            serde_json::to_writer(&mut lines, event).context("cannot write an event as JSON")?;
            lines.push(b'\n');
        }
        // The file name comes from the content, so importing the same lines again writes the same file. A file with
        // as many events differs at most in the time of lines that name none, and events added since are later.
        let name = format!("{annotator}@{PRODIGY_HOST}-{}.jsonl", Fingerprint::of_bytes(&bytes).as_str());
        let path = annotations.folder.join(&name);
        if !fs::read_to_string(&path).is_ok_and(|there| there.lines().count() == events.len()) {
            durable::write_file(&path, &lines)?;
        }
        journals.push(name);
    }
    report(&args, &read, &journals)
}

/// Time of the file's last change; lines without a time were written before it.
fn last_changed(path: &Path) -> Result<OffsetDateTime> {
    let changed = fs::metadata(path).and_then(|file| file.modified());
    Ok(changed.with_context(|| format!("cannot tell when {} was changed", path.display()))?.into())
}

fn report(args: &Args, read: &ProdigyFile, journals: &[String]) -> Result<()> {
    if args.json {
        let annotators: Vec<&String> = read.events.keys().collect();
        return print_json(&json!({
            "annotators": annotators, "accepted": read.accepted, "rejected": read.rejected, "ignored": read.ignored,
            "overruled": read.overruled, "problems": read.problems, "journals": journals,
        }));
    }
    print_line(&format!(
        "{} accepted, {} rejected (flagged, without a category), {} ignored (skipped), by {}",
        read.accepted,
        read.rejected,
        read.ignored,
        count(read.events.len(), "annotator")
    ))?;
    if read.overruled > 0 {
        print_line(&format!(
            "{} replaced by a later annotation of the same case by the same person",
            count(read.overruled, "annotation")
        ))?;
    }
    for name in journals {
        print_line(&format!("journal {}", one_line(name)))?;
    }
    Ok(())
}

//! `dissent annotations export`: writes annotations for other programs.

use super::Annotations;
use crate::annotation::{
    EXPORT_COLUMNS, ExportFormat, FINAL_COLUMNS, LABEL_STUDIO_PREFIX, TableExport, ToolExport, argilla_files,
    final_rows, label_studio_config, label_studio_tasks, write_csv, write_jsonl, write_parquet,
};
use crate::cli::Common;
use crate::files::durable;
use crate::output::{count, print_document, say};
use crate::text::csv_cells::Formulas;
use anyhow::{Context, Result, bail};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Arguments of `dissent annotations export`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Dataset directory; default: the embedded sample
    dataset: Option<PathBuf>,
    /// Format; default: csv or parquet if the file's name ends in that, else jsonl
    #[arg(long, value_enum)]
    format: Option<ExportFormat>,
    /// File to write; default: standard output. label-studio, argilla: folder to write
    #[arg(short, long, value_name = "PATH")]
    output: Option<PathBuf>,
    /// Write one row per case: the adjudicator's decision, else what all annotators agree on
    #[arg(long = "final")]
    is_final: bool,
    /// csv: do not put an apostrophe in front of texts that a spreadsheet would run as a formula
    #[arg(long)]
    plain: bool,
    /// label-studio, argilla: prefix of the image paths, which are percent-encoded if it is a URL; default: where Label
    /// Studio serves local files; for argilla the dataset's folder
    #[arg(long, value_name = "TEXT")]
    image_prefix: Option<String>,
    /// label-studio, argilla: the tool's user id (number, UUID) of an annotator; may be given several times
    #[arg(long = "user", value_name = "NAME=ID", value_parser = name_and_id)]
    users: Vec<(String, String)>,
}

/// Writes the annotations.
pub fn run(args: Args, common: &Common) -> Result<()> {
    let format = args.format.unwrap_or_else(|| usual_format(args.output.as_deref()));
    if args.plain && format != ExportFormat::Csv {
        bail!("--plain needs --format csv");
    }
    let annotations = Annotations::open(args.dataset.clone(), common)?;
    if matches!(format, ExportFormat::LabelStudio | ExportFormat::Argilla) {
        return export_for_tool(&args, format, &annotations);
    }
    if args.image_prefix.is_some() || !args.users.is_empty() {
        bail!("--image-prefix and --user need --format label-studio or argilla");
    }
    let cases = &annotations.dataset.cases;
    let table = if args.is_final {
        let reviews = annotations.state.reviews();
        TableExport::of(&FINAL_COLUMNS, &final_rows(&reviews, &annotations.taxonomy, cases)?)?
    } else {
        TableExport::of(&EXPORT_COLUMNS, &annotations.rows()?)?
    };
    let formulas = if args.plain { Formulas::Plain } else { Formulas::Escaped };
    let mut content = Vec::new();
    match format {
        ExportFormat::Csv => write_csv(&table, formulas, &mut content)?,
        ExportFormat::Parquet => write_parquet(&table, &mut content)?,
        _ => write_jsonl(&table, &mut content)?,
    }
    let Some(path) = args.output else { return print_document(&content) };
    check_parent(&path)?;
    durable::write_file(&path, &content)?;
    say(&format!("{} written to {}", count(table.rows.len(), "row"), path.display()));
    Ok(())
}

fn export_for_tool(args: &Args, format: ExportFormat, annotations: &Annotations) -> Result<()> {
    let Some(folder) = &args.output else {
        bail!("this format consists of several files: name their folder with --output DIR")
    };
    check_parent(folder)?;
    let usual_prefix = match format {
        ExportFormat::LabelStudio => LABEL_STUDIO_PREFIX.to_owned(),
        _ => root_prefix(&annotations.dataset.root),
    };
    let export = ToolExport {
        dataset: &annotations.dataset,
        state: &annotations.state,
        taxonomy: &annotations.taxonomy,
        final_only: args.is_final,
        image_prefix: args.image_prefix.clone().unwrap_or(usual_prefix),
        users: args.users.iter().cloned().collect::<BTreeMap<_, _>>(),
    };
    let mut files: Vec<(&str, Vec<u8>)> = Vec::new();
    if format == ExportFormat::LabelStudio {
        files.push(("tasks.json", serde_json::to_vec_pretty(&label_studio_tasks(&export)?)?));
        files.push(("config.xml", label_studio_config(&export).into_bytes()));
    } else {
        for (name, value) in argilla_files(&export)? {
            files.push((name, serde_json::to_vec_pretty(&value)?));
        }
    }
    durable::make_folder(folder)?;
    for (name, content) in &files {
        durable::write_file(&folder.join(name), content)?;
    }
    say(&format!("{} written to {}", count(files.len(), "file"), folder.display()));
    Ok(())
}

/// The absolute path of the dataset's folder, so that Argilla's client finds the images wherever it runs.
fn root_prefix(root: &Path) -> String {
    let root = std::path::absolute(root).unwrap_or_else(|_| root.to_path_buf());
    format!("{}/", root.display())
}

fn check_parent(path: &Path) -> Result<()> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty() && !folder.is_dir()) {
        bail!("cannot write {1}: no such folder {0}", folder.display(), path.display());
    }
    Ok(())
}

fn usual_format(output: Option<&Path>) -> ExportFormat {
    match output.and_then(Path::extension).and_then(|ending| ending.to_str()) {
        Some("csv") => ExportFormat::Csv,
        Some("parquet") => ExportFormat::Parquet,
        _ => ExportFormat::Jsonl,
    }
}

fn name_and_id(text: &str) -> Result<(String, String)> {
    let (name, id) = text.split_once('=').with_context(|| format!("{text:?}: expected NAME=ID"))?;
    Ok((name.to_owned(), id.to_owned()))
}

//! `dissent import`: converts a published format into a dataset directory.

mod hf;
mod hits;
mod mapping_flags;
mod predictions;
mod unused_flags;

use super::Common;
use super::check::summary_text;
use crate::data::import::{
    BiomedicaOptions, ColumnMapping, FORMATS, FolderOptions, ImportOptions, Imported, Labeller, MedmnistOptions,
    MimicCxrOptions, RocoOptions, RowsAs, SlakeLanguage, SlakeOptions, Slices, TableOptions, Target, VqaRadOptions,
    guess_mapping, import_biomedica, import_brset, import_folder, import_medmnist, import_mimic_cxr, import_nih_cxr,
    import_pmc_oa, import_roco, import_rocov2, import_slake, import_table, import_vindr_pcxr, import_vqa_rad,
    is_vqa_rad_mirror, label_names,
};
use crate::data::{Existing, Split, kept_copies_of};
use crate::output::{print_json, print_line, progress_bar};
use crate::text::printable::Printable;
use anyhow::{Context, Result, bail};
use hf::HfFlags;
use mapping_flags::MappingFlags;
use std::path::{Path, PathBuf};
use unused_flags::refuse_unused_flags;

/// Formats of which nobody knows the number of rows before the end; their progress is that in their tables.
const IN_KILOBYTES: [&str; 5] = ["mimic-cxr", "roco", "rocov2", "pmc-oa", "biomedica"];

/// Arguments of `dissent import`.
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub struct Args {
    #[command(subcommand)]
    what: Option<What>,
    /// Name of the format (--list shows them all)
    #[arg(required_unless_present = "list")]
    pub format: Option<String>,
    /// File or folder to read (--list says which)
    #[arg(required_unless_present = "list")]
    pub source: Option<PathBuf>,
    /// Dataset directory to create
    #[arg(required_unless_present_any = ["list", "into", "dry_run", "guess"], conflicts_with = "into")]
    pub dataset: Option<PathBuf>,
    /// Add to this dataset; the new ids, groups and tasks begin with the name of the source
    #[arg(long, value_name = "DATASET")]
    pub into: Option<PathBuf>,
    /// With --into: the name of the source; default: the format
    #[arg(long = "source", value_name = "NAME", requires = "into")]
    pub source_name: Option<String>,
    /// What the rows become; default: what suits the format
    #[arg(long = "as", value_enum, value_name = "WHAT")]
    pub rows: Option<RowsAs>,
    /// mimic-cxr, roco, rocov2, pmc-oa, hf, table, folder: only rows of these splits; default: all
    #[arg(long, value_enum, value_delimiter = ',', value_name = "A,B,…")]
    pub splits: Vec<Split>,
    /// Copy images into the dataset; otherwise image files stay where they are and the dataset names their paths
    #[arg(long)]
    pub copy: bool,
    /// Read everything and say what would come in, but write nothing
    #[arg(long)]
    pub dry_run: bool,
    /// List the formats
    #[arg(long)]
    pub list: bool,
    /// medmnist: label names of an unknown set, in the order of the array's numbers. A JSON list allows commas in
    /// names: `["normal, benign", "malignant"]`
    #[arg(long, value_name = "A,B,…")]
    pub labels: Vec<String>,
    /// medmnist, table, folder: the question of all cases; medmnist: replaces that of a known set
    #[arg(long, allow_hyphen_values = true, value_parser = super::free_text::free_text)]
    pub question: Option<String>,
    /// medmnist: with --labels, the kind of images, for the captions
    #[arg(long, requires = "labels", allow_hyphen_values = true, value_parser = super::free_text::free_text)]
    pub modality: Option<String>,
    /// medmnist: which slices of volumes to import
    #[arg(long, value_enum, value_name = "WHICH")]
    pub slices: Option<Slices>,
    /// slake: the language of the questions; default: en
    #[arg(long, value_enum)]
    pub language: Option<SlakeLanguage>,
    /// vqa-rad, slake: leave out training questions about images that test questions also use
    #[arg(long)]
    pub drop_shared_images: bool,
    /// vqa-rad: also import open questions, as a task of their own that is answered in free text
    #[arg(long)]
    pub open_questions: bool,
    /// brset: also the ICDR grade of diabetic retinopathy, as a task of its own
    #[arg(long)]
    pub grades: bool,
    /// mimic-cxr: also images that are not frontal (PA or AP), or whose view is not known
    #[arg(long)]
    pub all_views: bool,
    /// mimic-cxr: folder or zip file of the reports; default: beside the images
    #[arg(long, value_name = "PATH")]
    pub reports: Option<PathBuf>,
    /// mimic-cxr: whose labels the cases have; default: chexpert
    #[arg(long, value_enum)]
    pub labeller: Option<Labeller>,
    /// mimic-cxr: the labeller's labels for the test split, too, where the release has a radiologist's
    #[arg(long)]
    pub no_radiologist: bool,
    /// mimic-cxr: a finding that the labels do not mention is absent; otherwise it is unknown
    #[arg(long)]
    pub unmentioned_is_no: bool,
    /// roco, biomedica: only images under this licence, as the source names it; may be given several times
    #[arg(long = "licence", value_name = "NAME")]
    pub licences: Vec<String>,
    /// roco: also photographs, diagrams and tables
    #[arg(long)]
    pub non_radiology: bool,
    #[command(flatten)]
    pub hf: HfFlags,
    /// table, folder: folder that relative image paths start from; table also: zip or tar file; default: the folder of SOURCE
    #[arg(long, value_name = "DIR")]
    pub images_from: Option<PathBuf>,
    /// Replace an existing dataset, unless it contains annotations
    #[arg(long)]
    pub replace: bool,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub columns: MappingFlags,
}

/// What is imported into a dataset that is there already.
#[derive(Debug, clap::Subcommand)]
enum What {
    /// Read the hits of another program's retriever or reranker for a dataset, for `dissent predict --hits NAME`
    Hits(hits::Args),
    /// Read answers of other programs as runs of a dataset, or a run of the reference code as a dataset
    Predictions(predictions::Args),
}

/// Imports the dataset and prints a summary.
pub fn run(args: Args, common: &Common) -> Result<()> {
    match &args.what {
        Some(What::Hits(hits)) => return hits::run(hits, common),
        Some(What::Predictions(predictions)) => return predictions::run(predictions, common),
        None => {}
    }
    let (Some(format), Some(source)) = (&args.format, &args.source) else {
        return list(args.json);
    };
    if args.list {
        return list(args.json);
    }
    if let Some(file) = &args.columns.guess {
        return guess(source, args.images_from.as_deref(), file);
    }
    let nowhere = PathBuf::new();
    let dataset = args.into.as_ref().or(args.dataset.as_ref()).unwrap_or(&nowhere);
    if FORMATS.iter().any(|known| known.name == *format) {
        refuse_unused_flags(&args, format, format == "vqa-rad" && is_vqa_rad_mirror(source))?;
    }
    let imported = import(&args, format, source, dataset)?;
    if args.json {
        let value = serde_json::json!({
            "dataset": (!args.dry_run).then_some(dataset),
            "summary": imported.summary,
            "left_out": imported.left_out,
            "remarks": imported.remarks,
        });
        return print_json(&value);
    }
    let mut lines = vec![summary_text(&imported.summary)];
    if imported.summary.groups > 0 {
        lines.push(format!("  groups: {} (patients, studies, articles or pictures)", imported.summary.groups));
    }
    lines.extend(imported.left_out.iter().map(|rows| format!("  {}", Printable(&rows.to_string()))));
    lines.extend(imported.remarks.iter().map(|remark| format!("  {}", Printable(remark))));
    lines.push(if args.dry_run {
        "nothing written (--dry-run)".into()
    } else {
        format!("written to {}", Printable(&dataset.display().to_string()))
    });
    print_line(&lines.join("\n"))
}

/// The choices that every format has.
fn options_of(args: &Args, format: &str) -> ImportOptions {
    let existing = if args.replace { Existing::Replace } else { Existing::Refuse };
    let target = match &args.into {
        None => Target::New(existing),
        Some(_) => Target::Into { source: args.source_name.clone().unwrap_or_else(|| format.into()), existing },
    };
    ImportOptions { rows: args.rows, target, splits: args.splits.clone(), copy: args.copy, dry_run: args.dry_run }
}

fn import(args: &Args, format: &str, source: &Path, dataset: &Path) -> Result<Imported> {
    let choices = options_of(args, format);
    let bar = progress_bar(if IN_KILOBYTES.contains(&format) { "KB" } else { "images" });
    let progress = |done: usize, total: usize| {
        bar.set_length(total as u64);
        bar.set_position(done as u64);
    };
    let imported = match format {
        "medmnist" => {
            let options = MedmnistOptions {
                labels: label_names(&args.labels)?,
                question: args.question.clone(),
                modality: args.modality.clone(),
                slices: args.slices,
            };
            import_medmnist(source, dataset, &options, &choices, &progress)
        }
        "hf" | "path-vqa" => {
            let (mapping, question) = args.columns.mapping(args.question.as_deref())?;
            args.hf.import(format, source, dataset, (mapping.unwrap_or_default(), question), &choices, &progress)
        }
        "vqa-rad" if is_vqa_rad_mirror(source) => {
            args.hf.import(format, source, dataset, (ColumnMapping::default(), None), &choices, &progress)
        }
        "vqa-rad" => {
            let options =
                VqaRadOptions { drop_shared_images: args.drop_shared_images, open_questions: args.open_questions };
            import_vqa_rad(source, dataset, options, &choices, &progress)
        }
        "slake" => {
            let options = SlakeOptions {
                language: args.language.unwrap_or_default(),
                drop_shared_images: args.drop_shared_images,
            };
            import_slake(source, dataset, options, &choices, &progress)
        }
        "brset" => import_brset(source, dataset, args.grades, &choices, &progress),
        "vindr-pcxr" => import_vindr_pcxr(source, dataset, &choices, &progress),
        "table" => {
            let (mapping, question) = args.columns.mapping(args.question.as_deref())?;
            if question.is_some() {
                bail!("--question: expected with --label or --answer COLUMN, or with --mapping");
            }
            import_table(
                source,
                dataset,
                &TableOptions { mapping, images: args.images_from.clone() },
                &choices,
                &progress,
            )
        }
        "folder" => {
            let (mapping, question) = args.columns.mapping(args.question.as_deref())?;
            let options = FolderOptions { mapping, question, images: args.images_from.clone() };
            import_folder(source, dataset, &options, &choices, &progress)
        }
        "nih-cxr" => import_nih_cxr(source, dataset, &choices, &progress),
        "mimic-cxr" => {
            let options = MimicCxrOptions {
                all_views: args.all_views,
                reports: args.reports.clone(),
                labeller: args.labeller.unwrap_or_default(),
                no_radiologist: args.no_radiologist,
                unmentioned_is_no: args.unmentioned_is_no,
            };
            import_mimic_cxr(source, dataset, &options, &choices, &progress)
        }
        "roco" => {
            let options = RocoOptions { non_radiology: args.non_radiology, licences: args.licences.clone() };
            import_roco(source, dataset, &options, &choices, &progress)
        }
        "rocov2" => import_rocov2(source, dataset, &choices, &progress),
        "pmc-oa" => import_pmc_oa(source, dataset, &choices, &progress),
        "biomedica" => {
            let options = BiomedicaOptions { licences: args.licences.clone() };
            import_biomedica(source, dataset, &options, &choices, &progress)
        }
        other => {
            let known: Vec<&str> = FORMATS.iter().map(|format| format.name).collect();
            bail!("unknown format {other:?}; expected one of {}", known.join(", "))
        }
    };
    bar.finish_and_clear();
    // Most errors begin with the path that they are about.
    imported.map_err(|error| {
        let names_source = format!("{error:#}").contains(&*source.to_string_lossy());
        let error = if names_source {
            error.context("nothing was imported")
        } else {
            error.context(format!("cannot import {}", source.display()))
        };
        match kept_copies_of(dataset) {
            Some(kept) if args.copy && !args.dry_run => error.context(format!(
                "pictures that were copied are kept in {}: the same command goes on from them, or delete the folder",
                kept.display()
            )),
            _ => error,
        }
    })
}

/// Writes a mapping that the user can read, change and give back with `--mapping`.
fn guess(source: &Path, images: Option<&Path>, file: &Path) -> Result<()> {
    let text =
        guess_mapping(source, images).with_context(|| format!("cannot guess a mapping for {}", source.display()))?;
    if file == Path::new("-") {
        return print_line(text.trim_end());
    }
    if crate::files::input_file::is_there(file) {
        bail!("{} exists already; expected a new file for the mapping", file.display());
    }
    std::fs::write(file, &text).with_context(|| format!("cannot write {}", file.display()))?;
    print_line(&format!(
        "mapping written to {}; read it, then give it with --mapping",
        Printable(&file.display().to_string())
    ))
}

fn list(json: bool) -> Result<()> {
    if json {
        return print_json(&FORMATS);
    }
    let lines: Vec<String> = FORMATS
        .iter()
        .map(|format| {
            format!(
                "{}\n  from    {}\n  to      {}\n  licence {}\n  get     {}",
                format.name, format.source, format.result, format.licence, format.get
            )
        })
        .collect();
    print_line(&lines.join("\n"))
}

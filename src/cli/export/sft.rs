//! `dissent export sft`: the retrieval-augmented training set for LLaMA-Factory.

use crate::cli::Common;
use crate::cli::costs::ConsentFlag;
use crate::cli::open_dataset::open_with_images;
use crate::cli::train::open_retriever;
use crate::data::Part;
use crate::output::{print_json, print_line, say};
use crate::pipeline::EncoderSource;
use crate::training::{SftSettings, export_sft, left_out_remark};
use anyhow::Result;
use std::path::PathBuf;

/// Arguments of `dissent export sft`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Dataset directory
    dataset: PathBuf,
    /// New folder to write
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Dual encoder that retrieves the documents if the dataset has no pairs.jsonl
    #[arg(long, env = "DISSENT_ENCODER", value_name = "DIR")]
    encoder: Option<PathBuf>,
    /// Documents per case and head; each gives one sample
    #[arg(short, default_value_t = 2, value_name = "N")]
    k: usize,
    /// Also add each case without a document
    #[arg(long)]
    closed_book: bool,
    /// Only this part of the training cases, for example 1/2
    #[arg(long, value_name = "I/N")]
    part: Option<Part>,
    /// Print what was written as JSON
    #[arg(long)]
    json: bool,
}

/// Runs `dissent export sft`.
pub(super) fn run(args: Args, common: &Common) -> Result<()> {
    let dataset = open_with_images(&args.dataset)?;
    let mut retriever = open_retriever(
        &dataset,
        (args.encoder.map(EncoderSource::Checkpoint).as_ref(), None),
        args.k,
        common,
        None,
        ConsentFlag::default(),
    )?;
    let settings = SftSettings { out: args.out, closed_book: args.closed_book, part: args.part };
    let report = export_sft(&dataset, retriever.as_mut(), &settings)?;
    let out = settings.out.display();
    if report.changed_texts > 0 {
        say(&format!(
            "{} texts contained <image>, which LLaMA-Factory reserves; they now have < image >",
            report.changed_texts
        ));
    }
    if report.partly_unknown > 0 {
        say(&left_out_remark(report.partly_unknown));
    }
    if args.json {
        let value = serde_json::json!({
            "out": settings.out, "train": report.train, "validation": report.validation, "images": report.images,
            "left_out_for_unknown_labels": report.partly_unknown,
        });
        return print_json(&value);
    }
    print_line(&format!(
        "{out}: {} training and {} validation samples, {} images; train with `llamafactory-cli train pixtral.yaml` or \
         qwen2_vl.yaml in that folder, then read with --reader and --adapter",
        report.train, report.validation, report.images
    ))
}

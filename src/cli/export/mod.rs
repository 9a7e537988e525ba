//! `dissent export`: writes a dataset, or chosen cases of it, for other software and for people without a terminal.

mod casebook;
mod explain_casebook;
mod hits;
mod predictions;
mod searching;
mod sft;
mod vectors;

use super::Common;
use anyhow::Result;
use clap::Subcommand;

/// Arguments of `dissent export`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Write chosen cases of a stored run as one HTML page, which needs no network and can be printed
    Casebook(casebook::Args),
    /// Write the hits of a stored run, or those that a dataset's retriever finds, as a TREC run, JSON lines or CSV
    Hits(hits::Args),
    /// Write the predictions of a stored run as JSON lines, which `import predictions` reads
    Predictions(predictions::Args),
    /// Write the retrieval-augmented training set for LLaMA-Factory, with the paper's settings for Pixtral and Qwen2-VL
    Sft(sft::Args),
    /// Write the vectors of documents or cases for other programs, as `index` reads them
    Vectors(vectors::Args),
}

/// Runs `dissent export`.
pub fn run(args: Args, common: &Common) -> Result<()> {
    match args.what {
        What::Casebook(args) => casebook::run(args, common),
        What::Hits(args) => hits::run(args, common),
        What::Predictions(args) => predictions::run(&args, common),
        What::Sft(args) => sft::run(args, common),
        What::Vectors(args) => vectors::run(args, common),
    }
}

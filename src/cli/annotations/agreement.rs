//! `dissent annotations agreement`: prints tables of the agreement between annotators.

use super::Annotations;
use crate::annotation::agreement::{AgreementReport, agreement_table_keys, usual_agreement_table_keys};
use crate::annotation::{Counted, rated_cases};
use crate::cli::Common;
use crate::cli::table_choice::wanted_tables;
use crate::evaluation::RESAMPLES;
use crate::evaluation::report::{tables_csv, tables_markdown, tables_text};
use crate::output::{print_json, print_line, say, terminal_width};
use crate::text::csv_cells::Formulas;
use anyhow::{Result, bail};
use std::path::PathBuf;

/// Arguments of `dissent annotations agreement`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Dataset directory; default: the embedded sample
    dataset: Option<PathBuf>,
    /// Only these annotators
    #[arg(long, value_delimiter = ',', value_name = "A,B,…")]
    annotators: Vec<String>,
    /// Only annotations made without seeing the gold answer or other annotations
    #[arg(long)]
    blind: bool,
    /// Only annotations not marked as unsure
    #[arg(long)]
    sure: bool,
    /// Print only these tables, or `all`
    #[arg(long, value_delimiter = ',', value_name = "A,B,…")]
    tables: Vec<String>,
    /// Number of bootstrap resamples; 0 omits the intervals
    #[arg(long, default_value_t = RESAMPLES as u32, value_name = "N", value_parser = clap::value_parser!(u32).range(0..=1_000_000))]
    resamples: u32,
    /// Print one JSON object
    #[arg(long, group = "form")]
    json: bool,
    /// Print Markdown
    #[arg(long, group = "form")]
    markdown: bool,
    /// Print comma-separated values, one number per line
    #[arg(long, group = "form")]
    csv: bool,
    /// With --csv: do not escape texts that a spreadsheet would run as a formula
    #[arg(long, requires = "csv")]
    plain: bool,
}

/// Computes and prints the tables.
pub fn run(args: Args, common: &Common) -> Result<()> {
    let keys = wanted_tables(&args.tables, usual_agreement_table_keys(), &agreement_table_keys())?;
    let annotations = Annotations::open(args.dataset, common)?;
    for name in &args.annotators {
        if !annotations.state.annotators().any(|known| known == name) {
            let known: Vec<&str> = annotations.state.annotators().collect();
            bail!("--annotators {name}: no annotator of this name; expected some of {}", known.join(", "));
        }
    }
    let counted = Counted { annotators: &args.annotators, blind_only: args.blind, sure_only: args.sure };
    let dataset = &annotations.dataset;
    let rated = rated_cases(&annotations.state, &annotations.taxonomy, &dataset.tasks, &dataset.cases, counted);
    let report = AgreementReport::of(&dataset.name, &rated, args.resamples as usize, &keys);
    if args.json {
        return print_json(&report);
    }
    if args.csv {
        let formulas = if args.plain { Formulas::Plain } else { Formulas::Escaped };
        return print_line(tables_csv("all", &report.tables, formulas)?.trim_end());
    }
    if args.markdown {
        return print_line(tables_markdown(&report.basis(), &report.remarks, &report.tables).trim_end());
    }
    if report.cases == 0 {
        say("no annotations to compare");
        return Ok(());
    }
    print_line(tables_text(&report.basis(), &report.remarks, &report.tables, terminal_width()).trim_end())
}

//! `dissent phantom`: draws synthetic images, captions and training pools.

use super::Common;
use crate::data::Existing;
use crate::files::durable;
use crate::output::say;
use crate::phantom::pool::{Pool, Stage};
use crate::phantom::sample::{DEFAULT_SEED, write_sample};
use crate::phantom::sheet::draw_sheet;
use anyhow::{Context, Result, ensure};
use clap::{Args as ClapArgs, Subcommand};
use image::ImageFormat;
use std::io::Cursor;
use std::path::PathBuf;

/// Draw synthetic images and captions.
#[derive(Debug, ClapArgs)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Write a training pool: a dataset directory drawn from a seed, without knowledge of outcomes
    Pool(PoolArgs),
    /// Write the data of the embedded sample: OUT/dataset (site B and fundus) and OUT/training (site A and fundus)
    Sample(SampleArgs),
    /// Draw a contact sheet of all entities and grades
    Sheet(SheetArgs),
}

#[derive(Debug, ClapArgs)]
struct PoolArgs {
    /// New folder
    out: PathBuf,
    /// Training stage that the pool is made for
    #[arg(long, value_enum)]
    stage: Stage,
    /// Number of training documents, images or pairs; 5 % more (at most 200) are held out
    #[arg(long)]
    count: usize,
    #[arg(long)]
    seed: u64,
    /// Share of fundus phantoms; the others are ultrasound
    #[arg(long, default_value_t = 0.25)]
    fundus_share: f32,
    /// Evidence: probability that the outcome shown is malignant
    #[arg(long, default_value_t = 0.4)]
    shown_malignant: f32,
    /// Evidence: probability of gold "No" if the reference case is of another entity
    #[arg(long, default_value_t = 0.6)]
    default_no: f32,
}

#[derive(Debug, ClapArgs)]
struct SampleArgs {
    /// Folder for the two datasets
    out: PathBuf,
    #[arg(long, default_value_t = DEFAULT_SEED)]
    seed: u64,
    /// Replace existing datasets
    #[arg(long)]
    replace: bool,
}

#[derive(Debug, ClapArgs)]
struct SheetArgs {
    /// PNG file
    out: PathBuf,
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Enlargement factor
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..=16))]
    scale: u32,
}

/// Runs `dissent phantom`.
pub fn run(args: Args, _common: &Common) -> Result<()> {
    match args.command {
        Command::Pool(args) => {
            let pool = Pool {
                stage: args.stage,
                count: args.count,
                seed: args.seed,
                fundus_share: args.fundus_share,
                shown_malignant: args.shown_malignant,
                default_no: args.default_no,
            };
            pool.write(&args.out)?;
            say(&format!("{} items and {} held out in {}", pool.count, pool.held_out(), args.out.display()));
            Ok(())
        }
        Command::Sample(args) => {
            let existing = if args.replace { Existing::Replace } else { Existing::Refuse };
            write_sample(&args.out, args.seed, existing)
        }
        Command::Sheet(args) => {
            let is_png = args.out.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("png"));
            ensure!(is_png, "{}: expected a name that ends in .png", args.out.display());
            let sheet = draw_sheet(args.seed, args.scale)?;
            let mut png = Cursor::new(Vec::new());
            sheet.write_to(&mut png, ImageFormat::Png).context("cannot encode the sheet")?;
            durable::write_file(&args.out, png.get_ref())
        }
    }
}

//! The command line: one file per subcommand.

pub mod annotate;
pub mod annotations;
mod annotator;
pub mod bench;
mod build_progress;
mod caption_line;
pub mod check;
pub mod completions;
mod config;
mod config_defaults;
pub mod costs;
pub mod demo;
pub mod doctor;
pub mod download;
mod encoder_flags;
pub mod evaluate;
pub mod explain;
pub mod explore;
pub mod export;
mod free_text;
mod given_hits;
pub mod given_vectors;
mod guard_terminal;
pub mod import;
pub mod index;
pub mod interrupt;
pub mod keys;
pub mod man;
mod model_options;
pub mod models;
mod open_dataset;
pub mod panic_hook;
pub mod phantom;
mod picture_card;
pub mod predict;
mod predict_progress;
mod print_picture;
mod queue_options;
pub mod reader_flags;
mod relaunch;
pub mod render_template;
pub mod rerank;
mod run_models;
pub mod search;
mod server_flags;
pub mod show;
pub mod store_flags;
mod table_choice;
mod train;

use self::config::Config;
use crate::build_facts::LONG_VERSION;
use crate::model::precision::Precision;
use crate::terminal::color_depth::ColorDepth;
use crate::terminal::guard;
use crate::terminal::image_protocol::ImageProtocol;
use clap::parser::ValueSource;
use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand};
use std::path::PathBuf;

/// Explore where and why retrieval-augmented diagnosis goes wrong: one prediction per retrieved document.
#[derive(Debug, Parser)]
#[command(name = "dissent", version, long_version = LONG_VERSION.as_str(), about)]
pub struct Cli {
    #[command(flatten)]
    pub common: Common,
    #[command(subcommand)]
    pub command: Command,
}

/// Options of every subcommand.
#[derive(Clone, Debug, Args)]
pub struct Common {
    /// Folder for the index, runs and annotations; default: DATASET/.dissent, or the user's data folder if that is read-only
    #[arg(long, global = true, env = "DISSENT_WORKSPACE", value_name = "DIR")]
    pub workspace: Option<PathBuf>,
    /// Device that runs the models: auto, cpu, cuda, cuda:N or metal
    #[arg(long, global = true, env = "DISSENT_DEVICE", default_value = "auto")]
    pub device: String,
    /// Number type of the model weights; auto: that of the checkpoint, if the device supports it
    #[arg(long, global = true, env = "DISSENT_DTYPE", value_enum, default_value_t = Precision::Auto)]
    pub dtype: Precision,
    /// How many colours the screen uses
    #[arg(long, global = true, env = "DISSENT_COLOR", value_enum, default_value_t = ColorDepth::Auto)]
    pub color: ColorDepth,
    /// How images are drawn; default: auto
    #[arg(long, global = true, env = "DISSENT_IMAGES", value_enum)]
    pub images: Option<ImageProtocol>,
    /// Built-in theme (dark, light, sixteen, deuteranopia, tritanopia, monochrome) or path of a theme file
    #[arg(long, global = true, env = "DISSENT_THEME", value_name = "NAME|FILE")]
    pub theme: Option<String>,
    /// Whether `images` stands in the configuration file and was not given with this command.
    #[arg(skip)]
    pub images_are_configured: bool,
    /// Print more on standard error
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub verbose: u8,
}

impl Common {
    /// How images are drawn; `Auto` unless somebody has chosen.
    pub fn images(&self) -> ImageProtocol {
        self.images.unwrap_or(ImageProtocol::Auto)
    }
}

/// The subcommands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Open the explorer on the embedded sample
    Demo(demo::Args),
    /// Open the explorer on a dataset: step through its cases, compare the predictions, annotate errors
    Explore(explore::Args),
    /// Print the explorer's keys as a file to edit
    Keys(keys::Args),
    /// Annotate cases line by line, without the explorer: for scripts and screen readers
    Annotate(annotate::Args),
    /// List, compare, merge, import and export annotations
    Annotations(annotations::Args),
    /// Convert a published dataset into a dataset directory
    Import(Box<import::Args>),
    /// Write a dataset in the format of other software
    Export(export::Args),
    /// Check a dataset and print every problem with file, line and field
    Check(check::Args),
    /// Report what dissent detects: terminal, colours, device, models, workspace, file system
    Doctor(doctor::Args),
    /// Measure how fast models run on the device, and whether it computes what the CPU computes
    Bench(bench::Args),
    /// Download a model from the Hugging Face hub into its cache; no other command contacts the hub
    Download(download::Args),
    /// Build the index of a dataset: FAISS for vectors, Tantivy for captions
    Index(index::Args),
    /// Draw synthetic images and captions
    Phantom(phantom::Args),
    /// Search the documents by words or by an image
    Search(search::Args),
    /// Show one picture, case or document in the terminal
    Show(show::Args),
    /// Train the dual encoder, the reader or the retriever's heads
    Train(train::Args),
    /// Predict every case of a split, once with each retrieved document and once without
    Predict(predict::Args),
    /// Let a model choose the most helpful document for each case of a stored run
    Rerank(rerank::Args),
    /// Print the metrics of stored runs, each compared with the first
    Evaluate(evaluate::Args),
    /// Explain one prediction: which words of the caption and which regions of the images decided it
    Explain(explain::Args),
    /// Print the completions of the command line for a shell
    Completions(completions::Args),
    /// Print the manual page of dissent or of one of its commands, or write them all into a folder
    Man(man::Args),
    /// Restore the terminal after a crash of the explorer, which starts this command itself
    #[command(name = guard::SUBCOMMAND, hide = true)]
    GuardTerminal(guard_terminal::Args),
}

impl Command {
    /// Whether this command works while the configuration file has an error; `doctor` tells of it.
    fn works_without_config(&self) -> bool {
        matches!(self, Self::Doctor(_) | Self::Keys(_) | Self::Completions(_) | Self::Man(_) | Self::GuardTerminal(_))
    }

    /// Whether a signal may end this command at any point. The others first finish a step, or report what they keep.
    fn may_end_anywhere(&self) -> bool {
        match self {
            Self::Keys(_)
            | Self::Completions(_)
            | Self::Man(_)
            | Self::Annotations(_)
            | Self::Import(_)
            | Self::Export(_)
            | Self::Check(_)
            | Self::Doctor(_)
            | Self::Bench(_)
            | Self::Phantom(_)
            | Self::Search(_)
            | Self::Show(_)
            | Self::Evaluate(_) => true,
            Self::Demo(_)
            | Self::Explore(_)
            | Self::Annotate(_)
            | Self::Download(_)
            | Self::Index(_)
            | Self::Train(_)
            | Self::Predict(_)
            | Self::Rerank(_)
            | Self::Explain(_)
            | Self::GuardTerminal(_) => false,
        }
    }
}

/// Why the arguments cannot be used.
pub enum ParseError {
    /// Wrong usage; also a request for help or the version.
    Usage(clap::Error),
    /// The configuration file has an error.
    Config(anyhow::Error),
}

impl Cli {
    /// Parses the program's arguments. Of each option, a flag comes first, then the environment, then the user's
    /// configuration file, then the built-in default.
    ///
    /// # Errors
    /// Fails if the arguments are wrong, or if the configuration file has an error and the command is not one that works
    /// without the file.
    pub fn read() -> Result<Self, ParseError> {
        let (command, error) = match Config::load() {
            Ok(config) => (config.applied_to(Self::command()), None),
            Err(error) => (Self::command(), Some(error)),
        };
        let matches = command.try_get_matches().map_err(ParseError::Usage)?;
        let mut cli = Self::from_arg_matches(&matches).map_err(ParseError::Usage)?;
        cli.common.images_are_configured = matches.value_source("images") == Some(ValueSource::DefaultValue);
        match error {
            Some(error) if !cli.command.works_without_config() => Err(ParseError::Config(error)),
            _ => Ok(cli),
        }
    }
}

/// An exit code other than 0 and 1, without a message: 130 after Ctrl-C, 128 plus its number after another signal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("exit code {0}")]
pub struct ExitWith(pub u8);

/// Runs the chosen subcommand.
pub fn run(cli: Cli) -> anyhow::Result<()> {
    if cli.command.may_end_anywhere() {
        // Without a thread for it (`ulimit -u`), the system's default still ends the program.
        let kept = match &cli.command {
            Command::Import(args) if args.copy => "pictures that were copied are kept; run the same command to go on",
            _ => "no file is half-written; run the same command to start again",
        };
        let _ = interrupt::end_at_once(kept);
    }
    match cli.command {
        Command::Demo(args) => demo::run(args, &cli.common),
        Command::Explore(args) => explore::run(args, &cli.common),
        Command::Keys(args) => keys::run(args, &cli.common),
        Command::Annotate(args) => annotate::run(args, &cli.common),
        Command::Annotations(args) => annotations::run(args, &cli.common),
        Command::Import(args) => import::run(*args, &cli.common),
        Command::Export(args) => export::run(args, &cli.common),
        Command::Check(args) => check::run(args, &cli.common),
        Command::Doctor(args) => doctor::run(args, &cli.common),
        Command::Bench(args) => bench::run(args, &cli.common),
        Command::Download(args) => download::run(args),
        Command::Index(args) => index::run(args, &cli.common),
        Command::Phantom(args) => phantom::run(args, &cli.common),
        Command::Search(args) => search::run(args, &cli.common),
        Command::Show(args) => show::run(args, &cli.common),
        Command::Train(args) => train::run(args, &cli.common),
        Command::Predict(args) => predict::run(args, &cli.common),
        Command::Rerank(args) => rerank::run(args, &cli.common),
        Command::Evaluate(args) => evaluate::run(args, &cli.common),
        Command::Explain(args) => explain::run(args, &cli.common),
        Command::Completions(args) => completions::run(&args),
        Command::Man(args) => man::run(&args),
        Command::GuardTerminal(args) => guard_terminal::run(args),
    }
}

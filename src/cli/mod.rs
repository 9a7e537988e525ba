//! The command line: one file per subcommand.

pub mod annotate;
pub mod annotations;
mod caption_line;
pub mod check;
pub mod demo;
pub mod doctor;
pub mod download;
pub mod evaluate;
pub mod explore;
pub mod export;
mod free_text;
pub mod guard_terminal;
pub mod import;
pub mod index;
pub mod interrupt;
pub mod keys;
pub mod models;
mod open_explorer;
pub mod panic_hook;
pub mod phantom;
pub mod predict;
mod print_picture;
mod queue_options;
pub mod reader_flags;
mod relaunch;
pub mod render_template;
pub mod rerank;
pub mod search;
pub mod show;
mod table_choice;
pub mod train;

use crate::model::precision::Precision;
use crate::terminal::caps::{ColorDepth, ImageProtocol};
use crate::terminal::guard;
use clap::{Args, Parser, Subcommand};
use std::path::PathBuf;

/// Explore retrieval-augmented diagnosis: one prediction per retrieved image.
#[derive(Debug, Parser)]
#[command(name = "dissent", version, about)]
pub struct Cli {
    #[command(flatten)]
    pub common: Common,
    #[command(subcommand)]
    pub command: Command,
}

/// Options that every subcommand takes.
#[derive(Clone, Debug, Args)]
pub struct Common {
    /// Folder for everything derived (index, runs, annotations); default: DATASET/.dissent, else the user's data folder
    #[arg(long, global = true, env = "DISSENT_WORKSPACE", value_name = "DIR")]
    pub workspace: Option<PathBuf>,
    /// Where models run: auto, cpu, cuda, cuda:N or metal
    #[arg(long, global = true, env = "DISSENT_DEVICE", default_value = "auto")]
    pub device: String,
    /// Number type of the models; auto: the checkpoint's own, or what the device can do
    #[arg(long, global = true, env = "DISSENT_DTYPE", value_enum, default_value_t = Precision::Auto)]
    pub dtype: Precision,
    /// Colours of the screen
    #[arg(long, global = true, env = "DISSENT_COLOR", value_enum, default_value_t = ColorDepth::Auto)]
    pub color: ColorDepth,
    /// How images are drawn
    #[arg(long, global = true, env = "DISSENT_IMAGES", value_enum, default_value_t = ImageProtocol::Auto)]
    pub images: ImageProtocol,
    /// Name of a built-in theme (dark, light, sixteen, deuteranopia, tritanopia, monochrome) or path of a theme file
    #[arg(long, global = true, env = "DISSENT_THEME", value_name = "NAME|FILE")]
    pub theme: Option<String>,
    /// Say more on standard error
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub verbose: u8,
}

/// The subcommands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Explore the embedded sample
    Demo(demo::Args),
    /// Step through the cases of a dataset: one prediction per retrieved image
    Explore(explore::Args),
    /// Print the explorer's keys as a file that can be changed
    Keys(keys::Args),
    /// Annotate cases line by line, from a script or with a screen reader
    Annotate(annotate::Args),
    /// List or export what people said about the cases
    Annotations(annotations::Args),
    /// Import a published format into a dataset directory
    Import(import::Args),
    /// Write a dataset in the layout of other software
    Export(export::Args),
    /// Check a dataset: every problem with file, line and field
    Check(check::Args),
    /// Say what the program found: terminal, colours, device, models, workspace, file system
    Doctor(doctor::Args),
    /// Fetch a model of the Hugging Face hub into its cache; no other command asks the hub
    Download(download::Args),
    /// Build the index of a dataset: FAISS for vectors, Tantivy for captions
    Index(index::Args),
    /// Draw synthetic images and captions
    Phantom(phantom::Args),
    /// Find documents by words or by an image
    Search(search::Args),
    /// Show one picture, case or document in the terminal
    Show(show::Args),
    /// Train the dual encoder, the reader or the retriever's heads
    Train(train::Args),
    /// Predict every case of a split with every one of its hits
    Predict(predict::Args),
    /// Have a reader pick one retrieved document for each case of a stored run
    Rerank(rerank::Args),
    /// Figures of stored runs, each compared with the first
    Evaluate(evaluate::Args),
    /// Give the terminal back after a crash of the explorer, which starts this itself
    #[command(name = guard::SUBCOMMAND, hide = true)]
    GuardTerminal(guard_terminal::Args),
}

impl Command {
    /// Whether a signal may end it wherever it is. The others come to a good place first, or say what they keep.
    fn may_end_anywhere(&self) -> bool {
        match self {
            Self::Keys(_)
            | Self::Annotations(_)
            | Self::Import(_)
            | Self::Export(_)
            | Self::Check(_)
            | Self::Doctor(_)
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
            | Self::GuardTerminal(_) => false,
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
        // Where there is no thread for it (`ulimit -u`), the system ends the program by itself.
        let _ = interrupt::end_at_once("nothing is half-written, the same command begins again");
    }
    match cli.command {
        Command::Demo(args) => demo::run(args, &cli.common),
        Command::Explore(args) => explore::run(args, &cli.common),
        Command::Keys(args) => keys::run(args, &cli.common),
        Command::Annotate(args) => annotate::run(args, &cli.common),
        Command::Annotations(args) => annotations::run(args, &cli.common),
        Command::Import(args) => import::run(args, &cli.common),
        Command::Export(args) => export::run(args, &cli.common),
        Command::Check(args) => check::run(args, &cli.common),
        Command::Doctor(args) => doctor::run(args, &cli.common),
        Command::Download(args) => download::run(args),
        Command::Index(args) => index::run(args, &cli.common),
        Command::Phantom(args) => phantom::run(args, &cli.common),
        Command::Search(args) => search::run(args, &cli.common),
        Command::Show(args) => show::run(args, &cli.common),
        Command::Train(args) => train::run(args, &cli.common),
        Command::Predict(args) => predict::run(args, &cli.common),
        Command::Rerank(args) => rerank::run(args, &cli.common),
        Command::Evaluate(args) => evaluate::run(args, &cli.common),
        Command::GuardTerminal(args) => guard_terminal::run(args),
    }
}

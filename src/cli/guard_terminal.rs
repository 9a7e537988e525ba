//! `dissent guard-terminal`: an internal subcommand that the explorer starts as a child process ([`guard`]).

use crate::terminal::guard;
use anyhow::Result;

/// Arguments of `dissent guard-terminal`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Terminal modes to restore
    modes: String,
}

/// Runs `dissent guard-terminal`.
pub fn run(args: Args) -> Result<()> {
    guard::watch(&args.modes)
}

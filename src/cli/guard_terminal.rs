//! `dissent guard-terminal`: not for people; the explorer starts it beside itself ([`guard`]).

use crate::terminal::guard;
use anyhow::Result;

/// Arguments of `dissent guard-terminal`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Line modes to go back to
    modes: String,
}

/// Runs `dissent guard-terminal`.
pub fn run(args: Args) -> Result<()> {
    guard::watch(&args.modes)
}

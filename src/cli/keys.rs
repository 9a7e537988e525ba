//! `dissent keys`: prints the keys of the explorer as a file to edit.

use super::Common;
use crate::output::print_line;
use crate::tui::keymap::Keymap;
use anyhow::Result;

/// Arguments of `dissent keys`.
#[derive(Debug, clap::Args)]
pub struct Args {}

/// Runs `dissent keys`.
pub fn run(_: Args, _: &Common) -> Result<()> {
    print_line(Keymap::default().to_toml().trim_end())
}

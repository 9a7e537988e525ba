//! `dissent completions`: completions of the command line for a shell.

use super::Cli;
use crate::output::print_document;
use anyhow::Result;
use clap::CommandFactory;
use clap_complete::Shell;

/// Arguments of `dissent completions`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Shell that completes
    #[arg(value_enum)]
    shell: Shell,
}

/// Prints the completions as a file for the shell.
pub fn run(args: &Args) -> Result<()> {
    let mut command = Cli::command();
    let name = command.get_name().to_owned();
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut command, name, &mut script);
    print_document(&script)
}

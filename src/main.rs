//! Arguments, dispatch, exit codes: 0 done, 1 failed, 2 wrong usage, 130 interrupted.

use clap::Parser;
use dissent::cli::{self, Cli};
use std::process::ExitCode;

fn main() -> ExitCode {
    match cli::run(Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

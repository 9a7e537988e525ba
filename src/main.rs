//! Arguments, dispatch, exit codes: 0 done, 1 failed, 2 wrong usage, 130 interrupted.

use clap::Parser;
use dissent::cli::interrupt::{INTERRUPTED_EXIT_CODE, Interrupted, outlive_file_size_limit};
use dissent::cli::output::say;
use dissent::cli::{self, Cli, ExitWith};
use dissent::out_of_memory::AdvisingAllocator;
use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: AdvisingAllocator = AdvisingAllocator;

fn main() -> ExitCode {
    outlive_file_size_limit();
    match cli::run(Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if error.is::<Interrupted>() => {
            say(&error.to_string());
            ExitCode::from(INTERRUPTED_EXIT_CODE)
        }
        Err(error) => {
            if let Some(ExitWith(code)) = error.downcast_ref() {
                return ExitCode::from(*code);
            }
            say(&format!("error: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

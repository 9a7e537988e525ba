//! `dissent render-template`: an internal subcommand; the program starts it as a child for the chat template of a checkpoint
//! ([`answer_requests`]). It takes no arguments because it must start in a few milliseconds.

use crate::model::chat::answer_requests;
use crate::output::{say, try_write_out};

/// Answers requests until the parent process ends; returns the exit code.
pub fn run() -> u8 {
    crate::out_of_memory::leave_to_rust();
    match answer_requests(&try_write_out) {
        Ok(()) => 0,
        Err(error) => {
            say(&format!("error: {error:#}"));
            1
        }
    }
}

//! Collects the problems of a file: the first few with their lines, the others as a number.

use crate::data::Problem;
use anyhow::{Result, anyhow};

/// Problems that an error lists.
const NAMED: usize = 5;

#[derive(Debug, Default)]
pub(in crate::run) struct Errors {
    named: Vec<Problem>,
    more: usize,
}

impl Errors {
    pub fn add(&mut self, problem: Problem) {
        if self.named.len() < NAMED {
            self.named.push(problem);
        } else {
            self.more += 1;
        }
    }

    /// Fails if there is any problem.
    pub fn into_result(self) -> Result<()> {
        if self.named.is_empty() {
            return Ok(());
        }
        let mut lines: Vec<String> = self.named.iter().map(ToString::to_string).collect();
        if self.more > 0 {
            lines.push(format!("and {} more", self.more));
        }
        Err(anyhow!("{}", lines.join("\n")))
    }
}

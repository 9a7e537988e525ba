//! What the journal answers to a record.

use dissent::tui::mark::{Mark, Recorded};

#[allow(clippy::unnecessary_wraps, reason = "what the journal answers")]
pub fn written(case: usize, mark: Mark) -> Result<Recorded, String> {
    Ok(Recorded::Changed { case, mark })
}

pub fn category(index: usize) -> Mark {
    Mark { categories: vec![index], ..Mark::default() }
}

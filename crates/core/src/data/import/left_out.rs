//! Rows of a source that are not imported, by reason: each is counted, the first ones are named.

use serde::Serialize;
use std::fmt::{self, Display};

/// How many rows are named for a reason.
const NAMED: usize = 3;

/// The rows left out for one reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LeftOut {
    /// A clause that follows a number of rows: "no image file".
    pub reason: String,
    pub count: usize,
    /// The first few, each as file and row.
    pub first: Vec<String>,
}

impl Display for LeftOut {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let more = if self.count > self.first.len() { ", …" } else { "" };
        write!(formatter, "{} left out: {} ({}{more})", self.count, self.reason, self.first.join(", "))
    }
}

/// Adds a row to those with the same reason.
pub(crate) fn leave_out(all: &mut Vec<LeftOut>, reason: &str, place: &dyn Display) {
    let position = all.iter().position(|one| one.reason == reason).unwrap_or_else(|| {
        all.push(LeftOut { reason: reason.into(), count: 0, first: Vec::new() });
        all.len() - 1
    });
    let one = &mut all[position];
    one.count += 1;
    if one.first.len() < NAMED {
        one.first.push(place.to_string());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_counted_by_reason_and_the_first_are_named() {
        let mut all = Vec::new();
        for row in 1..=5 {
            leave_out(&mut all, "no image file", &format!("train.csv:{row}"));
        }
        leave_out(&mut all, "no label", &"train.csv:9");
        let texts: Vec<String> = all.iter().map(LeftOut::to_string).collect();
        assert_eq!(
            texts,
            [
                "5 left out: no image file (train.csv:1, train.csv:2, train.csv:3, …)",
                "1 left out: no label (train.csv:9)"
            ]
        );
    }
}

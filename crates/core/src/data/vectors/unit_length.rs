//! Vectors are compared by their inner product, which is the cosine if their length is 1.

use super::VectorTable;
use anyhow::{Result, bail};
use serde::{Deserialize, Serialize};

/// A length this near to 1 is 1: `f32` rounds so, and such a vector keeps every bit.
const TOLERANCE: f64 = 1e-5;

/// The lengths that were not 1 and were set to 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Lengths {
    /// Number of vectors whose length was set to 1.
    pub set_to_one: usize,
    /// The shortest and the longest of them.
    pub shortest: f64,
    pub longest: f64,
}

impl Lengths {
    fn add(&mut self, length: f64) {
        if self.set_to_one == 0 {
            (self.shortest, self.longest) = (length, length);
        }
        self.set_to_one += 1;
        self.shortest = self.shortest.min(length);
        self.longest = self.longest.max(length);
    }

    /// Text such as "3 of 570 had lengths from 0.98 to 12.3, which were set to 1"; `None` if all lengths were 1.
    pub fn text(&self, count: usize) -> Option<String> {
        let Self { set_to_one, shortest, longest } = self;
        (*set_to_one > 0).then(|| {
            format!("{set_to_one} of {count} had lengths from {shortest:.4} to {longest:.4}, which were set to 1")
        })
    }
}

/// Copies a row of the table at length 1, and counts it in `lengths` if its length had to be changed.
///
/// # Errors
/// Fails with row and id if a number is not finite or all are zero.
pub fn unit_row(table: &VectorTable, row: usize, vector: &mut [f32], lengths: &mut Lengths) -> Result<()> {
    table.copy_row(row, vector);
    if let Some(position) = vector.iter().position(|value| !value.is_finite()) {
        bail!("{}: expected finite numbers, found {} at position {position}", table.place(row), vector[position]);
    }
    let length = vector.iter().map(|value| f64::from(*value).powi(2)).sum::<f64>().sqrt();
    if length == 0.0 {
        bail!("{}: expected a vector with a direction, found only zeros", table.place(row));
    }
    if (length - 1.0).abs() > TOLERANCE {
        lengths.add(length);
        for value in vector {
            *value = (f64::from(*value) / length) as f32;
        }
    }
    Ok(())
}

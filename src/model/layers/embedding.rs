//! Embedding tables with a given initial spread.

use candle_core::Result;
use candle_nn::{Embedding, Init, VarBuilder};

/// A table `weight` [count, width]; new weights are normal with `deviation`. Its `forward` is differentiable.
pub fn embedding(count: usize, width: usize, deviation: f64, vars: &VarBuilder) -> Result<Embedding> {
    let weight = vars.get_with_hints((count, width), "weight", Init::Randn { mean: 0.0, stdev: deviation })?;
    Ok(Embedding::new(weight, width))
}

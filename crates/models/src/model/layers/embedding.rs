//! Embedding tables with a given standard deviation of initial weights.

use candle_core::Result;
use candle_nn::{Embedding, Init, VarBuilder};

/// An embedding table with `weight` [count, width]; new weights are drawn from N(0, `init_std`²).
pub fn embedding(count: usize, width: usize, init_std: f64, vars: &VarBuilder) -> Result<Embedding> {
    let weight = vars.get_with_hints((count, width), "weight", Init::Randn { mean: 0.0, stdev: init_std })?;
    Ok(Embedding::new(weight, width))
}

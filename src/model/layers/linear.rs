//! Linear layers with a given initial spread.

use candle_core::Result;
use candle_nn::{Init, Linear, VarBuilder};

/// A linear layer `weight` [outputs, inputs] and `bias` [outputs]; new weights are normal with `deviation`, the bias 0.
pub fn linear(inputs: usize, outputs: usize, deviation: f64, vars: &VarBuilder) -> Result<Linear> {
    let weight = vars.get_with_hints((outputs, inputs), "weight", normal(deviation))?;
    let bias = vars.get_with_hints(outputs, "bias", Init::Const(0.0))?;
    Ok(Linear::new(weight, Some(bias)))
}

/// A linear layer `weight` [outputs, inputs] only; new weights are normal with `deviation`.
pub fn linear_without_bias(inputs: usize, outputs: usize, deviation: f64, vars: &VarBuilder) -> Result<Linear> {
    let weight = vars.get_with_hints((outputs, inputs), "weight", normal(deviation))?;
    Ok(Linear::new(weight, None))
}

fn normal(deviation: f64) -> Init {
    Init::Randn { mean: 0.0, stdev: deviation }
}

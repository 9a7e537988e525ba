//! Linear layers with a given initial spread.

use super::Matrix;
use super::per_channel::add_per_channel;
use candle_core::{D, Module, Result, Tensor};
use candle_nn::{Init, VarBuilder};

/// `values · weightᵀ + bias`.
#[derive(Clone, Debug)]
pub struct Linear {
    weight: Matrix,
    bias: Option<Tensor>,
}

impl Linear {
    /// A layer of a matrix that is at hand.
    pub fn new(weight: Matrix, bias: Option<Tensor>) -> Self {
        Self { weight, bias }
    }
}

/// A linear layer `weight` (outputs, inputs) and `bias` (outputs); new weights are normal with `deviation`, the bias 0.
pub fn linear(inputs: usize, outputs: usize, deviation: f64, vars: &VarBuilder) -> Result<Linear> {
    let weight = vars.get_with_hints((outputs, inputs), "weight", normal(deviation))?;
    let bias = vars.get_with_hints(outputs, "bias", Init::Const(0.0))?;
    Ok(Linear::new(Matrix::Plain(weight), Some(bias)))
}

/// A linear layer `weight` [outputs, inputs] only; new weights are normal with `deviation`.
pub fn linear_without_bias(inputs: usize, outputs: usize, deviation: f64, vars: &VarBuilder) -> Result<Linear> {
    let weight = vars.get_with_hints((outputs, inputs), "weight", normal(deviation))?;
    Ok(Linear::new(Matrix::Plain(weight), None))
}

fn normal(deviation: f64) -> Init {
    Init::Randn { mean: 0.0, stdev: deviation }
}

impl Module for Linear {
    /// `[.., inputs]` to `[.., outputs]`.
    fn forward(&self, values: &Tensor) -> Result<Tensor> {
        let mut shape = values.dims().to_vec();
        let inputs = values.dim(D::Minus1)?;
        if let Some(last) = shape.last_mut() {
            *last = self.weight.outputs()?;
        }
        // One product over all rows: a batched one would repeat the weight.
        let rows = values.elem_count() / inputs;
        let product = self.weight.product(&values.reshape((rows, inputs))?)?.reshape(shape)?;
        match &self.bias {
            None => Ok(product),
            Some(bias) => add_per_channel(&product, bias),
        }
    }
}

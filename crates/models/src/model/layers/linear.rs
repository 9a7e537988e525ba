//! Linear layers with a given standard deviation of initial weights.

use super::Matrix;
use super::cpu_storage::{floats, is_wide, is_wide_half};
use super::float_matmul::{Accumulate, MatrixView, matmul_parallel};
use super::half_matmul::matmul_half;
use super::per_channel::add_per_channel;
use super::quantised_matmul::matmul_dequantised;
use candle_core::{D, Module, Result, Storage, Tensor};
use candle_nn::{Init, VarBuilder};

/// `values · weightᵀ + bias`, as `torch.nn.Linear`.
#[derive(Clone, Debug)]
pub struct Linear {
    weight: Matrix,
    bias: Option<Tensor>,
}

impl Linear {
    /// A layer with these parameters.
    pub fn new(weight: Matrix, bias: Option<Tensor>) -> Self {
        Self { weight, bias }
    }
}

/// A linear layer with `weight` `[outputs, inputs]` and `bias` `[outputs]`. New weights are drawn from N(0, `init_std`²); a new
/// bias is 0.
pub fn linear(inputs: usize, outputs: usize, init_std: f64, vars: &VarBuilder) -> Result<Linear> {
    let weight = vars.get_with_hints((outputs, inputs), "weight", normal(init_std))?;
    let bias = vars.get_with_hints(outputs, "bias", Init::Const(0.0))?;
    Ok(Linear::new(Matrix::Plain(weight), Some(bias)))
}

/// A linear layer with `weight` [outputs, inputs] and no bias. New weights are drawn from N(0, `init_std`²).
pub fn linear_without_bias(inputs: usize, outputs: usize, init_std: f64, vars: &VarBuilder) -> Result<Linear> {
    let weight = vars.get_with_hints((outputs, inputs), "weight", normal(init_std))?;
    Ok(Linear::new(Matrix::Plain(weight), None))
}

fn normal(init_std: f64) -> Init {
    Init::Randn { mean: 0.0, stdev: init_std }
}

impl Module for Linear {
    /// Maps `[.., inputs]` to `[.., outputs]`.
    fn forward(&self, values: &Tensor) -> Result<Tensor> {
        let mut shape = values.dims().to_vec();
        let inputs = values.dim(D::Minus1)?;
        let outputs = self.weight.outputs()?;
        if let Some(last) = shape.last_mut() {
            *last = outputs;
        }
        let (bias, columns) = (self.bias.as_ref(), inputs.max(outputs));
        match &self.weight {
            Matrix::Plain(weight) if !weight.is_contiguous() => {}
            Matrix::Plain(weight) if is_wide(values, columns) && is_wide(weight, columns) => {
                return matmul_floats(&values.contiguous()?, weight, bias)?.reshape(shape);
            }
            Matrix::Plain(weight) if is_wide_half(values, columns) && is_wide_half(weight, columns) => {
                return matmul_half(values, weight, bias)?.reshape(shape);
            }
            Matrix::Quantised(weight) if is_prompt(values) && is_wide(values, columns) => {
                return matmul_dequantised(&values.contiguous()?, weight, bias)?.reshape(shape);
            }
            _ => {}
        }
        // One matmul over all rows: a batched matmul would copy the weight for each batch entry.
        let rows = values.elem_count() / inputs;
        let product = self.weight.matmul(&values.reshape((rows, inputs))?)?.reshape(shape)?;
        match &self.bias {
            None => Ok(product),
            Some(bias) => add_per_channel(&product, bias),
        }
    }
}

/// True for `[B, T, inputs]` with several tokens per row: a prompt, or an answer that is scored. Which product it takes must not
/// depend on the size of the batch, because a quantised matrix rounds the activations of a single token.
fn is_prompt(values: &Tensor) -> bool {
    values.rank() == 3 && values.dims()[1] > 1
}

/// `values · weightᵀ + bias` in f32: `[.., inputs]` to `[rows, outputs]`.
pub(super) fn matmul_floats(values: &Tensor, weight: &Tensor, bias: Option<&Tensor>) -> Result<Tensor> {
    let (outputs, inputs) = weight.dims2()?;
    let rows = values.elem_count() / inputs;
    let mut result = match bias {
        None => vec![0.0; rows * outputs],
        Some(bias) => bias.to_vec1::<f32>()?.repeat(rows),
    };
    let accumulate = if bias.is_some() { Accumulate::Yes } else { Accumulate::No };
    let device = weight.device();
    let (values, values_layout) = values.storage_and_layout();
    let (weight, weight_layout) = weight.storage_and_layout();
    let (Storage::Cpu(values), Storage::Cpu(weight)) = (&*values, &*weight) else {
        candle_core::bail!("a matmul on the CPU was given a tensor on another device")
    };
    let left = MatrixView::new(floats(values, values_layout)?, rows, inputs, inputs)?;
    let right = MatrixView::new(floats(weight, weight_layout)?, outputs, inputs, inputs)?;
    matmul_parallel(left, right, accumulate, &mut result)?;
    Tensor::from_vec(result, (rows, outputs), device)
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::{DType, Device};

    #[test]
    fn layers_match_candle() {
        for outputs in [1, 40, 520] {
            assert_layer_matches_candle(outputs);
        }
    }

    fn assert_layer_matches_candle(outputs: usize) {
        let random = |shape: (usize, usize)| Tensor::randn(0.0_f32, 1.0, shape, &Device::Cpu).unwrap();
        let weight = random((outputs, 30));
        let bias = random((1, outputs)).squeeze(0).unwrap();
        let values = random((21, 30)).reshape((3, 7, 30)).unwrap().transpose(0, 1).unwrap();
        for bias in [None, Some(bias)] {
            let layer = Linear::new(Matrix::Plain(weight.clone()), bias.clone());
            let own = layer.forward(&values).unwrap();
            let mut expected = values.contiguous().unwrap().broadcast_matmul(&weight.t().unwrap()).unwrap();
            if let Some(bias) = &bias {
                expected = expected.broadcast_add(bias).unwrap();
            }
            assert_eq!(own.dims(), [7, 3, outputs]);
            let difference = (own - &expected).unwrap().abs().unwrap().flatten_all().unwrap().max(D::Minus1).unwrap();
            assert!(difference.to_scalar::<f32>().unwrap() < 1e-4, "{difference}");
            let half = |tensor: &Tensor| tensor.to_dtype(DType::BF16).unwrap();
            let layer = Linear::new(Matrix::Plain(half(&weight)), bias.as_ref().map(half));
            let rounded = layer.forward(&half(&values)).unwrap();
            assert_eq!(rounded.dtype(), DType::BF16);
            // Thirty products of bf16 inputs (8 significant bits) per sum.
            let difference = (rounded.to_dtype(DType::F32).unwrap() - &expected).unwrap().abs().unwrap();
            let largest = difference.flatten_all().unwrap().max(D::Minus1).unwrap().to_scalar::<f32>().unwrap();
            assert!(largest < 0.2, "{largest}");
        }
    }
}

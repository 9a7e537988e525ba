//! Adding or multiplying by a vector per channel, with a backward pass that is a matrix product.
//!
//! candle differentiates a broadcast over rows with a strided sum that walks element by element; in a small tower that
//! took a quarter of a training step. A product with a column of ones has the same values and the same gradient. Adding
//! on a CPU is one fused operation instead.

use super::bias_fused::AddBias;
use super::cpu_storage::is_fusible;
use candle_core::{Result, Tensor};

/// `values` (.., C) plus `vector` (C).
pub fn add_per_channel(values: &Tensor, vector: &Tensor) -> Result<Tensor> {
    if is_fusible(values) {
        return values.contiguous()?.apply_op2(vector, AddBias);
    }
    if vector.is_variable() { values + over_rows(vector, values)? } else { values.broadcast_add(vector) }
}

/// `values` (.., C) times `vector` (C).
pub fn multiply_per_channel(values: &Tensor, vector: &Tensor) -> Result<Tensor> {
    if vector.is_variable() { values * over_rows(vector, values)? } else { values.broadcast_mul(vector) }
}

/// `vector` [C] repeated to the shape of `values` [.., C].
fn over_rows(vector: &Tensor, values: &Tensor) -> Result<Tensor> {
    let channels = vector.dim(0)?;
    let rows = values.elem_count() / channels;
    let ones = Tensor::ones((rows, 1), values.dtype(), values.device())?;
    ones.matmul(&vector.reshape((1, channels))?)?.reshape(values.shape())
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::{Device, Var};

    /// Values and gradients against the broadcast.
    #[test]
    fn same_values_and_gradients_as_the_broadcast() {
        let values = Var::randn(0.0_f32, 1.0, (2, 3, 4), &Device::Cpu).unwrap();
        let vector = Var::randn(0.0_f32, 1.0, 4, &Device::Cpu).unwrap();
        let plain = vector.as_tensor().broadcast_as((2, 3, 4)).unwrap();
        let pairs = [
            (add_per_channel(&values, &vector).unwrap(), (values.as_tensor() + &plain).unwrap()),
            (multiply_per_channel(&values, &vector).unwrap(), (values.as_tensor() * &plain).unwrap()),
        ];
        for (ours, broadcast) in pairs {
            let gradients = [&ours, &broadcast].map(|result| {
                let store = result.sqr().unwrap().sum_all().unwrap().backward().unwrap();
                [&values, &vector].map(|variable| {
                    store.get(variable.as_tensor()).unwrap().flatten_all().unwrap().to_vec1::<f32>().unwrap()
                })
            });
            for (a, b) in gradients[0].iter().flatten().zip(gradients[1].iter().flatten()) {
                assert!((a - b).abs() < 1e-4, "{a} is not {b}");
            }
            let difference = (ours - broadcast).unwrap().abs().unwrap().sum_all().unwrap();
            assert!(difference.to_scalar::<f32>().unwrap() < 1e-5);
        }
    }
}

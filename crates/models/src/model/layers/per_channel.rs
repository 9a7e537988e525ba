//! Adding or multiplying a per-channel vector, with a backward pass that is a matrix multiplication.
//!
//! candle differentiates a broadcast over rows with a strided sum, element by element; in a small tower that took a
//! quarter of a training step. Multiplying a column of ones by the vector gives the same values and gradient. On a CPU,
//! addition is one fused operation instead.

use super::bias_fused::AddBias;
use super::cpu_storage::is_fusible;
use candle_core::{Result, Tensor};

/// `values` `[.., C]` + `vector` `[C]`, broadcast over the leading dimensions; differentiable.
pub fn add_per_channel(values: &Tensor, vector: &Tensor) -> Result<Tensor> {
    if is_fusible(values) {
        return values.contiguous()?.apply_op2(vector, AddBias);
    }
    if vector.is_variable() { values + expand_to_rows(vector, values)? } else { values.broadcast_add(vector) }
}

/// `values` `[.., C]` · `vector` `[C]`, broadcast over the leading dimensions; differentiable.
pub fn multiply_per_channel(values: &Tensor, vector: &Tensor) -> Result<Tensor> {
    if vector.is_variable() { values * expand_to_rows(vector, values)? } else { values.broadcast_mul(vector) }
}

/// Expands `vector` [C] to the shape of `values` [.., C].
fn expand_to_rows(vector: &Tensor, values: &Tensor) -> Result<Tensor> {
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

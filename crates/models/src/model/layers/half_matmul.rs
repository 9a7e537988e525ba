//! Matrix multiplication in half precision: sums are accumulated in f32, the bias is added, and the result is rounded
//! once.

#[cfg(any(test, not(feature = "gemmkit")))]
use super::{
    half_convert::{from_f32, to_f32},
    linear::by_blas,
};
use candle_core::{Result, Tensor};

/// `values · weightᵀ + bias`, all bf16 or all f16: `[.., inputs]` to `[rows, outputs]`.
pub(super) fn matmul_half(values: &Tensor, weight: &Tensor, bias: Option<&Tensor>) -> Result<Tensor> {
    #[cfg(feature = "gemmkit")]
    return super::half_gemmkit::matmul_half_by_gemmkit(values, weight, bias);
    #[cfg(not(feature = "gemmkit"))]
    matmul_half_in_f32(values, weight, bias)
}

/// The same without gemmkit. It converts the whole weight at each call.
#[cfg(any(test, not(feature = "gemmkit")))]
fn matmul_half_in_f32(values: &Tensor, weight: &Tensor, bias: Option<&Tensor>) -> Result<Tensor> {
    let (outputs, inputs) = weight.dims2()?;
    let (dtype, shape) = (values.dtype(), values.shape());
    let bias_fits = bias.is_none_or(|bias| bias.dims() == [outputs] && bias.dtype() == dtype);
    if shape.dims().last() != Some(&inputs) || weight.dtype() != dtype || !bias_fits {
        candle_core::bail!("cannot multiply {shape:?} by the transpose of {:?} with this bias", weight.shape())
    }
    let bias = bias.map(to_f32).transpose()?;
    from_f32(&by_blas(&to_f32(values)?, &to_f32(weight)?, bias.as_ref())?, dtype)
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::{DType, Device};

    type Matmul = fn(&Tensor, &Tensor, Option<&Tensor>) -> Result<Tensor>;

    /// The matmul of the program, and the one without gemmkit.
    const BOTH: [Matmul; 2] = [matmul_half, matmul_half_in_f32];

    /// Against f64, with odd sizes and from one row to more rows than a kernel's block.
    #[test]
    fn matmul_matches_the_definition_up_to_one_rounding() {
        for (rows, inputs, outputs) in [(1, 513, 37), (3, 1, 520), (21, 130, 515), (200, 999, 67)] {
            let random = |shape: (usize, usize)| Tensor::randn(0.0_f32, 1.0, shape, &Device::Cpu).unwrap();
            let (values, weight, bias) = (random((rows, inputs)), random((outputs, inputs)), random((1, outputs)));
            for (dtype, unit) in [(DType::BF16, 1.0 / 256.0), (DType::F16, 1.0 / 2048.0)] {
                let half = |tensor: &Tensor| tensor.to_dtype(dtype).unwrap();
                let exact = |tensor: &Tensor| half(tensor).to_dtype(DType::F64).unwrap();
                let (values, weight, bias) = (half(&values), half(&weight), half(&bias));
                let (without, with) = (None, Some(bias.squeeze(0).unwrap()));
                for (matmul, bias) in BOTH.into_iter().flat_map(|matmul| [(matmul, &without), (matmul, &with)]) {
                    let found = matmul(&values, &weight, bias.as_ref()).unwrap();
                    assert_eq!(found.dims(), [rows, outputs]);
                    let mut expected = exact(&values).matmul(&exact(&weight).t().unwrap()).unwrap();
                    if let Some(bias) = &bias {
                        expected = expected.broadcast_add(&exact(bias)).unwrap();
                    }
                    let found: Vec<Vec<f64>> = found.to_dtype(DType::F64).unwrap().to_vec2().unwrap();
                    let expected: Vec<Vec<f64>> = expected.to_vec2().unwrap();
                    for (found, expected) in found.iter().flatten().zip(expected.iter().flatten()) {
                        // One rounding to the half type, and f32 rounding of up to a thousand additions.
                        let allowed = expected.abs() * unit + 1e-4;
                        assert!((found - expected).abs() <= allowed, "{dtype:?}: {found} is not {expected}");
                    }
                }
            }
        }
    }

    #[test]
    fn mismatched_shapes_are_refused() {
        let zeros = |shape: (usize, usize), dtype| Tensor::zeros(shape, dtype, &Device::Cpu).unwrap();
        let (values, weight) = (zeros((4, 6), DType::BF16), zeros((5, 6), DType::BF16));
        let short = zeros((1, 4), DType::BF16).squeeze(0).unwrap();
        for matmul in BOTH {
            assert!(matmul(&values, &weight, Some(&short)).is_err());
            assert!(matmul(&values, &zeros((5, 7), DType::BF16), None).is_err());
            assert!(matmul(&values, &zeros((5, 6), DType::F16), None).is_err());
            assert!(matmul(&values, &weight.t().unwrap(), None).is_err());
            let none = matmul(&zeros((0, 6), DType::F16), &zeros((5, 6), DType::F16), None).unwrap();
            assert_eq!(none.dims(), [0, 5]);
        }
    }
}

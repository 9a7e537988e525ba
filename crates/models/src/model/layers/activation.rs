//! Activation functions under their names in transformers (`ACT2FN`).

use super::cpu_storage::{floats, is_fusible, is_wide, is_wide_half, numbers, on_cpu};
use super::{half_convert, simd};
use candle_core::{CpuStorage, CustomOp1, CustomOp2, D, DType, Layout, Result, Shape, Tensor, WithDType};
use half::{bf16, f16};
use serde::{Deserialize, Serialize};

/// An activation function; serialised as `hidden_act` of a transformers configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Activation {
    /// x · sigmoid(1.702 x), the activation of OpenAI's CLIP.
    QuickGelu,
    /// GELU with the error function.
    Gelu,
    /// GELU with the tanh approximation.
    GeluPytorchTanh,
    /// x · sigmoid(x).
    Silu,
}

const QUICK_GELU: f32 = 1.702;
/// 2 · √(2 / π).
const GELU_SLOPE: f32 = 1.595_769;

impl Activation {
    /// Applies the function to every element; differentiable.
    pub fn apply(self, values: &Tensor) -> Result<Tensor> {
        let columns = values.dim(D::Minus1)?;
        if let Some((slope, cubic)) = self.as_sigmoid()
            && (is_wide(values, columns) || is_wide_half(values, columns))
        {
            return gate_on_cpu(values, slope, cubic, None);
        }
        if matches!(values.dtype(), DType::F16 | DType::BF16) {
            // Each composed step in half precision would round; PyTorch rounds once.
            return self.apply(&values.to_dtype(DType::F32)?)?.to_dtype(values.dtype());
        }
        match self {
            Self::QuickGelu => swish(values, QUICK_GELU),
            Self::Gelu => values.gelu_erf(),
            Self::GeluPytorchTanh => values.gelu(),
            Self::Silu => swish(values, 1.0),
        }
    }

    /// `activation(values) · factors`, elementwise, as in gated MLPs (SwiGLU); differentiable.
    pub(crate) fn gate(self, values: &Tensor, factors: &Tensor) -> Result<Tensor> {
        let columns = values.dim(D::Minus1)?;
        let all_fit = |fits: fn(&Tensor, usize) -> bool| fits(values, columns) && fits(factors, columns);
        match self.as_sigmoid() {
            Some((slope, cubic)) if all_fit(is_wide) || all_fit(is_wide_half) => {
                gate_on_cpu(values, slope, cubic, Some(factors))
            }
            _ => self.apply(values)? * factors,
        }
    }

    /// (a, b) such that the function is x · sigmoid(a · x + b · x³), if it has this form; for the tanh approximation this
    /// follows from tanh(z) = 2 · sigmoid(2z) - 1.
    fn as_sigmoid(self) -> Option<(f32, f32)> {
        match self {
            Self::QuickGelu => Some((QUICK_GELU, 0.0)),
            Self::Gelu => None,
            Self::GeluPytorchTanh => Some((GELU_SLOPE, GELU_SLOPE * 0.044_715)),
            Self::Silu => Some((1.0, 0.0)),
        }
    }
}

fn gate_on_cpu(values: &Tensor, slope: f32, cubic: f32, factors: Option<&Tensor>) -> Result<Tensor> {
    match values.dtype() {
        DType::BF16 => {
            gate_elements::<bf16>(values, factors, |x, by| half_convert::gated_activation(x, slope, cubic, by))
        }
        DType::F16 => {
            gate_elements::<f16>(values, factors, |x, by| half_convert::gated_activation(x, slope, cubic, by))
        }
        _ => gate_elements::<f32>(values, factors, |x, by| simd::gated_activation(x, slope, cubic, by)),
    }
}

fn gate_elements<T: WithDType>(
    values: &Tensor,
    factors: Option<&Tensor>,
    gate: impl Fn(&[T], Option<&[T]>) -> Vec<T>,
) -> Result<Tensor> {
    let values = values.contiguous()?;
    let factors = factors.map(Tensor::contiguous).transpose()?;
    let (storage, layout) = values.storage_and_layout();
    let guard = factors.as_ref().map(Tensor::storage_and_layout);
    let factors = match &guard {
        None => None,
        Some((storage, layout)) => Some(numbers::<T>(on_cpu(storage)?, layout)?),
    };
    let inputs = numbers::<T>(on_cpu(&storage)?, layout)?;
    if factors.is_some_and(|factors| factors.len() != inputs.len()) {
        candle_core::bail!("cannot gate {} values with another number of factors", inputs.len())
    }
    Tensor::from_vec(gate(inputs, factors), values.shape(), values.device())
}

/// x · sigmoid(slope · x).
fn swish(values: &Tensor, slope: f32) -> Result<Tensor> {
    if is_fusible(values) {
        return values.contiguous()?.apply_op1(Swish { slope });
    }
    values * candle_nn::ops::sigmoid(&(values * f64::from(slope))?)?
}

struct Swish {
    slope: f32,
}

impl CustomOp1 for Swish {
    fn name(&self) -> &'static str {
        "swish"
    }

    fn cpu_fwd(&self, values: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let values = floats(values, layout)?;
        let result = values.iter().map(|&value| value * sigmoid(self.slope * value)).collect();
        Ok((CpuStorage::F32(result), layout.shape().clone()))
    }

    fn bwd(&self, values: &Tensor, _result: &Tensor, gradient: &Tensor) -> Result<Option<Tensor>> {
        let slope = SwishGradient { slope: self.slope };
        Ok(Some(values.apply_op2_no_bwd(&gradient.contiguous()?, &slope)?))
    }
}

/// gradient · (s + slope · x · s · (1 - s)), where s = sigmoid(slope · x).
struct SwishGradient {
    slope: f32,
}

impl CustomOp2 for SwishGradient {
    fn name(&self) -> &'static str {
        "swish-gradient"
    }

    fn cpu_fwd(
        &self,
        values: &CpuStorage,
        layout: &Layout,
        gradient: &CpuStorage,
        gradient_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let (values, gradient) = (floats(values, layout)?, floats(gradient, gradient_layout)?);
        let mut result = Vec::with_capacity(values.len());
        for (&value, slope) in values.iter().zip(gradient) {
            let gate = sigmoid(self.slope * value);
            result.push(slope * gate * (1.0 + self.slope * value * (1.0 - gate)));
        }
        Ok((CpuStorage::F32(result), layout.shape().clone()))
    }
}

fn sigmoid(value: f32) -> f32 {
    1.0 / (1.0 + (-value).exp())
}

//! Activation functions by their Hugging Face names.

use super::slices::{floats, is_fusible};
use candle_core::{CpuStorage, CustomOp1, CustomOp2, DType, Layout, Result, Shape, Tensor};
use serde::{Deserialize, Serialize};

/// `hidden_act` of a Hugging Face configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Activation {
    /// x · sigmoid(1.702 x), as OpenAI trained CLIP.
    QuickGelu,
    /// The exact GELU, by the error function.
    Gelu,
    /// GELU by its tanh approximation.
    GeluPytorchTanh,
    /// x · sigmoid(x).
    Silu,
}

const QUICK_GELU: f32 = 1.702;

impl Activation {
    /// Applies the function to every element; differentiable.
    pub fn apply(self, values: &Tensor) -> Result<Tensor> {
        if matches!(values.dtype(), DType::F16 | DType::BF16) {
            // In steps of a half type the error of each would add up; PyTorch rounds once.
            return self.apply(&values.to_dtype(DType::F32)?)?.to_dtype(values.dtype());
        }
        match self {
            Self::QuickGelu => swish(values, QUICK_GELU),
            Self::Gelu => values.gelu_erf(),
            Self::GeluPytorchTanh => values.gelu(),
            Self::Silu => swish(values, 1.0),
        }
    }
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
            let share = sigmoid(self.slope * value);
            result.push(slope * share * (1.0 + self.slope * value * (1.0 - share)));
        }
        Ok((CpuStorage::F32(result), layout.shape().clone()))
    }
}

fn sigmoid(value: f32) -> f32 {
    1.0 / (1.0 + (-value).exp())
}

//! Layer normalisation and its gradients, each in one pass over the rows.

use super::cpu_storage::{floats, row_length};
use candle_core::{CpuStorage, CustomOp2, CustomOp3, Layout, Result, Shape, Tensor};

/// Maps (values, weight, bias) to normalised · weight + bias.
pub(super) struct FusedLayerNorm {
    pub epsilon: f32,
}

/// Mean and reciprocal standard deviation of a row.
fn moments(row: &[f32], epsilon: f32) -> (f32, f32) {
    let count = row.len() as f32;
    let mean = row.iter().sum::<f32>() / count;
    let variance = row.iter().map(|value| (value - mean) * (value - mean)).sum::<f32>() / count;
    (mean, 1.0 / (variance + epsilon).sqrt())
}

impl CustomOp3 for FusedLayerNorm {
    fn name(&self) -> &'static str {
        "layer-norm"
    }

    fn cpu_fwd(
        &self,
        values: &CpuStorage,
        layout: &Layout,
        weight: &CpuStorage,
        weight_layout: &Layout,
        bias: &CpuStorage,
        bias_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let (weight, bias) = (floats(weight, weight_layout)?, floats(bias, bias_layout)?);
        let mut result = floats(values, layout)?.to_vec();
        for row in result.chunks_exact_mut(row_length(layout)) {
            let (mean, inverse) = moments(row, self.epsilon);
            for ((value, weight), bias) in row.iter_mut().zip(weight).zip(bias) {
                *value = (*value - mean) * inverse * weight + bias;
            }
        }
        Ok((CpuStorage::F32(result), layout.shape().clone()))
    }

    fn bwd(
        &self,
        values: &Tensor,
        weight: &Tensor,
        _bias: &Tensor,
        _result: &Tensor,
        gradient: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let gradient = gradient.contiguous()?;
        let of_values = values.apply_op3_no_bwd(weight, &gradient, &GradientOfValues { epsilon: self.epsilon })?;
        let of_parameters = values.apply_op2_no_bwd(&gradient, &GradientOfParameters { epsilon: self.epsilon })?;
        Ok((Some(of_values), Some(of_parameters.get(0)?), Some(of_parameters.get(1)?)))
    }
}

/// Maps (values, weight, gradient) to the gradient of the values.
struct GradientOfValues {
    epsilon: f32,
}

impl CustomOp3 for GradientOfValues {
    fn name(&self) -> &'static str {
        "layer-norm-gradient-of-values"
    }

    fn cpu_fwd(
        &self,
        values: &CpuStorage,
        layout: &Layout,
        weight: &CpuStorage,
        weight_layout: &Layout,
        gradient: &CpuStorage,
        gradient_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let width = row_length(layout);
        let weight = floats(weight, weight_layout)?;
        let gradient = floats(gradient, gradient_layout)?;
        let mut result = floats(values, layout)?.to_vec();
        for (row, gradient) in result.chunks_exact_mut(width).zip(gradient.chunks_exact(width)) {
            let (mean, inverse) = moments(row, self.epsilon);
            // With g = gradient · weight and the normalised row n: (g - mean(g) - n · mean(g · n)) · inverse.
            let (mut sum, mut sum_with_normalised) = (0.0, 0.0);
            for ((value, weight), gradient) in row.iter().zip(weight).zip(gradient) {
                sum += gradient * weight;
                sum_with_normalised += gradient * weight * (value - mean) * inverse;
            }
            let (share, slope) = (sum / width as f32, sum_with_normalised / width as f32);
            for ((value, weight), gradient) in row.iter_mut().zip(weight).zip(gradient) {
                *value = (gradient * weight - share - (*value - mean) * inverse * slope) * inverse;
            }
        }
        Ok((CpuStorage::F32(result), layout.shape().clone()))
    }
}

/// Maps (values, gradient) to the gradients of weight and bias, stacked as [2, width].
struct GradientOfParameters {
    epsilon: f32,
}

impl CustomOp2 for GradientOfParameters {
    fn name(&self) -> &'static str {
        "layer-norm-gradient-of-parameters"
    }

    fn cpu_fwd(
        &self,
        values: &CpuStorage,
        layout: &Layout,
        gradient: &CpuStorage,
        gradient_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let width = row_length(layout);
        let (values, gradient) = (floats(values, layout)?, floats(gradient, gradient_layout)?);
        let mut of_weight = vec![0.0_f32; width];
        let mut of_bias = vec![0.0_f32; width];
        for (row, gradient) in values.chunks_exact(width).zip(gradient.chunks_exact(width)) {
            let (mean, inverse) = moments(row, self.epsilon);
            for (column, (value, gradient)) in row.iter().zip(gradient).enumerate() {
                of_weight[column] += gradient * (value - mean) * inverse;
                of_bias[column] += gradient;
            }
        }
        of_weight.extend(of_bias);
        Ok((CpuStorage::F32(of_weight), Shape::from((2, width))))
    }
}

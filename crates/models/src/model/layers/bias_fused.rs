//! Bias addition with its gradient in one pass.

use super::cpu_storage::{floats, row_length};
use candle_core::{CpuStorage, CustomOp1, CustomOp2, Layout, Result, Shape, Tensor};

/// Adds bias [C] to every row of values [.., C].
pub(super) struct AddBias;

impl CustomOp2 for AddBias {
    fn name(&self) -> &'static str {
        "add-bias"
    }

    fn cpu_fwd(
        &self,
        values: &CpuStorage,
        layout: &Layout,
        bias: &CpuStorage,
        bias_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let bias = floats(bias, bias_layout)?;
        let mut sums = floats(values, layout)?.to_vec();
        for row in sums.chunks_exact_mut(row_length(layout)) {
            for (sum, shift) in row.iter_mut().zip(bias) {
                *sum += shift;
            }
        }
        Ok((CpuStorage::F32(sums), layout.shape().clone()))
    }

    fn bwd(
        &self,
        _values: &Tensor,
        _bias: &Tensor,
        _result: &Tensor,
        gradient: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let columns = gradient.contiguous()?.apply_op1_no_bwd(&SumRows)?;
        Ok((Some(gradient.clone()), Some(columns)))
    }
}

/// Sum of all rows: [.., width] to [width].
struct SumRows;

impl CustomOp1 for SumRows {
    fn name(&self) -> &'static str {
        "sum-rows"
    }

    fn cpu_fwd(&self, values: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let width = row_length(layout);
        let mut sums = vec![0.0_f32; width];
        for row in floats(values, layout)?.chunks_exact(width) {
            for (sum, value) in sums.iter_mut().zip(row) {
                *sum += value;
            }
        }
        Ok((CpuStorage::F32(sums), Shape::from(width)))
    }
}

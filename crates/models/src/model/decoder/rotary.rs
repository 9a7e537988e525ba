//! Rotary position embeddings (RoPE, Su et al. 2021) over sequence positions and over image rows and columns.

use super::rope_scaling::{Frequencies, frequencies};
use crate::model::layers::{Mode, apply_rope};
use candle_core::{D, DType, Device, Result, Tensor};

/// Temporal, row and column position of a token (M-RoPE). For text, and in models without M-RoPE, all three are the
/// position in the sequence.
pub(in crate::model) type Position = [usize; 3];

/// Cosines and sines of the RoPE angles, each `[T, head_size / 2]`, or `[B, T, head_size / 2]` if the rows of a batch have
/// different positions.
#[derive(Clone, Debug)]
pub(in crate::model) struct Rope {
    cos: Tensor,
    sin: Tensor,
}

impl Rope {
    /// RoPE of f32 angles with the shapes above.
    fn of_angles(angles: &Tensor, dtype: DType) -> Result<Self> {
        Ok(Self { cos: angles.cos()?.to_dtype(dtype)?, sin: angles.sin()?.to_dtype(dtype)? })
    }

    /// RoPE of tokens. `positions` and `row_frequencies` each hold one entry for all rows of the batch or one per row.
    /// `axes` says for each pair which of the three positions it encodes (M-RoPE; Qwen2-VL, section 2.1).
    pub fn of_positions(
        positions: &[Vec<Position>],
        row_frequencies: &[Frequencies],
        axes: &[usize],
        dtype: DType,
        device: &Device,
    ) -> Result<Self> {
        let (Some(first), Some(last_positions)) = (row_frequencies.first(), positions.last()) else {
            candle_core::bail!("RoPE needs at least one row")
        };
        let pairs = first.inv_freq.len();
        let (rows, length) = (positions.len().max(row_frequencies.len()), last_positions.len());
        let (mut cos, mut sin) = (Vec::with_capacity(rows * length * pairs), Vec::with_capacity(rows * length * pairs));
        for row in 0..rows {
            let Frequencies { inv_freq, scale } = row_frequencies.get(row).unwrap_or(first);
            for position in positions.get(row).unwrap_or(last_positions) {
                for (inv_freq, axis) in inv_freq.iter().zip(axes) {
                    let angle = position[*axis] as f32 * inv_freq;
                    cos.push(angle.cos() * scale);
                    sin.push(angle.sin() * scale);
                }
            }
        }
        let shape = if rows == 1 { vec![length, pairs] } else { vec![rows, length, pairs] };
        let tensor = |values: Vec<f32>| Tensor::from_vec(values, shape.as_slice(), device)?.to_dtype(dtype);
        Ok(Self { cos: tensor(cos)?, sin: tensor(sin)? })
    }

    /// 2-D RoPE of patches at these (row, column) positions: the first half of a head's pairs encodes the row, the second
    /// the column, with the same frequencies (Qwen2-VL's vision tower).
    pub fn of_patches(
        patches: &[(usize, usize)],
        head_size: usize,
        theta: f64,
        dtype: DType,
        device: &Device,
    ) -> Result<Self> {
        let frequencies = frequencies(head_size / 2, theta);
        let mut angles = Vec::with_capacity(patches.len() * 2 * frequencies.len());
        for (row, column) in patches {
            for position in [row, column] {
                angles.extend(frequencies.iter().map(|frequency| *position as f32 * frequency));
            }
        }
        Self::of_angles(&Tensor::from_vec(angles, (patches.len(), 2 * frequencies.len()), device)?, dtype)
    }

    /// 2-D RoPE of an image's patches in row-major order: even frequencies encode the row, odd ones the column (Pixtral's
    /// vision tower).
    pub fn of_grid(
        rows: usize,
        columns: usize,
        head_size: usize,
        theta: f64,
        dtype: DType,
        device: &Device,
    ) -> Result<Self> {
        let frequencies = frequencies(head_size, theta);
        let mut angles = Vec::with_capacity(rows * columns * frequencies.len());
        for row in 0..rows {
            for column in 0..columns {
                angles.extend(frequencies.iter().step_by(2).map(|frequency| row as f32 * frequency));
                angles.extend(frequencies.iter().skip(1).step_by(2).map(|frequency| column as f32 * frequency));
            }
        }
        Self::of_angles(&Tensor::from_vec(angles, (rows * columns, frequencies.len()), device)?, dtype)
    }

    /// Applies RoPE to queries or keys `[B, heads, T, head_size]`, pairing the two halves of a head (`apply_rotary_pos_emb`
    /// in transformers). Inference computes in the dtype of the cosines.
    pub fn apply(&self, heads: &Tensor, mode: Mode) -> Result<Tensor> {
        if mode == Mode::Infer {
            return apply_rope(heads, &self.cos, &self.sin);
        }
        let half = heads.dim(D::Minus1)? / 2;
        let first = heads.narrow(D::Minus1, 0, half)?;
        let second = heads.narrow(D::Minus1, half, half)?;
        // All heads share the angles.
        let (cos, sin) = match self.cos.rank() {
            2 => (self.cos.clone(), self.sin.clone()),
            _ => (self.cos.unsqueeze(1)?, self.sin.unsqueeze(1)?),
        };
        let rotated_first = (first.broadcast_mul(&cos)? - second.broadcast_mul(&sin)?)?;
        let rotated_second = (second.broadcast_mul(&cos)? + first.broadcast_mul(&sin)?)?;
        Tensor::cat(&[rotated_first, rotated_second], D::Minus1)
    }
}

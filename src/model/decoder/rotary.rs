//! Rotary position embedding (Su et al. 2021): by place, row and column.

use super::rope_scaling::{Frequencies, frequencies};
use crate::model::layers::{Mode, apply_rope};
use candle_core::{D, DType, Device, Result, Tensor};

/// Where a token is: time, row, column. All three are its place in the sequence unless it is a patch of an image and the
/// model turns by rows and columns.
pub(in crate::model) type Position = [usize; 3];

/// Cosines and sines of the rotation angles, each `[T, head_size / 2]` or, where the rows of a batch have positions of
/// their own, `[B, T, head_size / 2]`.
#[derive(Clone, Debug)]
pub(in crate::model) struct Rope {
    cos: Tensor,
    sin: Tensor,
}

impl Rope {
    /// From angles in `f32` of the shapes above.
    fn of_angles(angles: &Tensor, dtype: DType) -> Result<Self> {
        Ok(Self { cos: angles.cos()?.to_dtype(dtype)?, sin: angles.sin()?.to_dtype(dtype)? })
    }

    /// Angles of tokens: `positions` and `rotations` hold one row or rotation for all, or one per row of the batch. With `sections`
    /// the first so many pairs turn by time, the next by row, the last by column (Qwen2-VL, section 2.1); without, all
    /// turn by time.
    pub fn of_positions(
        positions: &[Vec<Position>],
        rotations: &[Frequencies],
        sections: Option<[usize; 3]>,
        dtype: DType,
        device: &Device,
    ) -> Result<Self> {
        let (Some(first), Some(last_positions)) = (rotations.first(), positions.last()) else {
            candle_core::bail!("a rotation of no rows")
        };
        let pairs = first.inv_freq.len();
        let axis_of = |pair: usize| match sections {
            None => 0,
            Some([time, row, _]) => usize::from(pair >= time) + usize::from(pair >= time + row),
        };
        let axes: Vec<usize> = (0..pairs).map(axis_of).collect();
        let (rows, length) = (positions.len().max(rotations.len()), last_positions.len());
        let (mut cos, mut sin) = (Vec::with_capacity(rows * length * pairs), Vec::with_capacity(rows * length * pairs));
        for row in 0..rows {
            let Frequencies { inv_freq, scale } = rotations.get(row).unwrap_or(first);
            for position in positions.get(row).unwrap_or(last_positions) {
                for (turn, axis) in inv_freq.iter().zip(&axes) {
                    let angle = position[*axis] as f32 * turn;
                    cos.push(angle.cos() * scale);
                    sin.push(angle.sin() * scale);
                }
            }
        }
        let shape = if rows == 1 { vec![length, pairs] } else { vec![rows, length, pairs] };
        let tensor = |values: Vec<f32>| Tensor::from_vec(values, shape.as_slice(), device)?.to_dtype(dtype);
        Ok(Self { cos: tensor(cos)?, sin: tensor(sin)? })
    }

    /// Angles of the patches at these rows and columns: the first half of a head's pairs turns by the row, the second by
    /// the column, with the same frequencies (Qwen2-VL's tower).
    pub fn of_places(
        places: &[(usize, usize)],
        head_size: usize,
        theta: f64,
        dtype: DType,
        device: &Device,
    ) -> Result<Self> {
        let frequencies = frequencies(head_size / 2, theta);
        let mut angles = Vec::with_capacity(places.len() * 2 * frequencies.len());
        for (row, column) in places {
            for place in [row, column] {
                angles.extend(frequencies.iter().map(|frequency| *place as f32 * frequency));
            }
        }
        Self::of_angles(&Tensor::from_vec(angles, (places.len(), 2 * frequencies.len()), device)?, dtype)
    }

    /// Angles of the patches of an image, row by row: the even frequencies turn by the row, the odd ones by the column.
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

    /// Rotates `[B, heads, T, head_size]`, first half of a head against its second half; in inference in the type of the
    /// angles.
    pub fn apply(&self, heads: &Tensor, mode: Mode) -> Result<Tensor> {
        if mode == Mode::Infer {
            return apply_rope(heads, &self.cos, &self.sin);
        }
        let half = heads.dim(D::Minus1)? / 2;
        let first = heads.narrow(D::Minus1, 0, half)?;
        let second = heads.narrow(D::Minus1, half, half)?;
        // One angle for all heads.
        let (cos, sin) = match self.cos.rank() {
            2 => (self.cos.clone(), self.sin.clone()),
            _ => (self.cos.unsqueeze(1)?, self.sin.unsqueeze(1)?),
        };
        let turned_first = (first.broadcast_mul(&cos)? - second.broadcast_mul(&sin)?)?;
        let turned_second = (second.broadcast_mul(&cos)? + first.broadcast_mul(&sin)?)?;
        Tensor::cat(&[turned_first, turned_second], D::Minus1)
    }
}

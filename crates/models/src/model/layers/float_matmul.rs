//! f32 matrix multiplication by gemmkit, which selects the kernels for the processor at run time, parallel over chunks of rows.
//!
//! candle's own kernels reach 0.5 of its speed with AVX-512. OpenBLAS reaches it where it knows the processor, and a quarter of
//! it where it does not: 0.3.21 of Debian 12 takes a Xeon of 2024 for one of 2004 (docs/reference/measurements.md).

use candle_core::Result;
use gemmkit::{MatMut, MatRef, Parallelism, gemm};
use rayon::prelude::*;

/// Chunks of rows are multiples of this, so that few micro-kernels run partly filled.
const ROWS_PER_KERNEL: usize = 16;

/// A row-major matrix within a slice.
#[derive(Clone, Copy, Debug)]
pub(super) struct MatrixView<'a> {
    values: &'a [f32],
    rows: usize,
    columns: usize,
    /// Distance between the starts of two rows, in elements.
    stride: usize,
}

impl<'a> MatrixView<'a> {
    /// The matrix that starts at the first element of `values`.
    ///
    /// # Errors
    /// Fails if the matrix is larger than the slice.
    pub fn new(values: &'a [f32], rows: usize, columns: usize, stride: usize) -> Result<Self> {
        if !fits(values.len(), rows, columns, stride) {
            candle_core::bail!(
                "a matrix of {rows} × {columns} with row stride {stride} does not fit into {} elements",
                values.len()
            )
        }
        Ok(Self { values, rows, columns, stride })
    }

    fn row_range(self, start: usize, rows: usize) -> Result<Self> {
        Self::new(self.values.get(start * self.stride..).unwrap_or(&[]), rows, self.columns, self.stride)
    }
}

/// Transposition of the right matrix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Transpose {
    No,
    Yes,
}

/// Adds the product to the output or overwrites the output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Accumulate {
    No,
    Yes,
}

/// Writes `left · right` into `result`, a row-major matrix with row stride `stride`, on the calling thread.
///
/// # Errors
/// Fails if the shapes do not match.
pub(super) fn matmul(
    left: MatrixView,
    right: MatrixView,
    transpose_right: Transpose,
    accumulate: Accumulate,
    result: &mut [f32],
    stride: usize,
) -> Result<()> {
    let (inner, columns) = match transpose_right {
        Transpose::No => (right.rows, right.columns),
        Transpose::Yes => (right.columns, right.rows),
    };
    if inner != left.columns || !fits(result.len(), left.rows, columns, stride) {
        candle_core::bail!(
            "cannot multiply {} × {} by {inner} × {columns} into {} elements",
            left.rows,
            left.columns,
            result.len()
        )
    }
    if left.rows == 0 || columns == 0 {
        return Ok(());
    }
    let (row_step, column_step) = match transpose_right {
        Transpose::No => (right.stride, 1),
        Transpose::Yes => (1, right.stride),
    };
    // The shapes were checked above and by `MatrixView::new`; gemmkit checks them again, and panics.
    gemm(
        1.0,
        MatRef::new(left.values, left.rows, inner, left.stride as isize, 1),
        MatRef::new(right.values, inner, columns, row_step as isize, column_step as isize),
        f32::from(accumulate == Accumulate::Yes),
        MatMut::new(result, left.rows, columns, stride as isize, 1),
        Parallelism::Serial,
    );
    Ok(())
}

/// [`matmul`] with the transposed right matrix into a contiguous `result`, on all threads of the pool.
pub(super) fn matmul_parallel(
    left: MatrixView,
    right: MatrixView,
    accumulate: Accumulate,
    result: &mut [f32],
) -> Result<()> {
    matmul_into_columns(left, right, accumulate, result, right.rows, 0)
}

/// [`matmul_parallel`] into the columns from `first` on of a contiguous `result` with `width` columns.
pub(super) fn matmul_into_columns(
    left: MatrixView,
    right: MatrixView,
    accumulate: Accumulate,
    result: &mut [f32],
    width: usize,
    first: usize,
) -> Result<()> {
    if width == 0 || first + right.rows > width || result.len() != left.rows * width {
        candle_core::bail!(
            "{} columns from {first} of {} rows do not fit into {} elements with {width} columns",
            right.rows,
            left.rows,
            result.len()
        )
    }
    let chunk = left.rows.div_ceil(rayon::current_num_threads()).next_multiple_of(ROWS_PER_KERNEL).max(1);
    result.par_chunks_mut(chunk * width).enumerate().try_for_each(|(number, result)| {
        let rows = left.row_range(number * chunk, result.len() / width)?;
        matmul(rows, right, Transpose::Yes, accumulate, &mut result[first..], width)
    })
}

fn fits(length: usize, rows: usize, columns: usize, stride: usize) -> bool {
    let end = rows.saturating_sub(1).checked_mul(stride).and_then(|start| start.checked_add(columns));
    rows == 0 || columns > 0 && stride >= columns && end.is_some_and(|end| end <= length)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sequence(count: usize) -> Vec<f32> {
        (0..count).map(|number| (number * 7 % 11) as f32 - 5.0).collect()
    }

    #[test]
    fn products_match_the_definition() {
        let (rows, inner, columns) = (70, 5, 9);
        let (left, right) = (sequence(rows * inner), sequence(columns * inner));
        let mut sums = sequence(rows * columns);
        let mut expected = sums.clone();
        for (number, sum) in expected.iter_mut().enumerate() {
            let (row, column) = (number / columns, number % columns);
            *sum += (0..inner).map(|at| left[row * inner + at] * right[column * inner + at]).sum::<f32>();
        }
        let left = MatrixView::new(&left, rows, inner, inner).unwrap();
        matmul_parallel(left, MatrixView::new(&right, columns, inner, inner).unwrap(), Accumulate::Yes, &mut sums)
            .unwrap();
        assert_eq!(sums, expected);
    }

    #[test]
    fn row_strides_are_respected() {
        // The second and third columns of a matrix with four columns.
        let (left, right) = (sequence(11), sequence(4));
        let mut result = vec![9.0; 7];
        let left_part = MatrixView::new(&left[1..], 3, 2, 4).unwrap();
        let right_part = MatrixView::new(&right, 2, 2, 2).unwrap();
        matmul(left_part, right_part, Transpose::No, Accumulate::No, &mut result, 2).unwrap();
        let expected =
            |row: usize, column: usize| left[1 + 4 * row] * right[column] + left[2 + 4 * row] * right[2 + column];
        assert_eq!(
            result[..6],
            [expected(0, 0), expected(0, 1), expected(1, 0), expected(1, 1), expected(2, 0), expected(2, 1)]
        );
        assert_eq!(result[6], 9.0);
    }

    #[test]
    fn mismatched_shapes_are_refused() {
        let values = sequence(8);
        assert!(MatrixView::new(&values, 3, 3, 3).is_err());
        assert!(MatrixView::new(&values, 2, 4, 3).is_err());
        let (left, right) = (MatrixView::new(&values, 2, 4, 4).unwrap(), MatrixView::new(&values, 4, 2, 2).unwrap());
        assert!(matmul(left, right, Transpose::No, Accumulate::No, &mut [0.0; 3], 2).is_err());
        assert!(matmul(left, right, Transpose::Yes, Accumulate::No, &mut [0.0; 8], 4).is_err());
    }
}

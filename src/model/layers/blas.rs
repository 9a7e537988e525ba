//! Matrix products in f32 by the system's BLAS (OpenBLAS, which FAISS needs anyway), a share of the rows on each thread.
//!
//! candle's own products run at half its speed: 94 against 205 GFLOP/s on two cores of a Zen 4 (5120 × 768 × 3072).

use candle_core::Result;
use rayon::prelude::*;
use std::ffi::{CStr, c_char, c_int, c_void};
use std::sync::Once;

/// Rows of a share are a multiple of this, so that kernels are seldom cut.
const ROWS_OF_A_KERNEL: usize = 16;

// Fortran's interface, which every BLAS has. Matrices are column by column.
#[allow(unsafe_code, reason = "BLAS is no Rust")]
unsafe extern "C" {
    fn sgemm_(
        transposed_left: *const c_char,
        transposed_right: *const c_char,
        rows: *const c_int,
        columns: *const c_int,
        inner: *const c_int,
        alpha: *const f32,
        left: *const f32,
        left_stride: *const c_int,
        right: *const f32,
        right_stride: *const c_int,
        beta: *const f32,
        result: *mut f32,
        result_stride: *const c_int,
    );
}

/// A matrix row by row within a slice.
#[derive(Clone, Copy, Debug)]
pub(super) struct Matrix<'a> {
    values: &'a [f32],
    rows: usize,
    columns: usize,
    /// From the beginning of a row to that of the next.
    stride: usize,
}

impl<'a> Matrix<'a> {
    /// The matrix that begins where `values` does; an error where it does not fit.
    pub fn new(values: &'a [f32], rows: usize, columns: usize, stride: usize) -> Result<Self> {
        if !fits(values.len(), rows, columns, stride) {
            candle_core::bail!("{rows} × {columns} numbers in rows of {stride} do not fit into {}", values.len())
        }
        Ok(Self { values, rows, columns, stride })
    }

    fn row_range(self, start: usize, rows: usize) -> Result<Self> {
        Self::new(self.values.get(start * self.stride..).unwrap_or(&[]), rows, self.columns, self.stride)
    }
}

/// What the right matrix of a product is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Transpose {
    No,
    Transposed,
}

/// What becomes of the numbers that are where the result goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Accumulate {
    Overwritten,
    Added,
}

/// `left · right` into `result`, whose rows begin `stride` numbers apart; on this thread alone.
pub(super) fn product(
    left: Matrix,
    right: Matrix,
    side: Transpose,
    before: Accumulate,
    result: &mut [f32],
    stride: usize,
) -> Result<()> {
    one_thread_a_product();
    let (inner, columns) = match side {
        Transpose::No => (right.rows, right.columns),
        Transpose::Transposed => (right.columns, right.rows),
    };
    if inner != left.columns || !fits(result.len(), left.rows, columns, stride) {
        candle_core::bail!(
            "no product of {} × {} and {inner} × {columns} in {} numbers",
            left.rows,
            left.columns,
            result.len()
        )
    }
    if left.rows == 0 || columns == 0 {
        return Ok(());
    }
    let transposed = match side {
        Transpose::No => b'N',
        Transpose::Transposed => b'T',
    } as c_char;
    let plain = b'N' as c_char;
    let size = |size: usize| c_int::try_from(size).map_err(candle_core::Error::wrap);
    let (rows, columns, inner) = (size(left.rows)?, size(columns)?, size(inner)?);
    let (left_stride, right_stride, stride) = (size(left.stride)?, size(right.stride)?, size(stride)?);
    let beta = f32::from(before == Accumulate::Added);
    // Row by row is column by column of the transposed matrix, so the product is asked for as rightᵀ · leftᵀ.
    //
    // SAFETY: `Matrix::new` and `fits` above have checked that every row lies within its slice, all three slices live
    // until the call returns, and `result` is borrowed for writing alone.
    #[allow(unsafe_code, reason = "BLAS is no Rust")]
    unsafe {
        sgemm_(
            &raw const transposed,
            &raw const plain,
            &raw const columns,
            &raw const rows,
            &raw const inner,
            &1.0,
            right.values.as_ptr(),
            &raw const right_stride,
            left.values.as_ptr(),
            &raw const left_stride,
            &raw const beta,
            result.as_mut_ptr(),
            &raw const stride,
        );
    }
    Ok(())
}

/// [`product`] with the right matrix transposed, on all threads of the pool; rows of the result lie one after another.
pub(super) fn product_on_all_threads(
    left: Matrix,
    right: Matrix,
    before: Accumulate,
    result: &mut [f32],
) -> Result<()> {
    let columns = right.rows;
    let share = left.rows.div_ceil(rayon::current_num_threads()).next_multiple_of(ROWS_OF_A_KERNEL);
    if share >= left.rows {
        return product(left, right, Transpose::Transposed, before, result, columns);
    }
    result.par_chunks_mut(share * columns).enumerate().try_for_each(|(number, result)| {
        let rows = left.row_range(number * share, result.len() / columns)?;
        product(rows, right, Transpose::Transposed, before, result, columns)
    })
}

fn fits(length: usize, rows: usize, columns: usize, stride: usize) -> bool {
    let end = rows.saturating_sub(1).checked_mul(stride).and_then(|start| start.checked_add(columns));
    rows == 0 || columns > 0 && stride >= columns && end.is_some_and(|end| end <= length)
}

/// OpenBLAS shares each product among threads of its own, which would contend with the threads that ask for it.
fn one_thread_a_product() {
    static TOLD: Once = Once::new();
    TOLD.call_once(|| {
        const SET_THREADS: &CStr = c"openblas_set_num_threads";
        // SAFETY: the name ends with a zero; a library that has a function of this name is OpenBLAS, whose function it is.
        #[allow(unsafe_code, reason = "whether the BLAS is OpenBLAS is known at run time only")]
        unsafe {
            let function = libc::dlsym(libc::RTLD_DEFAULT, SET_THREADS.as_ptr());
            if !function.is_null() {
                let set_threads = std::mem::transmute::<*mut c_void, unsafe extern "C" fn(c_int)>(function);
                set_threads(1);
            }
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(count: usize) -> Vec<f32> {
        (0..count).map(|number| (number * 7 % 11) as f32 - 5.0).collect()
    }

    #[test]
    fn products_are_those_of_the_definition() {
        let (rows, inner, columns) = (70, 5, 9);
        let (left, right) = (numbers(rows * inner), numbers(columns * inner));
        let mut sums = numbers(rows * columns);
        let mut expected = sums.clone();
        for (number, sum) in expected.iter_mut().enumerate() {
            let (row, column) = (number / columns, number % columns);
            *sum += (0..inner).map(|at| left[row * inner + at] * right[column * inner + at]).sum::<f32>();
        }
        let left = Matrix::new(&left, rows, inner, inner).unwrap();
        product_on_all_threads(left, Matrix::new(&right, columns, inner, inner).unwrap(), Accumulate::Added, &mut sums)
            .unwrap();
        assert_eq!(sums, expected);
    }

    #[test]
    fn rows_may_lie_apart() {
        // The second and third column of each row of four.
        let (left, right) = (numbers(11), numbers(4));
        let mut result = vec![9.0; 7];
        let left_part = Matrix::new(&left[1..], 3, 2, 4).unwrap();
        let right_part = Matrix::new(&right, 2, 2, 2).unwrap();
        product(left_part, right_part, Transpose::No, Accumulate::Overwritten, &mut result, 2).unwrap();
        let expected =
            |row: usize, column: usize| left[1 + 4 * row] * right[column] + left[2 + 4 * row] * right[2 + column];
        assert_eq!(
            result[..6],
            [expected(0, 0), expected(0, 1), expected(1, 0), expected(1, 1), expected(2, 0), expected(2, 1)]
        );
        assert_eq!(result[6], 9.0);
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let values = numbers(8);
        assert!(Matrix::new(&values, 3, 3, 3).is_err());
        assert!(Matrix::new(&values, 2, 4, 3).is_err());
        let (left, right) = (Matrix::new(&values, 2, 4, 4).unwrap(), Matrix::new(&values, 4, 2, 2).unwrap());
        assert!(product(left, right, Transpose::No, Accumulate::Overwritten, &mut [0.0; 3], 2).is_err());
        assert!(product(left, right, Transpose::Transposed, Accumulate::Overwritten, &mut [0.0; 8], 4).is_err());
    }
}

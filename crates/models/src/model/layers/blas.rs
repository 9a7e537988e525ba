//! f32 matrix multiplication by the system's BLAS (OpenBLAS, which FAISS links too), parallel over chunks of rows.
//!
//! candle's own kernels reach half its speed: 94 against 205 GFLOP/s on two cores of a Zen 4 (5120 × 768 × 3072).

// The Fortran interface, whose matrices are column-major. Every BLAS has it; some systems keep CBLAS in a library of its own,
// which FAISS does not link. blas-sys declares and links nothing; `build.rs` links.
use blas_sys::sgemm_;
use candle_core::Result;
use rayon::prelude::*;
use std::ffi::{CStr, c_char, c_int, c_void};
use std::sync::Once;

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

/// Adds the product to the output (BLAS's beta = 1) or overwrites the output (beta = 0).
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
    use_one_blas_thread();
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
    let transposed = match transpose_right {
        Transpose::No => b'N',
        Transpose::Yes => b'T',
    } as c_char;
    let plain = b'N' as c_char;
    let size = |size: usize| c_int::try_from(size).map_err(candle_core::Error::wrap);
    let (rows, columns, inner) = (size(left.rows)?, size(columns)?, size(inner)?);
    let (left_stride, right_stride, stride) = (size(left.stride)?, size(right.stride)?, size(stride)?);
    let beta = f32::from(accumulate == Accumulate::Yes);
    // A row-major matrix is its transpose in column-major order, so BLAS computes rightᵀ · leftᵀ.
    //
    // SAFETY: `MatrixView::new` and `fits` above have checked that every row lies within its slice, all three slices live
    // until the call returns, and `result` is borrowed for writing alone.
    #[allow(unsafe_code, reason = "BLAS is a foreign library")]
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

/// [`matmul`] with the transposed right matrix into a contiguous `result`, on all threads of the pool.
pub(super) fn matmul_parallel(
    left: MatrixView,
    right: MatrixView,
    accumulate: Accumulate,
    result: &mut [f32],
) -> Result<()> {
    let columns = right.rows;
    let chunk = left.rows.div_ceil(rayon::current_num_threads()).next_multiple_of(ROWS_PER_KERNEL);
    if chunk >= left.rows {
        return matmul(left, right, Transpose::Yes, accumulate, result, columns);
    }
    result.par_chunks_mut(chunk * columns).enumerate().try_for_each(|(number, result)| {
        let rows = left.row_range(number * chunk, result.len() / columns)?;
        matmul(rows, right, Transpose::Yes, accumulate, result, columns)
    })
}

fn fits(length: usize, rows: usize, columns: usize, stride: usize) -> bool {
    let end = rows.saturating_sub(1).checked_mul(stride).and_then(|start| start.checked_add(columns));
    rows == 0 || columns > 0 && stride >= columns && end.is_some_and(|end| end <= length)
}

/// By default OpenBLAS splits each product among threads of its own, which would compete with the calling threads.
fn use_one_blas_thread() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        const SET_THREADS: &CStr = c"openblas_set_num_threads";
        // SAFETY: the name is NUL-terminated, and only OpenBLAS exports a function of this name, with this signature.
        #[allow(unsafe_code, reason = "only known at run time whether the BLAS is OpenBLAS")]
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

//! `sgemm_`: the product of two matrices of f32, on the threads of rayon.

use gemmkit::Parallelism;
use std::ffi::{c_char, c_int};

/// `c = alpha · op(a) · op(b) + beta · c` for column-major matrices, as the reference BLAS defines it: `op(a)` is
/// `rows` × `inner`, `op(b)` is `inner` × `columns`, and `op` transposes where the flag is `T` or `C`. `lda`, `ldb` and `ldc` are
/// the distances of two columns in memory, in elements.
///
/// # Safety
/// All pointers are valid, and the matrices are as large as the numbers say; `c` is not `a` or `b`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sgemm_(
    transpose_a: *const c_char,
    transpose_b: *const c_char,
    rows: *const c_int,
    columns: *const c_int,
    inner: *const c_int,
    alpha: *const f32,
    a: *const f32,
    lda: *const c_int,
    b: *const f32,
    ldb: *const c_int,
    beta: *const f32,
    c: *mut f32,
    ldc: *const c_int,
) -> c_int {
    // SAFETY: the caller vouches for the pointers to numbers, as `sgemm_` of every BLAS asks.
    let (a_strides, b_strides, sizes, ldc, alpha, beta) = unsafe {
        let sizes = [*rows, *columns, *inner].map(|size| usize::try_from(size).unwrap_or_default());
        (strides(*transpose_a, *lda), strides(*transpose_b, *ldb), sizes, *ldc as isize, *alpha, *beta)
    };
    let [rows, columns, inner] = sizes;
    let threads = Parallelism::Rayon(rayon::current_num_threads());
    // SAFETY: the caller vouches for the matrices and that the result overlaps neither factor.
    unsafe {
        gemmkit::gemm_unchecked(
            rows,
            inner,
            columns,
            alpha,
            a,
            a_strides.0,
            a_strides.1,
            b,
            b_strides.0,
            b_strides.1,
            beta,
            c,
            1,
            ldc,
            threads,
        );
    }
    0
}

/// Distances of two rows and two columns of `op(matrix)`, in elements.
fn strides(transpose: c_char, leading: c_int) -> (isize, isize) {
    let is_transposed = matches!(transpose as u8, b'T' | b't' | b'C' | b'c');
    if is_transposed { (leading as isize, 1) } else { (1, leading as isize) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All transpositions, with columns further apart than they are long, against the definition.
    #[test]
    fn products_match_the_definition() {
        let (rows, columns, inner, alpha, beta) = (37, 21, 65, 0.5_f32, 2.0_f32);
        for (transpose_a, transpose_b) in [(b'N', b'N'), (b'T', b'N'), (b'N', b'T'), (b'T', b'T')] {
            let (lda, ldb, ldc) = (inner.max(rows) + 3, inner.max(columns) + 1, rows + 2);
            let values = |count: usize, step: usize| -> Vec<f32> {
                (0..count).map(|place| (place * step % 11) as f32 - 5.0).collect()
            };
            let (a, b) = (values(lda * lda, 7), values(ldb * ldb, 5));
            let before = values(ldc * columns, 3);
            let mut c = before.clone();
            let sizes = [rows, columns, inner, lda, ldb, ldc].map(|size| size as c_int);
            let (flag_a, flag_b) = (transpose_a as c_char, transpose_b as c_char);
            // SAFETY: every matrix is larger than the sizes say.
            unsafe {
                sgemm_(
                    &raw const flag_a,
                    &raw const flag_b,
                    &raw const sizes[0],
                    &raw const sizes[1],
                    &raw const sizes[2],
                    &raw const alpha,
                    a.as_ptr(),
                    &raw const sizes[3],
                    b.as_ptr(),
                    &raw const sizes[4],
                    &raw const beta,
                    c.as_mut_ptr(),
                    &raw const sizes[5],
                );
            }
            let of = |matrix: &[f32], flag: u8, leading: usize, row: usize, column: usize| {
                if flag == b'T' { matrix[column + row * leading] } else { matrix[row + column * leading] }
            };
            for column in 0..columns {
                for row in 0..ldc {
                    let place = row + column * ldc;
                    let sum: f32 = (0..inner)
                        .map(|at| {
                            of(&a, transpose_a, lda, row.min(rows - 1), at) * of(&b, transpose_b, ldb, at, column)
                        })
                        .sum();
                    // Small whole numbers, so that sums are exact in any order.
                    let expected = if row < rows { alpha * sum + beta * before[place] } else { before[place] };
                    assert_eq!(c[place], expected, "{transpose_a}{transpose_b} at {row}, {column}");
                }
            }
        }
    }
}

# For FAISS's build: it looks for BLAS and LAPACK, and links neither into its static library. This crate has what it needs.
set(BLAS_LIBRARIES blas CACHE STRING "")
set(LAPACK_LIBRARIES lapack CACHE STRING "")

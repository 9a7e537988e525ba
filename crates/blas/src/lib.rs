//! What FAISS asks of BLAS and LAPACK: the product of two matrices of f32, by gemmkit, for exact search and for the clusters of
//! approximate search ([`product`]); everything else belongs to kinds of index that dissent does not build ([`left_out`]).
//!
//! A program links this crate by `use dissent_blas as _;`.
#![allow(unsafe_code, reason = "functions of C's interface, called by FAISS")]

pub mod left_out;
pub mod product;

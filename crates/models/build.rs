//! Links the BLAS that `model/layers/blas.rs` uses, which is the library that FAISS links.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rustc-link-lib=blas");
}

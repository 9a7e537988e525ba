//! NVIDIA GPUs: whether this machine has one that can run candle's kernels, and what it is.

#[cfg(feature = "cuda")]
mod driver;
mod kernels;
#[cfg(feature = "cuda")]
mod libraries;
#[cfg(feature = "cuda")]
mod open;

#[cfg(feature = "cuda")]
pub use open::{built_for, describe, forget_peak, free_bytes, open, peak_bytes};

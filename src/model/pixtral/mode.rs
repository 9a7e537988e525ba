//! Training or inference: candle's fused layers drop gradients without a word, so the two take different operations.

/// Which operations a module uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Every operation has a backward pass.
    Train,
    /// Fused operations, no backward pass.
    Infer,
}

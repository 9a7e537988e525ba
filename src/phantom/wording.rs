//! How much a caption says.

/// Probability that a caption mentions a finding of each kind.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Wording {
    /// Of each nuisance (gain, side, ...).
    pub nuisance: f32,
    /// Of each sign (margin, interior; lesions of a fundus). Sets how well untrained retrieval does: in the recipe
    /// (phantom of convolutional towers) .4 gave entity precision .18 and .7 gave .26.
    pub sign: f32,
}

impl Wording {
    /// Corpus captions of the sample.
    pub const CORPUS: Self = Self { nuisance: 0.75, sign: 0.8 };
    /// Captions of the training pool.
    pub const POOL: Self = Self { nuisance: 0.75, sign: 0.7 };
}

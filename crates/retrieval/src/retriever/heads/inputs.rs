//! The inputs of the heads.

use super::HeadKind;
use anyhow::{Result, ensure};
use candle_core::Tensor;
use dissent_models::model::dual_encoder::{DualEncoder, Pixels};

/// Inputs of `B` cases, on the encoder's device, detached from the autograd graph.
#[derive(Clone, Debug)]
pub struct QueryInputs {
    /// E_0(x), unit vectors [B, D].
    pub base: Tensor,
    /// Pooled outputs [B, H] of the frozen tower.
    pub pooled: Tensor,
    /// Unit text vectors [B, D] of the questions; for [`HeadKind::Question`].
    pub questions: Option<Tensor>,
    /// Input of the image tower; for [`HeadKind::Tower`].
    pub pixels: Option<Pixels>,
}

impl QueryInputs {
    /// Given vectors [B, D] stand for the encoder's own and for the output of its tower.
    pub fn of_given(vectors: Tensor) -> Self {
        Self { pooled: vectors.clone(), base: vectors, questions: None, pixels: None }
    }

    /// Runs the frozen encoder over the pixels of pictures and their questions.
    ///
    /// # Errors
    /// Fails if the counts differ or the network cannot be run.
    pub fn of(encoder: &DualEncoder, kind: HeadKind, pixels: Pixels, questions: &[&str]) -> Result<Self> {
        let pictures = pixels.count()?;
        ensure!(
            pictures == questions.len(),
            "expected a question for each of {pictures} pictures, found {}",
            questions.len()
        );
        let pooled = encoder.pooled(&pixels)?.detach();
        let base = encoder.unit(&encoder.project(&pooled)?)?.detach();
        let questions = match kind {
            HeadKind::Question => Some(encoder.text_vectors(questions)?.detach()),
            HeadKind::Tower | HeadKind::Adapter => None,
        };
        let pixels = (kind == HeadKind::Tower).then_some(pixels);
        Ok(Self { base, pooled, questions, pixels })
    }
}

//! What heads see of cases.

use super::HeadKind;
use crate::model::dual_encoder::{DualEncoder, Pixels};
use anyhow::{Result, ensure};
use candle_core::Tensor;
use image::RgbImage;

/// Inputs of `B` cases, on the encoder's device, without a graph behind them.
#[derive(Clone, Debug)]
pub struct QueryInputs {
    /// E_0(x), unit vectors [B, D].
    pub base: Tensor,
    /// Pooled outputs [B, H] of the frozen tower.
    pub pooled: Tensor,
    /// Unit text vectors [B, D] of the questions; for [`HeadKind::Question`].
    pub questions: Option<Tensor>,
    /// What the image tower takes; for [`HeadKind::Tower`].
    pub pixels: Option<Pixels>,
}

impl QueryInputs {
    /// Runs the frozen encoder over pictures and their questions.
    ///
    /// # Errors
    /// Where the counts differ or the network cannot be run.
    pub fn of(encoder: &DualEncoder, kind: HeadKind, pictures: &[&RgbImage], questions: &[&str]) -> Result<Self> {
        ensure!(
            pictures.len() == questions.len(),
            "expected a question for each of {} pictures, found {}",
            pictures.len(),
            questions.len()
        );
        let pixels = encoder.pixels(pictures)?;
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

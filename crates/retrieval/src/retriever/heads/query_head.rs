//! One head with its variables.

use super::{HeadKind, QueryInputs};
use anyhow::{Context, Result};
use candle_core::{DType, Tensor};
use candle_nn::{Module, VarBuilder};
use candle_transformers::models::clip::div_l2_norm;
use dissent_models::model::dual_encoder::{Architecture, ImageTower, image_projection};
use dissent_models::model::layers::{Linear, Mode, linear_without_bias};
use std::sync::Arc;

/// Name of the matrix of a head over given vectors.
const GIVEN_PROJECTION: &str = "projection";

/// A head: its network and its weight in the query vector.
#[derive(Clone, Debug)]
pub struct QueryHead {
    network: Network,
    /// α; the frozen encoder has the weight 1 − α.
    pub alpha: f64,
}

#[derive(Clone, Debug)]
enum Network {
    Tower { tower: Arc<dyn ImageTower>, projection: Linear },
    Adapter(Linear),
    Question { image: Linear, question: Linear },
}

impl QueryHead {
    /// A head over `vars`; a new question map is zero, so that the head starts as the encoder.
    ///
    /// # Errors
    /// Fails if a tensor is missing or has the wrong shape.
    pub fn new(
        kind: HeadKind,
        architecture: &dyn Architecture,
        alpha: f64,
        vars: &VarBuilder,
        mode: Mode,
    ) -> Result<Self> {
        let projection = image_projection(architecture, vars)?;
        let network = match kind {
            HeadKind::Tower => Network::Tower { tower: architecture.image_tower(vars, mode)?, projection },
            HeadKind::Adapter => Network::Adapter(projection),
            HeadKind::Question => {
                let width = architecture.dimension();
                Network::Question {
                    image: projection,
                    question: linear_without_bias(width, width, 0.0, &vars.pp("question_projection"))?,
                }
            }
        };
        Ok(Self { network, alpha })
    }

    /// An adapter over vectors [B, D] that another program computed: a square matrix, which starts as the identity.
    ///
    /// # Errors
    /// Fails if the tensor is missing or has the wrong shape.
    pub fn over_given(dimension: usize, alpha: f64, vars: &VarBuilder) -> Result<Self> {
        let matrix = linear_without_bias(dimension, dimension, 0.0, &vars.pp(GIVEN_PROJECTION))?;
        Ok(Self { network: Network::Adapter(matrix), alpha })
    }

    /// q = α · norm(E_h(x)) + (1 − α) · E_0(x), [B, D] in f32, not normalised again (docs/method.md, "Heads").
    ///
    /// # Errors
    /// Fails if the inputs belong to another kind of head.
    pub fn queries(&self, inputs: &QueryInputs) -> Result<Tensor> {
        let embedded = match &self.network {
            Network::Tower { tower, projection } => {
                let pixels = inputs.pixels.as_ref().context("a tower head needs pixels")?;
                projection.forward(&tower.pooled(pixels)?)?
            }
            Network::Adapter(image) => image.forward(&inputs.pooled)?,
            Network::Question { image, question } => {
                let asked = inputs.questions.as_ref().context("a question head needs questions")?;
                let asked = asked.to_dtype(inputs.pooled.dtype())?;
                (image.forward(&inputs.pooled)? + question.forward(&asked)?)?
            }
        };
        let embedded = embedded.to_dtype(DType::F32)?;
        let own = (div_l2_norm(&embedded)? * self.alpha)?;
        let base = (inputs.base.to_dtype(DType::F32)? * (1.0 - self.alpha))?;
        Ok((own + base)?)
    }
}

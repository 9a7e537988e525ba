//! A BERT with pooling and projection.

use super::alibi;
use super::config::{BertConfig, Pooling, Positions, Projection};
use super::layer::{INIT_STD, Layer};
use super::rope::Rope;
use crate::model::dual_encoder::TextTower;
use crate::model::layers::{Activation, LayerNorm, Linear, Mode, embedding, layer_norm, linear, linear_without_bias};
use candle_core::{DType, Result, Tensor};
use candle_nn::{Embedding, Module, VarBuilder};

/// A BERT text tower; weights under `transformer.`, named as in `BertModel`, and `proj.`.
#[derive(Clone, Debug)]
pub struct BertTower {
    words: Embedding,
    positions: Positions,
    /// The positions if they are learned.
    learned_positions: Option<Embedding>,
    token_types: Embedding,
    norm: LayerNorm,
    layers: Vec<Layer>,
    pooling: Pooling,
    dense: Option<Linear>,
    projection: Vec<Linear>,
    heads: usize,
    pad_id: u32,
}

impl BertTower {
    /// Builds the tower over `vars`.
    ///
    /// # Errors
    /// Fails if a tensor is missing or has the wrong shape.
    pub fn new(config: &BertConfig, mode: Mode, vars: &VarBuilder) -> Result<Self> {
        let (width, network) = (config.width, vars.pp("transformer"));
        let embeddings = network.pp("embeddings");
        let table = |count: usize, name: &str| embedding(count, width, INIT_STD, &embeddings.pp(name));
        let mut layers = Vec::new();
        for number in 0..config.layers {
            layers.push(Layer::new(config, mode, &network.pp("encoder.layer").pp(number))?);
        }
        let plain = |inputs: usize, outputs: usize, name: &str| -> Result<Linear> {
            linear_without_bias(inputs, outputs, INIT_STD, &vars.pp(name))
        };
        Ok(Self {
            words: table(config.vocabulary, "word_embeddings")?,
            positions: config.positions,
            learned_positions: match config.positions {
                Positions::Learned(count) => Some(table(count, "position_embeddings")?),
                Positions::Alibi | Positions::Rope { .. } => None,
            },
            token_types: table(config.token_types, "token_type_embeddings")?,
            norm: layer_norm(width, config.epsilon, mode, &embeddings.pp("LayerNorm"))?,
            layers,
            pooling: config.pooling,
            dense: match config.pooling {
                Pooling::Dense => Some(linear(width, width, INIT_STD, &network.pp("pooler.dense"))?),
                Pooling::Mean | Pooling::First => None,
            },
            projection: match config.projection {
                Projection::Nothing => Vec::new(),
                Projection::Linear(dimension) => vec![plain(width, dimension, "proj")?],
                Projection::Mlp(dimension) => {
                    let inner = usize::midpoint(width, dimension);
                    vec![plain(width, inner, "proj.0")?, plain(inner, dimension, "proj.2")?]
                }
            },
            heads: config.heads,
            pad_id: config.pad_id,
        })
    }

    /// The last hidden states [B, T, width].
    fn states(&self, ids: &Tensor, is_token: &Tensor) -> Result<Tensor> {
        let (batch, length) = ids.dims2()?;
        let mut states = self.words.forward(ids)?.broadcast_add(&self.token_types.embeddings().narrow(0, 0, 1)?)?;
        // 0 for tokens, -inf for padding.
        let mut mask = is_token.log()?.reshape((batch, 1, 1, length))?;
        if let Some(positions) = &self.learned_positions {
            let positions = positions.embeddings();
            let longest = positions.dim(0)?;
            if length > longest {
                candle_core::bail!("expected texts of at most {longest} tokens, found {length}");
            }
            states = states.broadcast_add(&positions.narrow(0, 0, length)?)?;
        }
        if self.positions == Positions::Alibi {
            mask = mask.broadcast_add(&alibi::biases(self.heads, length, ids.device())?)?;
        }
        let rope = match self.positions {
            Positions::Rope { theta } => Some(Rope::new(length, states.dim(2)? / self.heads, theta, ids.device())?),
            Positions::Learned(_) | Positions::Alibi => None,
        };
        let mut states = self.norm.forward(&states)?;
        for layer in &self.layers {
            states = layer.forward(&states, &mask, rope.as_ref())?;
        }
        Ok(states)
    }

    /// 1 for tokens and 0 for padding, [B, T] in f32. In a text of padding only, the first position counts as a token, since
    /// a softmax over nothing is undefined.
    fn is_token(&self, ids: &Tensor) -> Result<Tensor> {
        let rows = ids.to_vec2::<u32>()?;
        let mut values = Vec::with_capacity(ids.elem_count());
        for row in &rows {
            let start = values.len();
            values.extend(row.iter().map(|id| if *id == self.pad_id { 0.0_f32 } else { 1.0 }));
            if values[start..].iter().all(|value| *value == 0.0)
                && let Some(first) = values.get_mut(start)
            {
                *first = 1.0;
            }
        }
        Tensor::from_vec(values, ids.dims2()?, ids.device())
    }
}

impl TextTower for BertTower {
    fn features(&self, ids: &Tensor) -> Result<Tensor> {
        let is_token = self.is_token(ids)?;
        let states = self.states(ids, &is_token)?;
        let mut vector = match self.pooling {
            Pooling::Mean => {
                let counts = is_token.sum_keepdim(1)?;
                let weighed = states.to_dtype(DType::F32)?.broadcast_mul(&is_token.unsqueeze(2)?)?;
                weighed.sum(1)?.broadcast_div(&counts)?.to_dtype(states.dtype())?
            }
            Pooling::First | Pooling::Dense => states.narrow(1, 0, 1)?.squeeze(1)?,
        };
        if let Some(dense) = &self.dense {
            vector = dense.forward(&vector)?.tanh()?;
        }
        for (number, layer) in self.projection.iter().enumerate() {
            if number > 0 {
                vector = Activation::Gelu.apply(&vector)?;
            }
            vector = layer.forward(&vector)?;
        }
        Ok(vector)
    }
}

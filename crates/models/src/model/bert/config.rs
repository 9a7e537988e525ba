//! The configuration of a BERT.

use crate::model::checkpoint::Weights;
use crate::model::limits::check_sizes;

/// The configuration of a BERT text tower. Published configurations of dual encoders only name the BERT, so the sizes are
/// taken from the tensors.
#[derive(Clone, Debug)]
pub struct BertConfig {
    pub vocabulary: usize,
    pub token_types: usize,
    pub width: usize,
    pub inner_width: usize,
    pub layers: usize,
    pub heads: usize,
    pub epsilon: f64,
    /// The padding token, which is masked.
    pub pad_id: u32,
    pub positions: Positions,
    /// True if the MLP is gated: half of its inner layer is the gate of the other half.
    pub is_gated: bool,
    pub pooling: Pooling,
    pub projection: Projection,
}

/// Position information.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Positions {
    /// Learned embeddings of this number of positions.
    Learned(usize),
    /// ALiBi: attention scores decrease linearly with the distance.
    Alibi,
    /// RoPE: queries and keys are rotated by angles that grow with the position; `theta` is its base.
    Rope { theta: f64 },
}

/// Pooling of the hidden states.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pooling {
    /// Mean over the tokens without padding.
    Mean,
    /// The first token.
    First,
    /// The first token after BERT's dense layer and tanh (`pooler_output`).
    Dense,
}

/// Projection of the pooled state to the shared space.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Projection {
    Nothing,
    Linear(usize),
    /// Two layers with GELU; the inner size is the mean of input and output size.
    Mlp(usize),
}

impl Pooling {
    /// The pooling with this OpenCLIP name.
    ///
    /// # Errors
    /// Fails if the name is unknown; the message lists the known ones.
    pub(crate) fn of_name(name: &str) -> Result<Self, String> {
        match name {
            "mean_pooler" => Ok(Self::Mean),
            "cls_last_hidden_state_pooler" => Ok(Self::First),
            "cls_pooler" => Ok(Self::Dense),
            _ => Err(format!("expected mean_pooler, cls_last_hidden_state_pooler or cls_pooler, found {name:?}")),
        }
    }
}

/// Sizes of a BERT, from its tensors.
#[derive(Clone, Copy, Debug)]
pub struct BertSizes {
    pub vocabulary: usize,
    pub token_types: usize,
    pub width: usize,
    /// Size of the stored inner layer, including the gate.
    pub inner_width: usize,
    pub layers: usize,
    pub positions: usize,
}

impl BertSizes {
    /// Takes the sizes from `weights`, with names as in `BertModel` below `prefix`. Sizes of missing tensors are 0; building
    /// the network then reports the missing tensor.
    pub fn of(weights: &Weights, prefix: &str) -> Self {
        let size = |name: &str, dimension: usize| -> usize {
            let shape = weights.shape(&format!("{prefix}{name}")).unwrap_or_default();
            shape.get(dimension).copied().unwrap_or(0)
        };
        Self {
            vocabulary: size("embeddings.word_embeddings.weight", 0),
            token_types: size("embeddings.token_type_embeddings.weight", 0),
            width: size("embeddings.word_embeddings.weight", 1),
            inner_width: size("encoder.layer.0.intermediate.dense.weight", 0),
            layers: weights.layers_below(&format!("{prefix}encoder.layer.")),
            positions: size("embeddings.position_embeddings.weight", 0),
        }
    }
}

impl BertConfig {
    /// Fails if sizes are inconsistent; the message names them.
    pub fn check(&self) -> Result<(), String> {
        let sizes = [
            ("vocabulary", self.vocabulary),
            ("token types", self.token_types),
            ("width", self.width),
            ("inner width", self.inner_width),
            ("layers", self.layers),
            ("heads", self.heads),
        ];
        check_sizes("text tower", &sizes)?;
        if !self.width.is_multiple_of(self.heads) {
            return Err(format!("text tower: width {} is not a multiple of {} heads", self.width, self.heads));
        }
        let head = self.width / self.heads;
        if matches!(self.positions, Positions::Rope { .. }) && !head.is_multiple_of(2) {
            return Err(format!("text tower: expected heads of an even width for RoPE, found {head}"));
        }
        Ok(())
    }

    /// Length of the embedding.
    pub fn dimension(&self) -> usize {
        match self.projection {
            Projection::Nothing => self.width,
            Projection::Linear(dimension) | Projection::Mlp(dimension) => dimension,
        }
    }
}

//! Sizes and kind of a BERT.

use crate::model::checkpoint::Weights;
use crate::model::limits::check_sizes;

/// What the network is built from. Published configurations of dual encoders name the BERT instead of describing it, so
/// the sizes come from the tensors.
#[derive(Clone, Debug)]
pub struct BertConfig {
    pub vocabulary: usize,
    pub token_types: usize,
    pub width: usize,
    pub inner_width: usize,
    pub layers: usize,
    pub heads: usize,
    pub epsilon: f64,
    /// Padding; it is not looked at.
    pub pad_id: u32,
    pub positions: Positions,
    /// Half of the inner layer is a gate for the other half.
    pub is_gated: bool,
    pub pooling: Pooling,
    pub projection: Projection,
}

/// How the network knows where a token stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Positions {
    /// A vector for each of so many places.
    Learned(usize),
    /// Attention falls off with the distance, at another slope in each head.
    Alibi,
}

/// How one vector is made of a text's states.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pooling {
    /// Mean over the tokens that are no padding.
    Mean,
    /// The first token's.
    First,
    /// The first token's through BERT's own dense layer and tanh.
    Dense,
}

/// From the pooled state to the shared space.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Projection {
    Nothing,
    Linear(usize),
    /// Two layers, the inner of mean width, GELU between them.
    Mlp(usize),
}

impl Pooling {
    /// By OpenCLIP's name.
    ///
    /// # Errors
    /// A name that is not known, with those that are.
    pub fn of_name(name: &str) -> Result<Self, String> {
        match name {
            "mean_pooler" => Ok(Self::Mean),
            "cls_last_hidden_state_pooler" => Ok(Self::First),
            "cls_pooler" => Ok(Self::Dense),
            _ => Err(format!("expected mean_pooler, cls_last_hidden_state_pooler or cls_pooler, found {name:?}")),
        }
    }
}

/// Sizes that the tensors of a BERT tell.
#[derive(Clone, Copy, Debug)]
pub struct BertSizes {
    pub vocabulary: usize,
    pub token_types: usize,
    pub width: usize,
    /// Of the stored inner layer, gate included.
    pub inner_width: usize,
    pub layers: usize,
    pub positions: usize,
}

impl BertSizes {
    /// Reads them off `weights` (names as `BertModel` has them, below `prefix`); 0 for what is not there, which building
    /// the network then reports by name.
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
    /// Whether sizes fit together; says which do not.
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

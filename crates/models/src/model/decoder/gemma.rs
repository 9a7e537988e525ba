//! What decoders of the Gemma family do otherwise than Llama's.

/// Options of a Gemma decoder. All of them scale token embeddings by √hidden, and their RMSNorms multiply by 1 + weight.
#[derive(Clone, Debug, PartialEq)]
pub struct GemmaOptions {
    /// True if attention and MLP are also normalised after they are computed (Gemma 2 and 3).
    pub has_norms_after: bool,
    /// True if queries and keys are normalised per head before RoPE (Gemma 3).
    pub has_head_norms: bool,
    /// `query_pre_attn_scalar`: attention scores are divided by its root instead of that of the head size.
    pub query_scalar: f64,
    /// For each layer, whether it attends without the sliding window.
    pub attends_to_all: Vec<bool>,
    /// RoPE base of the layers with a sliding window, which no scaling changes (`rope_local_base_freq`); `None` if it is that
    /// of the other layers.
    pub local_rope_theta: Option<f64>,
    /// Tokens that attend to later ones.
    pub looks_ahead: LooksAhead,
}

/// Tokens of a prompt that attend to later tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LooksAhead {
    /// Those of an image attend to all tokens of the same image (Gemma 3).
    WithinImage,
    /// All tokens of a prompt attend to each other; those of an answer do not attend to later ones (PaliGemma).
    WithinPrompt,
}

/// The factor on token embeddings, √`hidden`.
pub(super) fn embedding_scale(hidden: usize) -> f64 {
    f64::from((hidden as f64).sqrt() as f32)
}

impl GemmaOptions {
    /// Checks that there is one entry per layer and that numbers are in range. `place` is prepended to field names.
    pub(super) fn check(&self, layers: usize, place: &str) -> Result<(), String> {
        if self.attends_to_all.len() != layers {
            let found = self.attends_to_all.len();
            return Err(format!("{place}layer_types: expected one for each of {layers} layers, found {found}"));
        }
        if !(self.query_scalar.is_finite() && self.query_scalar > 0.0) {
            let found = self.query_scalar;
            return Err(format!("{place}query_pre_attn_scalar: expected a number above 0, found {found}"));
        }
        Ok(())
    }
}

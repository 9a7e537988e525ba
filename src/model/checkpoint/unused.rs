//! Stored tensors that no layer takes: the model is then not the one that was saved, except for those listed here.

use std::fmt;

/// Scale and bias of the contrastive loss: they decide no vector.
const OF_THE_LOSS: [&str; 2] = ["logit_scale", "logit_bias"];

/// Last parts of the names of buffers that follow from the configuration. Versions of transformers before 4.31 stored
/// them (`_keys_to_ignore_on_load_unexpected`), as do EVA towers.
const BUFFERS: [&str; 5] = ["position_ids", "token_type_ids", "inv_freq", "freqs_cos", "freqs_sin"];

/// Whether a tensor of this name decides nothing. Of a model with `tied` embeddings a stored output matrix is a copy,
/// which transformers leaves aside, too.
pub(super) fn is_harmless(name: &str, tied: bool) -> bool {
    let last = name.rsplit('.').next().unwrap_or(name);
    OF_THE_LOSS.contains(&name) || BUFFERS.contains(&last) || (tied && name.ends_with("lm_head.weight"))
}

/// Names of unused tensors as they stand in their file, the first few of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnusedTensors {
    pub count: usize,
    pub first: Vec<String>,
}

/// Names in a message.
const SHOWN: usize = 3;

impl UnusedTensors {
    pub(super) fn of(names: &[&str]) -> Self {
        Self { count: names.len(), first: names.iter().take(SHOWN).map(ToString::to_string).collect() }
    }

    /// The field of the configuration that would make a place for the first of them.
    fn field(&self) -> &'static str {
        let name = self.first.first().map_or("", String::as_str);
        let is_in = |parts: &[&str]| parts.iter().any(|part| name.contains(part));
        let numbered = name.split('.').any(|part| part.parse::<usize>().is_ok());
        match () {
            () if name.contains("lm_head") => "tie_word_embeddings",
            () if numbered && is_in(&["visual.blocks", "trunk.blocks"]) => "vision_config: depth",
            () if numbered && is_in(&["visual.", "vision_"]) => "vision_config: num_hidden_layers",
            () if numbered && is_in(&["text_model", "language_model"]) => "text_config: num_hidden_layers",
            () if numbered => "num_hidden_layers",
            () if name.rsplit('.').next() == Some("bias") => "attention_bias, multimodal_projector_bias or their kin",
            () => "model_type or architectures",
        }
    }
}

impl fmt::Display for UnusedTensors {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (names, others) = (self.first.join(", "), self.count - self.first.len());
        let noun = if self.count == 1 { "tensor has" } else { "tensors have" };
        write!(formatter, "{} {noun} no place in the model that the configuration describes: {names}", self.count)?;
        if others > 0 {
            write!(formatter, " and {others} more")?;
        }
        write!(formatter, " (see {} there)", self.field())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_decides_nothing_is_let_pass() {
        for (name, tied, expected) in [
            ("logit_scale", false, true),
            ("text_model.embeddings.position_ids", false, true),
            ("model.layers.0.self_attn.rotary_emb.inv_freq", false, true),
            ("language_model.lm_head.weight", true, true),
            ("language_model.lm_head.weight", false, false),
            ("model.layers.2.mlp.up_proj.weight", false, false),
            ("head.logit_scale", false, false),
        ] {
            assert_eq!(is_harmless(name, tied), expected, "{name}, tied {tied}");
        }
    }

    #[test]
    fn the_message_counts_names_and_says_which_field() {
        let layers: Vec<String> =
            (0..5).map(|part| format!("language_model.model.layers.2.part{part}.weight")).collect();
        let unused = UnusedTensors::of(&layers.iter().map(String::as_str).collect::<Vec<_>>());
        let message = unused.to_string();
        assert!(message.starts_with("5 tensors have no place"), "{message}");
        assert!(message.contains("part2.weight and 2 more (see text_config: num_hidden_layers there)"), "{message}");
        assert!(UnusedTensors::of(&["lm_head.weight"]).to_string().contains("tie_word_embeddings"));
    }
}

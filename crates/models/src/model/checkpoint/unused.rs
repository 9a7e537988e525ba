//! Stored tensors that no layer has loaded. Except for those listed here, they mean that the network differs from the saved
//! one.

use std::fmt;

/// Scale and bias of the contrastive loss, without effect on embeddings.
const LOSS_PARAMETERS: [&str; 2] = ["logit_scale", "logit_bias"];

/// Suffixes of buffers without effect: those computed from the configuration, which transformers before 4.31
/// (`_keys_to_ignore_on_load_unexpected`) and EVA towers store, and the count of batches that a norm has seen in training.
const BUFFERS: [&str; 6] =
    ["position_ids", "token_type_ids", "inv_freq", "freqs_cos", "freqs_sin", "num_batches_tracked"];

/// True if a tensor of this name has no effect. With `tied` embeddings a stored output matrix is a copy, which
/// transformers ignores, too.
pub(in crate::model) fn is_harmless(name: &str, tied: bool) -> bool {
    let last = name.rsplit('.').next().unwrap_or(name);
    LOSS_PARAMETERS.contains(&name) || BUFFERS.contains(&last) || (tied && name.ends_with("lm_head.weight"))
}

/// Number of unused tensors, and the first few names as in their file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnusedTensors {
    pub count: usize,
    pub first: Vec<String>,
}

/// Names shown in a message.
const SHOWN: usize = 3;

impl UnusedTensors {
    pub(super) fn of(names: &[&str]) -> Self {
        Self { count: names.len(), first: names.iter().take(SHOWN).map(ToString::to_string).collect() }
    }

    /// The configuration field that most likely explains the first of them.
    fn field(&self) -> &'static str {
        let name = self.first.first().map_or("", String::as_str);
        let is_in = |parts: &[&str]| parts.iter().any(|part| name.contains(part));
        let numbered = name.split('.').any(|part| part.parse::<usize>().is_ok());
        match () {
            () if name.contains("lm_head") => "tie_word_embeddings",
            () if name.contains("deepstack_merger_list") => "vision_config: deepstack_visual_indexes",
            () if numbered && is_in(&["visual.blocks", "trunk.blocks"]) => "vision_config: depth",
            () if numbered && is_in(&["visual.", "vision_"]) => "vision_config: num_hidden_layers",
            () if numbered && is_in(&["text_model", "language_model"]) => "text_config: num_hidden_layers",
            () if numbered => "num_hidden_layers",
            () if name.rsplit('.').next() == Some("bias") => "attention_bias, multimodal_projector_bias or similar",
            () => "model_type or architectures",
        }
    }
}

impl fmt::Display for UnusedTensors {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (names, others) = (self.first.join(", "), self.count - self.first.len());
        let noun = if self.count == 1 { "tensor has" } else { "tensors have" };
        write!(
            formatter,
            "{} {noun} no counterpart in the model that the configuration describes: {names}",
            self.count
        )?;
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
    fn tensors_without_effect_are_ignored() {
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
    fn the_message_names_tensors_and_field() {
        let layers: Vec<String> =
            (0..5).map(|part| format!("language_model.model.layers.2.part{part}.weight")).collect();
        let unused = UnusedTensors::of(&layers.iter().map(String::as_str).collect::<Vec<_>>());
        let message = unused.to_string();
        assert!(message.starts_with("5 tensors have no counterpart"), "{message}");
        assert!(message.contains("part2.weight and 2 more (see text_config: num_hidden_layers there)"), "{message}");
        assert!(UnusedTensors::of(&["lm_head.weight"]).to_string().contains("tie_word_embeddings"));
    }
}

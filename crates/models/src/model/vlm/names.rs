//! Tensor names of models whose parts are called `vision_tower`, `multi_modal_projector` and `language_model`.

/// Maps a tensor name of any transformers version to one without the prefixes `model.` and `vision_model.`, which come and go.
/// Published files have `language_model.model.layers…` and `vision_tower.vision_model.encoder…`.
pub(in crate::model) fn name_without_prefixes(name: &str) -> String {
    let name = name.strip_prefix("model.").unwrap_or(name);
    for (prefix, own) in [
        ("language_model.model.", "language_model."),
        ("language_model.lm_head.", "lm_head."),
        ("vision_tower.vision_model.", "vision_tower."),
    ] {
        if let Some(rest) = name.strip_prefix(prefix) {
            return format!("{own}{rest}");
        }
    }
    name.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tensor_names_of_all_versions_are_mapped() {
        for (name, expected) in [
            ("language_model.model.layers.0.mlp.up_proj.weight", "language_model.layers.0.mlp.up_proj.weight"),
            ("model.language_model.layers.0.mlp.up_proj.weight", "language_model.layers.0.mlp.up_proj.weight"),
            ("vision_tower.vision_model.encoder.layers.0.mlp.fc1.bias", "vision_tower.encoder.layers.0.mlp.fc1.bias"),
            ("model.vision_tower.encoder.layers.0.mlp.fc1.bias", "vision_tower.encoder.layers.0.mlp.fc1.bias"),
            ("language_model.lm_head.weight", "lm_head.weight"),
            ("lm_head.weight", "lm_head.weight"),
        ] {
            assert_eq!(name_without_prefixes(name), expected);
        }
    }
}

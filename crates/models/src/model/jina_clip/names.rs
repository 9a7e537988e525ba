//! Mapping the tensor names of JinaBERT and of jina-embeddings-v3 to BERT's.

use crate::model::checkpoint::{Part, TargetTensor};

/// The network's tensors for the stored tensor `name`; only those of the text tower are renamed.
pub(super) fn targets(name: &str) -> Vec<TargetTensor> {
    let Some(rest) = name.strip_prefix("text_model.transformer.") else {
        return vec![TargetTensor::whole(name)];
    };
    let rest = rest.strip_prefix("roberta.").unwrap_or(rest);
    if rest.contains(".parametrizations.weight.0.lora_") {
        // Added to the weights by `task_adapter`.
        return Vec::new();
    }
    // A weight with an adapter.
    let rest = &rest.replace(".parametrizations.weight.original", ".weight");
    if rest.starts_with("embeddings.") {
        return vec![TargetTensor::whole(format!("text_model.transformer.{rest}"))];
    }
    if let Some(kind) = rest.strip_prefix("emb_ln.") {
        return vec![TargetTensor::whole(format!("text_model.transformer.embeddings.LayerNorm.{kind}"))];
    }
    if rest.starts_with("pooler.") {
        // Saved by some versions but never used, as the tower uses mean pooling.
        return Vec::new();
    }
    let Some((number, rest)) = rest.strip_prefix("encoder.layers.").and_then(|rest| rest.split_once('.')) else {
        return vec![TargetTensor::whole(name)];
    };
    let layer = format!("text_model.transformer.encoder.layer.{number}");
    if let Some(kind) = rest.strip_prefix("mixer.Wqkv.") {
        let part = |(place, part): (usize, &str)| {
            TargetTensor::part(format!("{layer}.attention.self.{part}.{kind}"), Part::Third(place))
        };
        return ["query", "key", "value"].into_iter().enumerate().map(part).collect();
    }
    for (old, new) in [
        ("mixer.out_proj", "attention.output.dense"),
        ("norm1", "attention.output.LayerNorm"),
        ("mlp.gated_layers", "intermediate.dense"),
        ("mlp.wo", "output.dense"),
        ("mlp.fc1", "intermediate.dense"),
        ("mlp.fc2", "output.dense"),
        ("norm2", "output.LayerNorm"),
    ] {
        if let Some(kind) = rest.strip_prefix(old).and_then(|rest| rest.strip_prefix('.')) {
            return vec![TargetTensor::whole(format!("{layer}.{new}.{kind}"))];
        }
    }
    vec![TargetTensor::whole(name)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_text_tensors_are_renamed() {
        let parts = targets("text_model.transformer.encoder.layers.3.mixer.Wqkv.bias");
        let key = "text_model.transformer.encoder.layer.3.attention.self.key.bias";
        assert_eq!(parts[1], TargetTensor::part(key, Part::Third(1)));
        let stored = "text_model.transformer.roberta.encoder.layers.3.mlp.fc1.parametrizations.weight.";
        let inner = "text_model.transformer.encoder.layer.3.intermediate.dense.weight";
        assert_eq!(targets(&format!("{stored}original")), [TargetTensor::whole(inner)]);
        assert!(targets(&format!("{stored}0.lora_A")).is_empty());
        let norm = "text_model.transformer.embeddings.LayerNorm.weight";
        assert_eq!(targets("text_model.transformer.emb_ln.weight"), [TargetTensor::whole(norm)]);
        for name in ["vision_model.norm.bias", "text_model.transformer.encoder.layers.3.mixer.layernorm_q.weight"] {
            assert_eq!(targets(name), [TargetTensor::whole(name)], "kept; the network reports what it has no use for");
        }
    }
}

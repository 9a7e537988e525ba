//! JinaBERT's tensors in the places of BERT's.

use crate::model::checkpoint::{Part, TargetTensor};

/// Where the tensor `name` of a `JinaCLIPModel` goes; only the text tower's move.
pub(super) fn places(name: &str) -> Vec<TargetTensor> {
    let Some(rest) = name.strip_prefix("text_model.transformer.") else {
        return vec![TargetTensor::whole(name)];
    };
    if let Some(kind) = rest.strip_prefix("emb_ln.") {
        return vec![TargetTensor::whole(format!("text_model.transformer.embeddings.LayerNorm.{kind}"))];
    }
    if rest.starts_with("pooler.") {
        // Saved by some versions, used by none: the tower takes a mean.
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
    fn text_tensors_move_and_others_stay() {
        let parts = places("text_model.transformer.encoder.layers.3.mixer.Wqkv.bias");
        let key = "text_model.transformer.encoder.layer.3.attention.self.key.bias";
        assert_eq!(parts[1], TargetTensor::part(key, Part::Third(1)));
        let norm = "text_model.transformer.embeddings.LayerNorm.weight";
        assert_eq!(places("text_model.transformer.emb_ln.weight"), [TargetTensor::whole(norm)]);
        for name in ["vision_model.norm.bias", "text_model.transformer.encoder.layers.3.mixer.layernorm_q.weight"] {
            assert_eq!(places(name), [TargetTensor::whole(name)], "kept; the network reports what it has no use for");
        }
    }
}

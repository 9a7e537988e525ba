//! Mapping OpenCLIP's tensor names to those of the networks.

use crate::model::checkpoint::{Part, TargetTensor};

/// Query, key and value, in the order of the combined tensor.
const ATTENTION: [&str; 3] = ["q_proj", "k_proj", "v_proj"];

/// Tensors of CLIP's image tower for `name` of OpenCLIP's, without `visual.`.
pub(super) fn of_image_tower(name: &str) -> Vec<TargetTensor> {
    let renamed = match name {
        "class_embedding" => "embeddings.class_embedding",
        "positional_embedding" => "embeddings.position_embedding.weight",
        "conv1.weight" => "embeddings.patch_embedding.weight",
        "ln_pre.weight" => "pre_layrnorm.weight",
        "ln_pre.bias" => "pre_layrnorm.bias",
        "ln_post.weight" => "post_layernorm.weight",
        "ln_post.bias" => "post_layernorm.bias",
        "proj" => return vec![TargetTensor::part("visual_projection.weight", Part::Transposed)],
        _ => return of_block(name, "vision_model"),
    };
    vec![TargetTensor::whole(format!("vision_model.{renamed}"))]
}

/// Tensors of CLIP's text tower for `name` of OpenCLIP's, without `text.`.
pub(super) fn of_text_tower(name: &str) -> Vec<TargetTensor> {
    let renamed = match name {
        "token_embedding.weight" => "embeddings.token_embedding.weight",
        "positional_embedding" => "embeddings.position_embedding.weight",
        "ln_final.weight" => "final_layer_norm.weight",
        "ln_final.bias" => "final_layer_norm.bias",
        "text_projection" => return vec![TargetTensor::part("text_projection.weight", Part::Transposed)],
        // The mask is computed.
        "attn_mask" => return Vec::new(),
        _ => return of_block(name, "text_model"),
    };
    vec![TargetTensor::whole(format!("text_model.{renamed}"))]
}

/// Tensors for one of `transformer.resblocks.N`. Unknown tensors keep their name, so that they are reported as unused.
fn of_block(name: &str, tower: &str) -> Vec<TargetTensor> {
    let Some((number, rest)) = name.strip_prefix("transformer.resblocks.").and_then(|rest| rest.split_once('.')) else {
        return vec![TargetTensor::whole(name)];
    };
    let layer = format!("{tower}.encoder.layers.{number}");
    if let Some(kind) = rest.strip_prefix("attn.in_proj_") {
        return thirds(&format!("{layer}.self_attn"), ATTENTION, kind);
    }
    for (old, new) in [
        ("ln_1", "layer_norm1"),
        ("ln_2", "layer_norm2"),
        ("attn.out_proj", "self_attn.out_proj"),
        ("mlp.c_fc", "mlp.fc1"),
        ("mlp.c_proj", "mlp.fc2"),
    ] {
        if let Some(kind) = rest.strip_prefix(old).and_then(|rest| rest.strip_prefix('.')) {
            return vec![TargetTensor::whole(format!("{layer}.{new}.{kind}"))];
        }
    }
    vec![TargetTensor::whole(name)]
}

/// Tensors of [`super::vision_transformer`] for `name` of timm's, without `visual.`.
pub(super) fn of_timm(name: &str) -> Vec<TargetTensor> {
    if name == "head.proj.weight" {
        return vec![TargetTensor::whole("visual_projection.weight")];
    }
    let Some(name) = name.strip_prefix("trunk.") else {
        return vec![TargetTensor::whole(name)];
    };
    let Some((number, rest)) = name.strip_prefix("blocks.").and_then(|rest| rest.split_once('.')) else {
        return vec![TargetTensor::whole(format!("vision_model.{name}"))];
    };
    let layer = format!("vision_model.encoder.layers.{number}");
    if let Some(kind) = rest.strip_prefix("attn.qkv.") {
        return thirds(&format!("{layer}.self_attn"), ATTENTION, kind);
    }
    let renamed = rest.replacen("norm1.", "layer_norm1.", 1).replacen("norm2.", "layer_norm2.", 1).replacen(
        "attn.proj.",
        "self_attn.out_proj.",
        1,
    );
    vec![TargetTensor::whole(format!("{layer}.{renamed}"))]
}

/// Tensors of [`super::fastvit`] for `name` of timm's, without `visual.`.
pub(super) fn of_fastvit(name: &str) -> Vec<TargetTensor> {
    vec![TargetTensor::whole(format!("vision_model.{}", name.strip_prefix("trunk.").unwrap_or(name)))]
}

/// Tensors of the BERT below `text_model` for `name` without `text.`.
pub(super) fn of_bert(name: &str, has_dense_pooling: bool) -> Vec<TargetTensor> {
    // Some versions save BERT's pooler even if it is not used.
    if name.starts_with("transformer.pooler.") && !has_dense_pooling {
        return Vec::new();
    }
    vec![TargetTensor::whole(format!("text_model.{name}"))]
}

fn thirds(below: &str, names: [&str; 3], kind: &str) -> Vec<TargetTensor> {
    let place =
        |(number, name): (usize, &str)| TargetTensor::part(format!("{below}.{name}.{kind}"), Part::Third(number));
    names.into_iter().enumerate().map(place).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tensors_are_mapped() {
        let one = |places: Vec<TargetTensor>| places.into_iter().map(|place| place.name).collect::<Vec<_>>().join(" ");
        let layer = "vision_model.encoder.layers.11";
        assert_eq!(one(of_image_tower("transformer.resblocks.11.ln_2.bias")), format!("{layer}.layer_norm2.bias"));
        assert_eq!(one(of_image_tower("transformer.resblocks.11.mlp.c_fc.bias")), format!("{layer}.mlp.fc1.bias"));
        let parts = of_image_tower("transformer.resblocks.11.attn.in_proj_weight");
        assert_eq!(parts[2], TargetTensor::part(format!("{layer}.self_attn.v_proj.weight"), Part::Third(2)));
        assert_eq!(one(of_timm("trunk.blocks.11.norm1.weight")), format!("{layer}.layer_norm1.weight"));
        assert_eq!(one(of_timm("trunk.blocks.11.attn.proj.bias")), format!("{layer}.self_attn.out_proj.bias"));
        assert_eq!(one(of_timm("trunk.pos_embed")), "vision_model.pos_embed");
        assert_eq!(one(of_image_tower("attn_pool.query")), "attn_pool.query", "kept, and reported as unused");
        assert!(of_bert("transformer.pooler.dense.weight", false).is_empty());
    }
}

//! Settings that ask for another network than those that are offered: each is refused by its name and file.

use super::fixture::{assert_says, copy_of, rewrite};
use serde_json::{Value, json};

/// The folder and file of a fixture, what the message says, and the field with the value that it gets.
type Refused = (&'static str, &'static str, &'static str, &'static [&'static str], Value);

#[test]
fn networks_that_are_not_offered_are_named() {
    let aside = tempfile::tempdir().unwrap();
    for (name, file, part, path, value) in pairs_of_towers().into_iter().chain(mobile_clips()).chain(towers_of_images())
    {
        let folder = copy_of(name, aside.path());
        rewrite(&folder, file, |config| path.iter().fold(config, |inner, key| &mut inner[*key]).clone_from(&value));
        assert_says(&folder, &[part, file]);
    }
}

fn pairs_of_towers() -> Vec<Refused> {
    vec![
        ("siglip", "config.json", "vision_use_head true", &["vision_config", "vision_use_head"], json!(false)),
        ("siglip2_naflex", "config.json", "vision_use_head true", &["vision_config", "vision_use_head"], json!(false)),
        (
            "siglip2_naflex",
            "config.json",
            "a square number as num_patches",
            &["vision_config", "num_patches"],
            json!(15),
        ),
        (
            "siglip2_naflex",
            "preprocessor_config.json",
            "field patch_size: expected 6 (vision_config of config.json), found 7",
            &["patch_size"],
            json!(7),
        ),
        (
            "siglip2_naflex",
            "preprocessor_config.json",
            "max_num_patches from 1",
            &["max_num_patches"],
            json!(1_u64 << 40),
        ),
        (
            "open_clip",
            "open_clip_config.json",
            "a number of layers",
            &["model_cfg", "vision_cfg", "layers"],
            json!([3, 4]),
        ),
        ("open_clip", "open_clip_config.json", "embed_cls", &["model_cfg", "text_cfg", "embed_cls"], json!(true)),
        ("open_clip", "open_clip_config.json", "no CoCa", &["model_cfg", "multimodal_cfg"], json!({"width": 8})),
        ("open_clip", "open_clip_config.json", "resize_mode", &["preprocess_cfg", "resize_mode"], json!("longest")),
        (
            "biomed_clip",
            "open_clip_config.json",
            "vit_",
            &["model_cfg", "vision_cfg", "timm_model_name"],
            json!("resnet50"),
        ),
        (
            "biomed_clip",
            "open_clip_config.json",
            "a BERT",
            &["model_cfg", "text_cfg", "hf_model_name"],
            json!("roberta-base"),
        ),
        (
            "biomed_clip",
            "open_clip_config.json",
            "mean_pooler",
            &["model_cfg", "text_cfg", "hf_pooler_type"],
            json!("max"),
        ),
        (
            "biomed_clip",
            "open_clip_config.json",
            "32 positions",
            &["model_cfg", "text_cfg", "context_length"],
            json!(256),
        ),
        (
            "jina_clip",
            "config.json",
            "jina-bert",
            &["text_config", "hf_model_name_or_path"],
            json!("jinaai/jina-embeddings-v4"),
        ),
        ("jina_clip", "config.json", "expected subln true", &["vision_config", "subln"], json!(false)),
        (
            "jina_clip_v2",
            "config.json",
            "expected one of retrieval.passage, retrieval.query, found \"separation\"",
            &["text_config", "default_lora_task"],
            json!("separation"),
        ),
        (
            "jina_clip_v2",
            "config.json",
            "expected default_instruction_task null",
            &["text_config", "default_instruction_task"],
            json!("retrieval.query"),
        ),
        (
            "jina_clip_v2",
            "config.json",
            "position_embedding_type \"absolute\" is not supported",
            &["text_config", "hf_model_config_kwargs", "position_embedding_type"],
            json!("absolute"),
        ),
        ("jina_clip_v2", "config.json", "truncate_dim: expected null", &["truncate_dim"], json!(24)),
    ]
}

fn mobile_clips() -> Vec<Refused> {
    vec![
        (
            "mobile_clip",
            "open_clip_config.json",
            "fastvit_mci2, found \"fastvit_mci3\"",
            &["model_cfg", "vision_cfg", "timm_model_name"],
            json!("fastvit_mci3"),
        ),
        (
            "mobile_clip",
            "open_clip_config.json",
            "timm_proj null",
            &["model_cfg", "vision_cfg", "timm_proj"],
            json!("linear"),
        ),
    ]
}

fn towers_of_images() -> Vec<Refused> {
    vec![
        ("rad_dino", "config.json", "expected \"use_swiglu_ffn\": false", &["use_swiglu_ffn"], json!(true)),
        ("rad_dino", "config.json", "expected \"num_register_tokens\": 0", &["num_register_tokens"], json!(4)),
        ("rad_dino", "config.json", "expected \"num_channels\": 3", &["num_channels"], json!(1)),
        ("rad_dino", "config.json", "hidden_act", &["hidden_act"], json!("relu6")),
        ("rad_dino", "preprocessor_config.json", "expected a square", &["crop_size", "width"], json!(36)),
        ("rad_dino", "preprocessor_config.json", "must have one size", &["do_center_crop"], json!(false)),
    ]
}

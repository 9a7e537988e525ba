//! `config.json` of a `JinaCLIPModel`.

use crate::model::layers::PatchShape;
use crate::model::limits::check_sizes;
use serde::Deserialize;
use serde_json::Value;

/// The fields of `config.json`, with the defaults of the published code.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct JinaClipJson {
    pub add_projections: bool,
    pub truncate_dim: Option<usize>,
    pub vision_config: VisionJson,
    pub text_config: TextJson,
}

/// The image tower. Fields with the same value in all published checkpoints are only supported with that value.
#[derive(Clone, Debug, Deserialize)]
#[serde(default)]
pub(super) struct VisionJson {
    pub embed_dim: usize,
    pub width: usize,
    pub image_size: usize,
    pub patch_size: usize,
    pub layers: usize,
    pub head_width: usize,
    pub mlp_ratio: f64,
    pub ls_init_value: Option<f64>,
    pub qkv_bias: bool,
    pub post_norm: bool,
    pub rope_embeddings: bool,
    /// Patches along one side of the images in pretraining, for which RoPE positions are defined.
    pub pt_hw_seq_len: usize,
    /// True if RoPE positions are scaled to the actual grid.
    pub intp_freq: bool,
    pub naive_swiglu: bool,
    pub subln: bool,
    pub proj_type: Option<String>,
}

/// The text tower: the name of its BERT, with changes to its published configuration in `hf_model_config_kwargs`.
#[derive(Clone, Debug, Deserialize)]
#[serde(default)]
pub(super) struct TextJson {
    pub embed_dim: usize,
    pub hf_model_name_or_path: String,
    pub hf_model_config_kwargs: Option<Value>,
    pub pooler_type: Option<String>,
    pub proj_type: Option<String>,
    pub proj_bias: bool,
    /// The task whose instruction is put before every text.
    pub default_instruction_task: Option<String>,
    /// The task whose adapter is added to the weights.
    pub default_lora_task: Option<String>,
}

impl Default for VisionJson {
    fn default() -> Self {
        Self {
            embed_dim: 768,
            width: 768,
            image_size: 224,
            patch_size: 16,
            layers: 12,
            head_width: 64,
            mlp_ratio: 4.0,
            ls_init_value: None,
            qkv_bias: true,
            post_norm: false,
            rope_embeddings: false,
            pt_hw_seq_len: 16,
            intp_freq: false,
            naive_swiglu: false,
            subln: false,
            proj_type: None,
        }
    }
}

impl Default for TextJson {
    fn default() -> Self {
        Self {
            embed_dim: 768,
            hf_model_name_or_path: "jinaai/jina-bert-flash-implementation".into(),
            hf_model_config_kwargs: None,
            pooler_type: None,
            proj_type: None,
            proj_bias: false,
            default_instruction_task: None,
            default_lora_task: None,
        }
    }
}

impl JinaClipJson {
    /// Fails if the network is not supported or its sizes are inconsistent; the message names the field.
    pub fn check(&self) -> Result<(), String> {
        if self.add_projections {
            return Err("add_projections: expected false, found true".into());
        }
        if let Some(length) = self.truncate_dim {
            return Err(format!("truncate_dim: expected null (whole vectors), found {length}"));
        }
        let (vision, text) = (&self.vision_config, &self.text_config);
        vision.check()?;
        if let Some(task) = &text.default_instruction_task {
            return Err(format!("text_config: expected default_instruction_task null, found {task:?}"));
        }
        if text.proj_type.is_some() || text.proj_bias {
            return Err("text_config: expected no projection (proj_type null)".into());
        }
        if text.embed_dim != vision.embed_dim {
            let (text, vision) = (text.embed_dim, vision.embed_dim);
            return Err(format!("text_config: embed_dim {text} differs from vision_config: embed_dim {vision}"));
        }
        Ok(())
    }
}

impl VisionJson {
    fn check(&self) -> Result<(), String> {
        let wanted = [
            ("qkv_bias", self.qkv_bias, true),
            ("post_norm", self.post_norm, false),
            ("rope_embeddings", self.rope_embeddings, true),
            ("naive_swiglu", self.naive_swiglu, true),
            ("subln", self.subln, true),
        ];
        for (name, found, expected) in wanted {
            if found != expected {
                return Err(format!("vision_config: expected {name} {expected}, found {found}"));
            }
        }
        if let Some(value) = self.ls_init_value {
            return Err(format!("vision_config: expected ls_init_value null (no layer scale), found {value}"));
        }
        if self.proj_type.is_some() || self.embed_dim != self.width {
            return Err("vision_config: expected no projection (proj_type null, embed_dim as width)".into());
        }
        let sizes = [
            ("width", self.width),
            ("image_size", self.image_size),
            ("patch_size", self.patch_size),
            ("head_width", self.head_width),
            ("pt_hw_seq_len", self.pt_hw_seq_len),
            ("inner width", self.inner_width()),
        ];
        check_sizes("vision_config", &sizes)?;
        if !self.width.is_multiple_of(self.head_width) || !self.head_width.is_multiple_of(4) {
            return Err(format!(
                "vision_config: expected a head_width that is a multiple of 4 and divides width {}, found {}",
                self.width, self.head_width
            ));
        }
        if self.layers > 1000 || self.patch_size > self.image_size {
            let (layers, patch, image) = (self.layers, self.patch_size, self.image_size);
            return Err(format!(
                "vision_config: unsupported sizes: {layers} layers, patch_size {patch}, image_size {image}"
            ));
        }
        Ok(())
    }

    /// Size of the MLP's inner layer, truncated as in the published code.
    pub fn inner_width(&self) -> usize {
        (self.width as f64 * self.mlp_ratio) as usize
    }

    pub fn patches(&self) -> PatchShape {
        PatchShape { width: self.width, channels: 3, image_size: self.image_size, patch_size: self.patch_size }
    }
}

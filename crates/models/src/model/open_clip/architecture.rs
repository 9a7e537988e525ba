//! OpenCLIP checkpoints as dual encoders.

use super::config::{ModelJson, OpenClipJson, TextJson, VisionJson, activation, epsilon, refuse_other_networks};
use super::fastvit::{self, FastVit, FastVitShape};
use super::names;
use super::vision_transformer::{VisionTransformer, VitShape};
use crate::model::bert::{BertConfig, BertSizes, BertTower, Pooling, Positions, Projection};
use crate::model::checkpoint::{CheckpointError, TargetTensor, Weights, object_in, read_json, typed};
use crate::model::clip::{ClipConfig, ClipText, TextConfig, VisionConfig, VisionTower};
use crate::model::dual_encoder::{
    Architecture, ImageProcessor, ImageTower, OpenClipTransform, PictureProcessor, TextArchitecture, TextTower,
};
use crate::model::layers::Mode;
use crate::model::limits::check_sizes;
use crate::model::tokenizer::Tokenizer;
use candle_nn::VarBuilder;
use std::path::Path;
use std::sync::Arc;

const FILE: &str = "open_clip_config.json";
/// `eos_token_id` that selects CLIP's legacy pooling at the highest token id, which OpenCLIP uses.
const POOL_AT_HIGHEST_ID: u32 = 2;

/// A checkpoint in OpenCLIP's format.
#[derive(Clone, Debug)]
pub struct OpenClip {
    dimension: usize,
    image: ImageSide,
    text: TextSide,
    context_length: usize,
    transform: OpenClipTransform,
}

#[derive(Clone, Debug)]
enum ImageSide {
    Clip(VisionConfig),
    Timm(VitShape),
    FastVit(FastVitShape),
}

/// The naming of the image tower's tensors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ImageNames {
    Clip,
    Timm,
    FastVit,
}

#[derive(Clone, Debug)]
enum TextSide {
    Clip(TextConfig),
    Bert(BertConfig),
}

impl OpenClip {
    /// Reads and checks `open_clip_config.json` of `folder`. Sizes that it lacks are taken from the weights' headers.
    ///
    /// # Errors
    /// Fails if a file is missing or broken, or the network is not supported.
    pub fn read(folder: &Path) -> Result<Self, CheckpointError> {
        let value = read_json(folder, FILE, "it describes the model")?;
        let bad = |reason: String| CheckpointError::BadJson { path: folder.join(FILE), reason };
        for field in ["model_cfg", "preprocess_cfg"] {
            object_in(folder, FILE, &value, field)?;
        }
        let json: OpenClipJson = typed(value).map_err(bad)?;
        let OpenClipJson { model_cfg: model, preprocess_cfg: transform } = json;
        if model.multimodal_cfg.as_ref().is_some_and(|value| !value.is_null()) {
            return Err(bad("multimodal_cfg: expected only an image tower and a text tower (no CoCa)".into()));
        }
        check_sizes("model_cfg", &[("embed_dim", model.embed_dim)]).map_err(bad)?;
        let image_names = match model.vision_cfg.timm_model_name.as_deref() {
            None => ImageNames::Clip,
            Some(name) if fastvit::SIZES.contains(&name) => ImageNames::FastVit,
            Some(_) => ImageNames::Timm,
        };
        let text_is_bert = model.text_cfg.hf_model_name.is_some();
        let stored = if image_names != ImageNames::Clip || text_is_bert {
            let weights = Weights::read(folder)?;
            Some(weights.rearranged(|name| targets(name, image_names, text_is_bert.then_some(false))))
        } else {
            None
        };
        let image = image_side(&model, stored.as_ref()).map_err(bad)?;
        let text = text_side(&model, stored.as_ref()).map_err(bad)?;
        let context_length = model.text_cfg.context_length;
        Ok(Self { dimension: model.embed_dim, image, text, context_length, transform })
    }
}

/// The network's tensors for a stored one. If the text tower is a BERT, `bert` says whether its dense pooler is used.
fn targets(name: &str, image: ImageNames, bert: Option<bool>) -> Vec<TargetTensor> {
    if let Some(rest) = name.strip_prefix("visual.") {
        return match image {
            ImageNames::Clip => names::of_image_tower(rest),
            ImageNames::Timm => names::of_timm(rest),
            ImageNames::FastVit => names::of_fastvit(rest),
        };
    }
    if matches!(name, "logit_scale" | "logit_bias") {
        return vec![TargetTensor::whole(name)];
    }
    let rest = name.strip_prefix("text.").unwrap_or(name);
    match bert {
        Some(has_dense_pooling) => names::of_bert(rest, has_dense_pooling),
        None => names::of_text_tower(rest),
    }
}

fn image_side(model: &ModelJson, stored: Option<&Weights>) -> Result<ImageSide, String> {
    let vision = &model.vision_cfg;
    check_sizes("vision_cfg", &[("image_size", vision.image_size)])?;
    if let (Some(name), Some(weights)) = (&vision.timm_model_name, stored) {
        if fastvit::SIZES.contains(&name.as_str()) {
            return fastvit_side(vision, model.embed_dim, weights);
        }
        return timm_side(name, vision, weights);
    }
    refuse_other_networks("vision_cfg", &vision.others)?;
    let Some(layers) = vision.layers.as_u64() else {
        return Err(format!("vision_cfg: expected a number of layers (a vision transformer), found {}", vision.layers));
    };
    if vision.pool_type != "tok" {
        return Err(format!("vision_cfg: expected pool_type \"tok\", found {:?}", vision.pool_type));
    }
    check_sizes("vision_cfg", &[("head_width", vision.head_width), ("width", vision.width)])?;
    let vision_config = VisionConfig {
        hidden_size: vision.width,
        intermediate_size: (vision.width as f64 * vision.mlp_ratio) as usize,
        num_hidden_layers: layers as usize,
        num_attention_heads: vision.width / vision.head_width,
        image_size: vision.image_size,
        patch_size: vision.patch_size,
        hidden_act: activation(model.quick_gelu, vision.act_kwargs.as_ref())?,
        layer_norm_eps: epsilon(vision.norm_kwargs.as_ref()),
        ..VisionConfig::default()
    };
    let config = ClipConfig { vision_config, ..ClipConfig::default() };
    config.check()?;
    Ok(ImageSide::Clip(config.vision_config))
}

/// MobileCLIP's image tower, whose classifier gives the embedding.
fn fastvit_side(vision: &VisionJson, dimension: usize, weights: &Weights) -> Result<ImageSide, String> {
    if vision.timm_pool != "avg" || vision.timm_proj.is_some() {
        return Err(format!(
            "vision_cfg: expected timm_pool \"avg\" and timm_proj null, found {:?} and {:?}",
            vision.timm_pool, vision.timm_proj
        ));
    }
    FastVitShape::of(weights, dimension, vision.image_size).map(ImageSide::FastVit)
}

fn timm_side(name: &str, vision: &VisionJson, weights: &Weights) -> Result<ImageSide, String> {
    if !name.starts_with("vit_") {
        let sizes = fastvit::SIZES.join(", ");
        return Err(format!(
            "vision_cfg: expected a timm_model_name that begins with vit_, or one of {sizes}, found {name:?}"
        ));
    }
    if !matches!(vision.timm_pool.as_str(), "" | "token") {
        let found = &vision.timm_pool;
        return Err(format!("vision_cfg: expected timm_pool \"\" or \"token\" (the class token), found {found:?}"));
    }
    if vision.timm_proj.as_deref() != Some("linear") || vision.timm_proj_bias {
        return Err("vision_cfg: expected timm_proj \"linear\" without bias".into());
    }
    let shape = VitShape::of(weights, vision.image_size);
    if shape.encoder.width > 0 {
        shape.encoder.check("image tower")?;
        check_sizes("image tower", &[("patch size", shape.patches.patch_size)])?;
    }
    Ok(ImageSide::Timm(shape))
}

fn text_side(model: &ModelJson, stored: Option<&Weights>) -> Result<TextSide, String> {
    let text = &model.text_cfg;
    check_sizes("text_cfg", &[("context_length", text.context_length)])?;
    if let (Some(name), Some(weights)) = (&text.hf_model_name, stored) {
        return bert_side(name, text, model.embed_dim, weights).map(TextSide::Bert);
    }
    refuse_other_networks("text_cfg", &text.others)?;
    if text.pool_type != "argmax" {
        return Err(format!("text_cfg: expected pool_type \"argmax\", found {:?}", text.pool_type));
    }
    if text.proj_type.as_deref() != Some("linear") {
        return Err(format!("text_cfg: expected proj_type \"linear\", found {:?}", text.proj_type));
    }
    let text_config = TextConfig {
        vocab_size: text.vocab_size,
        hidden_size: text.width,
        intermediate_size: (text.width as f64 * text.mlp_ratio) as usize,
        num_hidden_layers: text.layers,
        num_attention_heads: text.heads,
        max_position_embeddings: text.context_length,
        hidden_act: activation(model.quick_gelu, text.act_kwargs.as_ref())?,
        layer_norm_eps: epsilon(text.norm_kwargs.as_ref()),
        pad_token_id: 0,
        eos_token_id: POOL_AT_HIGHEST_ID,
        is_bidirectional: text.no_causal_mask,
        ..TextConfig::default()
    };
    let config = ClipConfig { text_config, ..ClipConfig::default() };
    config.check()?;
    Ok(TextSide::Clip(config.text_config))
}

/// `HFTextEncoder` with a BERT, whose configuration is in another repository. Its sizes are taken from the tensors; the rest
/// is the same in every published BERT: heads of size 64, GELU, padding id 0.
fn bert_side(name: &str, text: &TextJson, dimension: usize, weights: &Weights) -> Result<BertConfig, String> {
    let lowered = name.to_lowercase();
    let is_bert = lowered.contains("bert") && !["roberta", "camembert", "xlm"].iter().any(|kin| lowered.contains(kin));
    if !is_bert {
        return Err(format!("text_cfg: expected hf_model_name to be a BERT, found {name:?}"));
    }
    let sizes = BertSizes::of(weights, "text_model.transformer.");
    let projection = match text.hf_proj_type.as_deref() {
        Some("mlp") => Projection::Mlp(dimension),
        Some("linear") => Projection::Linear(dimension),
        None if sizes.width == dimension => Projection::Nothing,
        other => return Err(format!("text_cfg: expected hf_proj_type \"mlp\" or \"linear\", found {other:?}")),
    };
    let config = BertConfig {
        vocabulary: sizes.vocabulary,
        token_types: sizes.token_types,
        width: sizes.width,
        inner_width: sizes.inner_width,
        layers: sizes.layers,
        heads: sizes.width / 64,
        epsilon: 1e-12,
        pad_id: 0,
        positions: Positions::Learned(sizes.positions),
        is_gated: false,
        pooling: Pooling::of_name(&text.hf_pooler_type)
            .map_err(|reason| format!("text_cfg: hf_pooler_type: {reason}"))?,
        projection,
    };
    config.check()?;
    if text.context_length > sizes.positions {
        let (length, positions) = (text.context_length, sizes.positions);
        return Err(format!("text_cfg: context_length {length} is more than the {positions} positions of the weights"));
    }
    Ok(config)
}

impl Architecture for OpenClip {
    fn dimension(&self) -> usize {
        self.dimension
    }

    fn pooled_width(&self) -> usize {
        match &self.image {
            ImageSide::Clip(vision) => vision.hidden_size,
            ImageSide::Timm(shape) => shape.encoder.width,
            ImageSide::FastVit(shape) => shape.dimension,
        }
    }

    fn image_tower(&self, vars: &VarBuilder, mode: Mode) -> candle_core::Result<Arc<dyn ImageTower>> {
        let vars = vars.pp("vision_model");
        Ok(match &self.image {
            ImageSide::Clip(vision) => Arc::new(VisionTower::new(vision, mode, &vars)?),
            ImageSide::Timm(shape) => Arc::new(VisionTransformer::new(shape, mode, &vars)?),
            ImageSide::FastVit(shape) => Arc::new(FastVit::new(shape, mode, &vars)?),
        })
    }

    fn weights(&self, folder: &Path) -> Result<Weights, CheckpointError> {
        let image = match &self.image {
            ImageSide::Clip(_) => ImageNames::Clip,
            ImageSide::Timm(_) => ImageNames::Timm,
            ImageSide::FastVit(_) => ImageNames::FastVit,
        };
        let bert = match &self.text {
            TextSide::Clip(_) => None,
            TextSide::Bert(config) => Some(config.pooling == Pooling::Dense),
        };
        let weights = Weights::read(folder)?.rearranged(|name| targets(name, image, bert));
        match &self.image {
            ImageSide::FastVit(shape) => Ok(weights.with_identity("visual_projection.weight", shape.dimension)),
            ImageSide::Clip(_) | ImageSide::Timm(_) => Ok(weights),
        }
    }

    fn processor(&self, folder: &Path) -> Result<PictureProcessor, CheckpointError> {
        let side = match &self.image {
            ImageSide::Clip(vision) => vision.image_size,
            ImageSide::Timm(shape) => shape.patches.image_size,
            ImageSide::FastVit(shape) => shape.image_size,
        };
        let processor = ImageProcessor::open_clip(&self.transform, side).map_err(|reason| {
            CheckpointError::BadJson { path: folder.join(FILE), reason: format!("preprocess_cfg: {reason}") }
        })?;
        Ok(PictureProcessor::FixedSize(processor))
    }

    fn text(&self) -> Option<&dyn TextArchitecture> {
        Some(self)
    }
}

impl TextArchitecture for OpenClip {
    fn vocabulary(&self) -> usize {
        match &self.text {
            TextSide::Clip(text) => text.vocab_size,
            TextSide::Bert(text) => text.vocabulary,
        }
    }

    fn text_tower(&self, vars: &VarBuilder, mode: Mode) -> candle_core::Result<Arc<dyn TextTower>> {
        Ok(match &self.text {
            TextSide::Clip(text) => Arc::new(ClipText::new(text, self.dimension, 1.0, mode, vars)?),
            TextSide::Bert(config) => Arc::new(BertTower::new(config, mode, &vars.pp("text_model"))?),
        })
    }

    fn tokenizer(&self, folder: &Path) -> anyhow::Result<Tokenizer> {
        let tokenizer = Tokenizer::read(folder, self.context_length, 0)?;
        Ok(match &self.text {
            // Padding is attended to, so that it must be that of the training: zeros up to the longest text.
            TextSide::Clip(text) if text.is_bidirectional => tokenizer.padded_with(0).padded_to(self.context_length),
            TextSide::Clip(_) | TextSide::Bert(_) => tokenizer,
        })
    }
}

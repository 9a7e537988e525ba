//! jina-clip-v1 as a dual encoder.

use super::config::{JinaClipJson, TextJson};
use super::eva::EvaTower;
use super::names::targets;
use crate::model::bert::{BertConfig, BertSizes, BertTower, Pooling, Positions, Projection};
use crate::model::checkpoint::{
    CheckpointError, Weights, image_processor_json, object_in, read_json, refuse_other_steps, typed,
};
use crate::model::dual_encoder::{
    Architecture, ImageProcessor, ImageTower, OpenClipTransform, PictureProcessor, TextTower,
};
use crate::model::layers::Mode;
use crate::model::tokenizer::Tokenizer;
use candle_nn::VarBuilder;
use serde_json::Value;
use std::path::Path;
use std::sync::Arc;

/// Longest text in tokens, the default of the published `encode_text`. In training, images were never paired with longer
/// texts.
const LONGEST_TEXT: usize = 512;

/// A `JinaCLIPModel`.
#[derive(Clone, Debug)]
pub struct JinaClip {
    config: JinaClipJson,
    bert: BertConfig,
}

impl JinaClip {
    /// Reads and checks `config.json` of `folder`. The text tower's sizes are taken from the weights' headers.
    ///
    /// # Errors
    /// Fails if a file is missing or broken, or the network is not that of jina-clip-v1.
    pub fn read(folder: &Path) -> Result<Self, CheckpointError> {
        let value = read_json(folder, "config.json", "it describes the model")?;
        let bad = |reason: String| CheckpointError::BadJson { path: folder.join("config.json"), reason };
        for field in ["vision_config", "text_config"] {
            object_in(folder, "config.json", &value, field)?;
        }
        let config: JinaClipJson = typed(value).map_err(bad)?;
        config.check().map_err(bad)?;
        let weights = Weights::read(folder)?.rearranged(targets);
        let bert = bert_of(&config.text_config, &weights).map_err(bad)?;
        if bert.dimension() != config.vision_config.embed_dim {
            let (text, image) = (bert.dimension(), config.vision_config.embed_dim);
            return Err(bad(format!("the text tower's width {text} differs from vision_config: embed_dim {image}")));
        }
        Ok(Self { config, bert })
    }
}

/// The configuration of JinaBERT: sizes from its tensors, changed fields from `text`, the rest as published.
fn bert_of(text: &TextJson, weights: &Weights) -> Result<BertConfig, String> {
    let sizes = BertSizes::of(weights, "text_model.transformer.");
    let changes = text.hf_model_config_kwargs.as_ref().unwrap_or(&Value::Null);
    let heads = changes["num_attention_heads"].as_u64().map_or(sizes.width / 64, |heads| heads as usize);
    let pooling = text.pooler_type.as_deref().unwrap_or("mean_pooler");
    let pooling = match Pooling::of_name(pooling).map_err(|reason| format!("text_config: pooler_type: {reason}"))? {
        Pooling::Dense => Pooling::First,
        other => other,
    };
    let config = BertConfig {
        vocabulary: sizes.vocabulary,
        token_types: sizes.token_types,
        width: sizes.width,
        inner_width: sizes.inner_width / 2,
        layers: sizes.layers,
        heads,
        epsilon: changes["layer_norm_eps"].as_f64().unwrap_or(1e-12),
        pad_id: changes["pad_token_id"].as_u64().unwrap_or(0) as u32,
        positions: Positions::Alibi,
        is_gated: true,
        pooling,
        projection: Projection::Nothing,
    };
    config.check()?;
    Ok(config)
}

impl Architecture for JinaClip {
    fn dimension(&self) -> usize {
        self.config.vision_config.embed_dim
    }

    fn pooled_width(&self) -> usize {
        self.config.vision_config.embed_dim
    }

    fn vocabulary(&self) -> usize {
        self.bert.vocabulary
    }

    fn image_tower(&self, vars: &VarBuilder, mode: Mode) -> candle_core::Result<Arc<dyn ImageTower>> {
        Ok(Arc::new(EvaTower::new(&self.config.vision_config, mode, &vars.pp("vision_model"))?))
    }

    fn text_tower(&self, vars: &VarBuilder, mode: Mode) -> candle_core::Result<Arc<dyn TextTower>> {
        Ok(Arc::new(BertTower::new(&self.bert, mode, &vars.pp("text_model"))?))
    }

    fn weights(&self, folder: &Path) -> Result<Weights, CheckpointError> {
        let weights = Weights::read(folder)?.rearranged(targets);
        Ok(weights.with_identity("visual_projection.weight", self.dimension()))
    }

    fn tokenizer(&self, folder: &Path) -> anyhow::Result<Tokenizer> {
        Tokenizer::read(folder, LONGEST_TEXT, self.bert.pad_id)
    }

    fn processor(&self, folder: &Path) -> Result<PictureProcessor, CheckpointError> {
        let (file, value) = image_processor_json(folder)?;
        let bad = |reason: String| CheckpointError::BadJson { path: folder.join(file), reason };
        let steps = ["do_resize", "do_center_crop", "do_rescale", "do_normalize"];
        refuse_other_steps(&value, &steps).map_err(bad)?;
        let transform: OpenClipTransform = typed(value).map_err(bad)?;
        let side = self.config.vision_config.image_size;
        Ok(PictureProcessor::FixedSize(ImageProcessor::open_clip(&transform, side).map_err(bad)?))
    }
}

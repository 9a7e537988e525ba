//! jina-clip-v1 and jina-clip-v2 as dual encoders.

use super::config::JinaClipJson;
use super::eva::EvaTower;
use super::names::targets;
use super::task_adapter::TaskAdapter;
use super::text::TextNetwork;
use crate::model::bert::{BertConfig, BertTower};
use crate::model::checkpoint::{
    CheckpointError, Weights, image_processor_json, object_in, read_json, refuse_other_steps, typed,
};
use crate::model::dual_encoder::{
    Architecture, ImageProcessor, ImageTower, OpenClipTransform, PictureProcessor, TextArchitecture, TextTower,
};
use crate::model::layers::Mode;
use crate::model::tokenizer::Tokenizer;
use candle_nn::VarBuilder;
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
    adapter: Option<TaskAdapter>,
}

impl JinaClip {
    /// Reads and checks `config.json` of `folder`. The text tower's sizes are taken from the weights' headers.
    ///
    /// # Errors
    /// Fails if a file is missing or broken, or the network is not that of jina-clip-v1 or v2.
    pub fn read(folder: &Path) -> Result<Self, CheckpointError> {
        let value = read_json(folder, "config.json", "it describes the model")?;
        let bad = |reason: String| CheckpointError::BadJson { path: folder.join("config.json"), reason };
        for field in ["vision_config", "text_config"] {
            object_in(folder, "config.json", &value, field)?;
        }
        let config: JinaClipJson = typed(value).map_err(bad)?;
        config.check().map_err(bad)?;
        let weights = Weights::read(folder)?.rearranged(targets);
        let text = &config.text_config;
        let network = TextNetwork::of_name(&text.hf_model_name_or_path).map_err(bad)?;
        let bert = network.config(text, &weights).map_err(bad)?;
        let adapter = match network {
            TextNetwork::JinaBert => None,
            TextNetwork::JinaEmbeddings3 => TaskAdapter::of(text).map_err(bad)?,
        };
        if bert.dimension() != config.vision_config.embed_dim {
            let (text, image) = (bert.dimension(), config.vision_config.embed_dim);
            return Err(bad(format!("the text tower's width {text} differs from vision_config: embed_dim {image}")));
        }
        Ok(Self { config, bert, adapter })
    }
}

impl Architecture for JinaClip {
    fn dimension(&self) -> usize {
        self.config.vision_config.embed_dim
    }

    fn pooled_width(&self) -> usize {
        self.config.vision_config.embed_dim
    }

    fn image_tower(&self, vars: &VarBuilder, mode: Mode) -> candle_core::Result<Arc<dyn ImageTower>> {
        Ok(Arc::new(EvaTower::new(&self.config.vision_config, mode, &vars.pp("vision_model"))?))
    }

    fn weights(&self, folder: &Path) -> Result<Weights, CheckpointError> {
        let stored = Weights::read(folder)?;
        let mut weights = stored.clone().rearranged(targets);
        if let Some(adapter) = &self.adapter {
            weights = adapter.merge(&stored, weights, folder)?;
        }
        Ok(weights.with_identity("visual_projection.weight", self.dimension()))
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

    fn text(&self) -> Option<&dyn TextArchitecture> {
        Some(self)
    }
}

impl TextArchitecture for JinaClip {
    fn vocabulary(&self) -> usize {
        self.bert.vocabulary
    }

    fn text_tower(&self, vars: &VarBuilder, mode: Mode) -> candle_core::Result<Arc<dyn TextTower>> {
        Ok(Arc::new(BertTower::new(&self.bert, mode, &vars.pp("text_model"))?))
    }

    fn tokenizer(&self, folder: &Path) -> anyhow::Result<Tokenizer> {
        Tokenizer::read(folder, LONGEST_TEXT, self.bert.pad_id)
    }
}

//! CLIP as a dual encoder.

use super::config::ClipConfig;
use super::model::ClipText;
use super::text::LEGACY_EOS;
use super::vision::VisionTower;
use crate::model::checkpoint::{CheckpointError, Weights};
use crate::model::dual_encoder::{
    Architecture, ImageProcessor, ImageTower, PictureProcessor, TextArchitecture, TextTower,
};
use crate::model::layers::Mode;
use crate::model::tokenizer::Tokenizer;
use candle_nn::VarBuilder;
use std::path::Path;
use std::sync::Arc;

impl Architecture for ClipConfig {
    fn dimension(&self) -> usize {
        self.projection_dim
    }

    fn pooled_width(&self) -> usize {
        self.vision_config.hidden_size
    }

    fn image_tower(&self, vars: &VarBuilder, mode: Mode) -> candle_core::Result<Arc<dyn ImageTower>> {
        Ok(Arc::new(VisionTower::new(&self.vision_config, mode, &vars.pp("vision_model"))?))
    }

    fn weights(&self, folder: &Path) -> Result<Weights, CheckpointError> {
        Weights::read(folder)
    }

    fn processor(&self, folder: &Path) -> Result<PictureProcessor, CheckpointError> {
        Ok(PictureProcessor::FixedSize(ImageProcessor::read_for(
            folder,
            &ImageProcessor::clip(224),
            self.vision_config.image_size,
        )?))
    }

    fn text(&self) -> Option<&dyn TextArchitecture> {
        Some(self)
    }
}

impl TextArchitecture for ClipConfig {
    fn vocabulary(&self) -> usize {
        self.text_config.vocab_size
    }

    fn text_tower(&self, vars: &VarBuilder, mode: Mode) -> candle_core::Result<Arc<dyn TextTower>> {
        Ok(Arc::new(ClipText::new(&self.text_config, self.projection_dim, 1.0, mode, vars)?))
    }

    fn tokenizer(&self, folder: &Path) -> anyhow::Result<Tokenizer> {
        let text = &self.text_config;
        let tokenizer = Tokenizer::read(folder, text.max_position_embeddings, text.pad_token_id)?;
        // The text embedding is pooled at that token.
        let end = text.eos_token_id;
        if end != LEGACY_EOS && !tokenizer.always_adds(end)? {
            let reason = format!(
                "post_processor: expected token {end} at the end of each text (eos_token_id of config.json), found none"
            );
            return Err(CheckpointError::BadJson { path: folder.join("tokenizer.json"), reason }.into());
        }
        Ok(tokenizer)
    }
}
